"""What a client is told, and when: held until its channel is open and its way of writing known."""

from __future__ import annotations

import json
from typing import Any

from reactor_runtime.clients.conversation import HELD_MESSAGES, Conversation
from reactor_runtime.clients.negotiation import Offer
from reactor_runtime.protocol.codec import DATA, JsonCodec
from reactor_runtime.session.losses import Losses, Lost
from reactor_runtime.transports.wire import AudioSender, VideoSender


class FakeWire:
    """Keeps what it is given to send."""

    video_senders: tuple[VideoSender, ...] = ()
    audio_senders: tuple[AudioSender, ...] = ()

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, label: str, data: bytes, *, binary: bool = False) -> bool:
        del label, binary
        self.sent.append(json.loads(data)["data"]["data"]["word"])
        return True

    def buffered(self) -> int:
        return 0

    async def stats(self) -> dict[str, Any]:
        return {}

    async def close(self) -> None:
        pass


class Rig:
    def __init__(
        self, codec: JsonCodec | None = None, *, limit: int = 1000, has_channel: bool = True
    ) -> None:
        self.wire = FakeWire()
        self.lost = Losses()
        offer = Offer("", (), has_channel, limit)
        self.conversation = Conversation(self.wire, offer, codec, self.lost, 1)

    def say(self, text: str) -> bool:
        return self.conversation.say(lambda codec: codec.runtime("word", {"word": text}))


async def test_what_comes_early_is_held_and_leaves_in_order() -> None:
    rig = Rig()
    assert rig.say("first")
    rig.conversation.opened(DATA)
    assert rig.say("second")
    assert rig.wire.sent == []
    rig.conversation.settle(JsonCodec())
    assert rig.say("third")
    assert rig.wire.sent == ["first", "second", "third"]


async def test_the_oldest_of_too_many_is_dropped_and_counted() -> None:
    rig = Rig(JsonCodec())
    for number in range(HELD_MESSAGES + 2):
        assert rig.say(str(number))
    rig.conversation.opened(DATA)
    assert rig.wire.sent == [str(number) for number in range(2, HELD_MESSAGES + 2)]
    assert rig.lost.counts()[Lost.UNSENT] == 2


async def test_the_first_message_shows_how_a_client_writes() -> None:
    rig = Rig()
    rig.conversation.opened(DATA)
    rig.say("held")
    rig.conversation.heard(b'{"scope": "runtime", "data": {"type": "ping"}}', False)
    assert rig.wire.sent == ["held"]
    codec = rig.conversation.codec
    rig.conversation.heard(b"\x00\x01", True)
    assert rig.conversation.codec is codec, "it is decided once"


async def test_what_is_too_large_for_the_client_is_counted() -> None:
    rig = Rig(JsonCodec(), limit=100)
    rig.conversation.opened(DATA)
    assert not rig.say("long" * 100)
    assert rig.say("short")
    assert rig.wire.sent == ["short"]
    assert rig.lost.counts()[Lost.UNSENT] == 1


async def test_nothing_is_said_without_a_channel_or_after_the_end() -> None:
    assert not Rig(JsonCodec(), has_channel=False).say("word")
    rig = Rig(JsonCodec())
    rig.conversation.opened(DATA)
    rig.conversation.close()
    assert not rig.say("word")
    assert rig.wire.sent == []
