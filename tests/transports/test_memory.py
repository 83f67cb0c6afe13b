"""The wire of the tests keeps the contract of WebRTC's port itself."""

from __future__ import annotations

import pytest

from reactor_runtime.errors import EngineError, RefusedError
from reactor_runtime.media.encoders import EncodedFrame, VideoCodec
from reactor_runtime.transports.memory import MemoryClient, MemoryEngine, MemoryPeer, OfferedSection
from reactor_runtime.transports.port import PeerConfig, Section
from reactor_runtime.transports.sdp import parse
from reactor_runtime.transports.wire import (
    Closed,
    KeyframeRequested,
    MessageReceived,
    Opened,
    PeerState,
    StateChanged,
)

CODECS = (VideoCodec.H264, VideoCodec.VP8)
SECTIONS = [Section("0", "main_video", "video", True, CODECS), Section("1", "webcam", "video", False)]


class Events:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def handle(self, event: object) -> None:
        self.seen.append(event)


async def connected(**options: object) -> tuple[MemoryPeer, MemoryClient, Events]:
    engine, events = MemoryEngine(), Events()
    client = engine.client(
        [OfferedSection("video", "recvonly"), OfferedSection("video", "sendonly")],
        **options,  # type: ignore[arg-type] # as given by the test
    )
    peer = await engine.create_peer(PeerConfig(), events.handle)
    await peer.answer(client.create_offer(), SECTIONS)
    client.connect(await peer.gathered(1.0))
    return peer, client, events


def frame(index: int, key: bool) -> EncodedFrame:
    return EncodedFrame(VideoCodec.H264, b"x" * 100, key, 16, 16, index * 3000, index)


async def test_a_connection_reports_its_states_and_its_channel() -> None:
    _, _, events = await connected()

    assert events.seen == [
        StateChanged(PeerState.CONNECTING),
        StateChanged(PeerState.CONNECTED),
        Opened("data"),
    ]


async def test_the_answer_turns_the_directions_round_and_carries_candidates() -> None:
    peer, _, _ = await connected()
    _, media = parse(await peer.gathered(1.0))

    assert [(part.kind, part.direction) for part in media] == [
        ("video", "sendonly"),
        ("video", "recvonly"),
        ("application", "sendrecv"),
    ]
    assert any(line.startswith("a=candidate:") for line in media[0].lines)


@pytest.mark.parametrize(
    ("codecs", "chosen"),
    [
        ((VideoCodec.VP8, VideoCodec.H264), [VideoCodec.H264]),
        ((VideoCodec.VP8,), [VideoCodec.VP8]),
        ((), []),
    ],
)
async def test_a_sender_takes_the_codec_that_we_prefer(
    codecs: tuple[VideoCodec, ...], chosen: list[VideoCodec]
) -> None:
    peer, _, _ = await connected(codecs=codecs)

    assert [sender.codec for sender in peer.video_senders] == chosen


async def test_frames_arrive_from_a_keyframe_on() -> None:
    peer, client, events = await connected()
    for index, key in enumerate([False, True, False]):
        peer.video_senders[0].push(frame(index, key))

    assert [one.index for one in client.frames["0"]] == [1, 2]
    assert KeyframeRequested("0") in events.seen


async def test_messages_go_both_ways() -> None:
    peer, client, events = await connected()

    assert peer.send("data", b"hello")
    assert not peer.send("other", b"hello")
    client.send("text")
    client.send(b"\x01", "data")
    assert client.messages == [("data", b"hello")]
    assert events.seen[-2:] == [
        MessageReceived("data", b"text", False),
        MessageReceived("data", b"\x01", True),
    ]


async def test_a_client_that_does_not_read_leaves_messages_in_the_buffer() -> None:
    peer, client, _ = await connected()
    client.reading = False
    peer.send("data", b"abc")
    assert (peer.buffered(), client.messages) == (3, [])
    client.reading = True

    assert peer.buffered() == 0
    assert client.messages == [("data", b"abc")]


async def test_after_closing_no_event_arrives() -> None:
    peer, client, events = await connected()
    await peer.close()
    await peer.close()
    before = len(events.seen)
    client.send("late")
    client.lose_network()

    assert client.closed
    assert len(events.seen) == before
    assert not peer.send("data", b"late")


async def test_a_client_that_leaves_closes_its_channel_and_the_peer() -> None:
    _, client, events = await connected()
    client.close()

    assert events.seen[-2:] == [Closed("data"), StateChanged(PeerState.CLOSED)]


async def test_garbage_is_refused_and_a_closed_engine_makes_nothing() -> None:
    engine = MemoryEngine()
    peer = await engine.create_peer(PeerConfig(), Events().handle)
    with pytest.raises(RefusedError):
        await peer.answer("garbage", [])
    engine.close()
    with pytest.raises(EngineError):
        await engine.create_peer(PeerConfig(), Events().handle)
