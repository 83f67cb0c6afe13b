"""What a client is told, and when: held until its channel is open and its way of writing known."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from reactor_runtime.clients.channels import CHANNEL_WAIT_S
from reactor_runtime.clients.conversation import FORMAT_WAIT_S, HELD_MESSAGES, Conversation
from reactor_runtime.clients.negotiation import Offer
from reactor_runtime.protocol.message_format import DATA, JsonFormat
from reactor_runtime.session.losses import Losses, Lost
from reactor_runtime.testing import VirtualClock
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
        self, message_format: JsonFormat | None = None, *, limit: int = 1000, has_channel: bool = True
    ) -> None:
        self.wire = FakeWire()
        self.lost = Losses()
        self.clock = VirtualClock()
        offer = Offer("", (), has_channel, limit)
        self.conversation = Conversation(self.wire, offer, message_format, self.lost, 1, self.clock)

    def say(self, text: str) -> bool:
        return self.conversation.send(lambda form: form.runtime("word", {"word": text}))


async def test_what_comes_early_is_held_and_leaves_in_order() -> None:
    rig = Rig()
    assert rig.say("first")
    rig.conversation.opened(DATA)
    assert rig.say("second")
    assert rig.wire.sent == []
    rig.conversation.settle(JsonFormat())
    assert rig.say("third")
    assert rig.wire.sent == ["first", "second", "third"]


async def test_the_oldest_of_too_many_is_dropped_and_counted() -> None:
    rig = Rig(JsonFormat())
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
    message_format = rig.conversation.format
    rig.conversation.heard(b"\x00\x01", True)
    assert rig.conversation.format is message_format, "it is decided once"


async def test_what_is_too_large_for_the_client_is_counted() -> None:
    rig = Rig(JsonFormat(), limit=100)
    rig.conversation.opened(DATA)
    assert not rig.say("long" * 100)
    assert rig.say("short")
    assert rig.wire.sent == ["short"]
    assert rig.lost.counts()[Lost.UNSENT] == 1


async def test_nothing_is_said_without_a_channel_or_after_the_end() -> None:
    assert not Rig(JsonFormat(), has_channel=False).say("word")
    rig = Rig(JsonFormat())
    rig.conversation.opened(DATA)
    rig.conversation.close()
    assert not rig.say("word")
    assert rig.wire.sent == []


async def test_who_shows_nothing_for_so_long_gets_json() -> None:
    rig = Rig()
    rig.conversation.opened(DATA)
    rig.say("held")
    rig.conversation.await_format()
    rig.clock.advance(FORMAT_WAIT_S - 0.01)
    await asyncio.sleep(0)
    assert rig.wire.sent == []
    rig.clock.advance(0.01)
    await asyncio.sleep(0)
    assert rig.wire.sent == ["held"]
    assert isinstance(rig.conversation.format, JsonFormat)


@pytest.mark.parametrize(
    ("opened", "code"),
    [([], "channel_not_open"), (["chat"], "wrong_channel"), (["control"], "channel_not_open")],
)
async def test_who_opens_no_channel_in_time_looks_on_and_why_is_known(opened: list[str], code: str) -> None:
    rig, called = Rig(), list[str]()
    for label in opened:
        rig.conversation.opened(label)
    rig.conversation.await_channel(lambda: called.append("without"))
    rig.conversation.await_channel(lambda: called.append("twice"))
    rig.clock.advance(CHANNEL_WAIT_S - 0.01)
    await asyncio.sleep(0)
    assert called == []
    assert rig.conversation.notice is None
    rig.clock.advance(0.01)
    await asyncio.sleep(0)
    assert called == ["without"]
    assert rig.conversation.notice is not None
    assert rig.conversation.notice.code == code


@pytest.mark.parametrize("end", ["opened", "closed"])
async def test_who_has_opened_or_gone_by_then_is_not_meant(end: str) -> None:
    rig, called = Rig(), list[str]()
    rig.conversation.await_channel(lambda: called.append("without"))
    if end == "opened":
        rig.conversation.opened(DATA)
    else:
        rig.conversation.close()
    rig.clock.advance(CHANNEL_WAIT_S)
    await asyncio.sleep(0)
    assert called == []
    assert rig.conversation.notice is None


async def test_an_offer_without_a_channel_is_known_for_it_at_once() -> None:
    notice = Rig(has_channel=False).conversation.notice
    assert notice is not None
    assert notice.code == "no_channel"


async def test_a_client_that_takes_too_little_is_told_of_in_the_log_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = Rig(JsonFormat(), limit=10)
    rig.conversation.opened(DATA)
    for _ in range(3):
        assert not rig.say("long")
    assert sum("takes messages of 10 bytes" in record.message for record in caplog.records) == 1
