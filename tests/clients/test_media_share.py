"""One client's share of the media: rates in the open, and an estimate that comes before anything is sent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from reactor_runtime import AudioOut, VideoModel, VideoOut, model
from reactor_runtime.authoring.description import Shown, describe
from reactor_runtime.clients.media_share import STATS_S, MediaShare
from reactor_runtime.clients.sink import WATCHED_FRAMES
from reactor_runtime.clock import WALL, Clock
from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.media.bitrate import HEADROOM, default_bitrate
from reactor_runtime.media.encoders import EncodedFrame, VideoCodec
from reactor_runtime.media.encoders.base import RTP_CLOCK_HZ
from reactor_runtime.session.session import Session
from reactor_runtime.testing import VirtualClock
from reactor_runtime.transports.memory_wire import MemoryAudioSender, MemorySender, MemoryWire
from reactor_runtime.transports.port import Section

SIZE = (240, 320)
ESTIMATE = 400_000
WITHIN = 5.0


@model(name="painter")
class Painter(VideoModel):
    video = VideoOut()


class Far:
    """Takes what a client would."""

    reading = True

    def __init__(self) -> None:
        self.frames: list[EncodedFrame] = []
        self.changed = threading.Condition()

    def take(self, label: str, data: bytes) -> None: ...

    def take_frame(self, mid: str, frame: EncodedFrame) -> None:
        with self.changed:
            self.frames.append(frame)
            self.changed.notify_all()

    def take_sound(self, mid: str, at: float, block: object) -> None: ...

    def lose_wire(self) -> None: ...

    async def has(self, count: int) -> None:
        def wait() -> bool:
            with self.changed:
                return self.changed.wait_for(lambda: len(self.frames) >= count, WITHIN)

        assert await asyncio.to_thread(wait)


def client(session: Session, codec: VideoCodec = VideoCodec.VP8) -> tuple[MediaShare, Far]:
    wire, far = MemoryWire(lambda event: None), Far()
    wire.video_senders = [MemorySender("0", codec, wire)]
    wire.link(far)
    return MediaShare(session, wire, [Section("0", "video", "video", True, (codec,))]), far


@asynccontextmanager
async def running(clock: Clock = WALL, shown: Shown | None = None) -> AsyncIterator[Session]:
    """`shown` is what the session before this one did."""
    described = describe(Painter)
    if shown is not None:
        described.last_shown["video"] = shown
    session = Session(1, "local", described, lambda _: None, clock=clock)
    try:
        yield session
    finally:
        await asyncio.to_thread(session.close)


def paint(session: Session, value: int) -> None:
    session.emit("video", np.full((*SIZE, 3), value, np.uint8), None)


async def test_the_first_estimate_counts_also_before_anything_is_sent() -> None:
    async with running() as session:
        share, far = client(session)
        share.set_estimate("0", ESTIMATE)
        share.subscribe()
        paint(session, 1)
        await far.has(1)
        [rate] = share.rates()
        assert rate.available_outgoing_bitrate == ESTIMATE
        assert rate.target_bitrate == int(ESTIMATE * HEADROOM)
        await share.end()


@pytest.mark.parametrize("estimates", [(), (ESTIMATE,)])
async def test_who_was_expected_gets_the_picture_that_is_made_for_its_network(
    estimates: tuple[int, ...],
) -> None:
    async with running(shown=Shown(*SIZE, frozenset({VideoCodec.H264}))) as session:
        session.media.plane.expect()
        paint(session, 1)
        share, far = client(session, VideoCodec.H264)
        for estimate in estimates:
            share.set_estimate("0", estimate)
        share.subscribe()
        await far.has(1)
        wanted = default_bitrate(SIZE[1], SIZE[0], VideoCodec.H264)
        assert far.frames[0].key
        assert share.rates()[0].target_bitrate == min([wanted, *(int(e * HEADROOM) for e in estimates)])
        await share.end()


async def test_the_keyframe_that_a_late_viewer_begins_with_is_made_for_its_network() -> None:
    async with running() as session:
        first, first_far = client(session)
        first.subscribe()
        paint(session, 1)
        await first_far.has(1)
        wanted = default_bitrate(SIZE[1], SIZE[0], VideoCodec.VP8)
        assert first.rates()[0].target_bitrate == wanted

        targets: list[int] = []
        late, late_far = client(session)
        late_far.take_frame = lambda mid, frame: (  # type: ignore[method-assign]  # looks while it arrives
            targets.append(session.media.plane.encodings[0].target_bitrate),
            Far.take_frame(late_far, mid, frame),
        )[1]
        late.set_estimate("0", ESTIMATE)
        late.subscribe()
        paint(session, 2)
        await late_far.has(1)
        assert late_far.frames[0].key
        assert targets[0] == int(ESTIMATE * HEADROOM)
        await first.end()
        await late.end()


async def test_rates_tell_what_has_gone_and_how_often_a_keyframe_was_waited_for() -> None:
    async with running() as session:
        share, far = client(session)
        share.subscribe()
        for value in range(3):
            paint(session, value)
            await far.has(value + 1)
        [rate] = share.rates()
        assert (rate.track, rate.codec) == ("video", "VP8")
        assert rate.frames_waiting == rate.frames_skipped == 0
        assert rate.frames_sent == 3
        assert rate.bytes_sent == sum(len(frame.data) for frame in far.frames)
        assert rate.available_outgoing_bitrate is None
        assert rate.keyframe_waits == 0
        share.count_losses()
        share.count_losses()
        sent = session.sent.by_stream["video", "VP8"]
        assert (sent.frames, sent.bytes) == (rate.frames_sent, rate.bytes_sent)
        await share.end()
        assert share.rates() == []
        assert session.sent.by_stream["video", "VP8"].frames == 3


@pytest.mark.parametrize("paused", [True, False])
async def test_who_pauses_is_sent_nothing_and_begins_again_with_a_keyframe(paused: bool) -> None:
    async with running() as session:
        share, far = client(session)
        other, other_far = client(session)
        share.subscribe()
        other.subscribe()
        paint(session, 0)
        await far.has(1)
        await other_far.has(1)
        share.pause("video", paused)
        paint(session, 1)
        await other_far.has(2)
        assert share.rates()[0].frames_sent == (1 if paused else 2)
        share.pause("video", False)
        before = len(far.frames)
        paint(session, 2)
        await far.has(before + 1)
        assert not paused or far.frames[before].key
        await share.end()
        await other.end()


@pytest.mark.parametrize(
    ("lost", "asked", "times"),
    [(0, 0, [0]), (5, 1, [0]), (5, 0, [0, 7, 11, 15])],
    ids=["nothing lost", "lost and asked", "lost and silent"],
)
async def test_who_loses_something_and_does_not_ask_gets_keyframes(
    lost: int, asked: int, times: list[float]
) -> None:
    clock = VirtualClock()
    async with running(clock) as session:
        share, far = client(session)
        share.subscribe()

        async def stats() -> dict[str, Any]:
            told = {"packets_lost": lost, "pli_count": asked, "fir_count": None}
            return {"outbound": [{"mid": "0", **(told if clock.time() - began > 5.0 else {})}, {"mid": "9"}]}

        share._wire.stats = stats  # type: ignore[method-assign]  # what an engine would have counted
        began = clock.time()
        for half_second in range(36):
            paint(session, half_second)
            await far.has(half_second + 1 + len(far.frames) - len({frame.index for frame in far.frames}))
            clock.advance(0.5)
            if half_second % 2:
                await share.look()
        first = far.frames[0].timestamp
        assert [(frame.timestamp - first) / RTP_CLOCK_HZ for frame in far.frames if frame.key] == times
        await share.end()


@model(name="singer")
class Singer(VideoModel):
    video = VideoOut()
    voice = AudioOut()


async def test_one_report_tells_of_sound_and_of_losses() -> None:
    session = Session(1, "local", describe(Singer), lambda _: None, clock=VirtualClock())
    wire = MemoryWire(lambda event: None)
    wire.video_senders = [MemorySender("0", VideoCodec.VP8, wire)]
    wire.audio_senders = [MemoryAudioSender("1", wire)]
    sections = [
        Section("0", "video", "video", True, (VideoCodec.VP8,)),
        Section("1", "voice", "audio", True),
    ]
    share, asked, repeated = MediaShare(session, wire, sections), 0, []

    async def stats() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        sound = {"mid": "1", "packets_sent": 7, "bytes_sent": 700, "target_bitrate": 64_000.0}
        return {"outbound": [{"mid": "0", "packets_lost": 5, "pli_count": 0}, sound]}

    wire.stats = stats  # type: ignore[method-assign]  # what an engine would have counted
    share.subscribe()
    [encoding] = session.media.plane.encodings
    encoding.repeat_keyframes = lambda sink, wanted: repeated.append(wanted)  # type: ignore[method-assign]  # looks
    await share.look()
    [sound] = share.audio.rates()
    assert (sound.packets_sent, sound.bytes_sent, sound.target_bitrate) == (7, 700, 64_000)
    assert (asked, len(repeated)) == (1, 1)

    await share.end()
    assert share.audio.rates() == []
    assert session.sent.by_stream["voice", "opus"].bytes == 700
    await asyncio.to_thread(session.close)


async def test_a_wire_that_is_closing_or_silent_about_its_counts_is_left_alone() -> None:
    clock = VirtualClock()
    async with running(clock) as session:
        share, _ = client(session)
        share.subscribe()

        asked = asyncio.Event()

        async def closing() -> dict[str, Any]:
            raise RefusedError(Refusal.CONFLICT, "connection_closed", "This connection is closed.")

        async def broken() -> dict[str, Any]:
            raise RuntimeError("the engine says no")

        async def busy() -> dict[str, Any]:
            asked.set()
            return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]  # never

        share._wire.stats = closing  # type: ignore[method-assign]  # what an engine might do
        await share.look()
        share._wire.stats = broken  # type: ignore[method-assign]  # the same
        await share.look()
        share._wire.stats = busy  # type: ignore[method-assign]  # the same
        looking = asyncio.ensure_future(share.look())
        await asked.wait()
        clock.advance(STATS_S)
        await looking
        await share.end()


async def test_a_frame_that_nobody_is_told_of_any_more_is_counted() -> None:
    async with running() as session:
        share, _ = client(session)
        share.subscribe()
        for index in range(WATCHED_FRAMES + 2):
            share.watch_frame("video", index, index, lambda *_: None)
        share.watch_frame("another", 0, 0, lambda *_: None)
        assert session.lost.counts()["frame_times"] == 2
        await share.end()
