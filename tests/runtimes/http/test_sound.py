"""Sound through a whole session, on a wire in memory."""

from __future__ import annotations

import asyncio
import threading
import time

import numpy as np
import pytest

from reactor_runtime import AudioIn, AudioOut, VideoModel, VideoOut, command, get_ctx, model
from reactor_runtime.media.encoders.base import RTP_CLOCK_HZ
from reactor_runtime.media.sound import PICTURE_LAG_S
from reactor_runtime.session.states import State
from reactor_runtime.testing import serve

PICTURE = np.zeros((48, 64, 3), np.uint8)
TEN_MS = np.full((1, 480), 1000, np.int16)


def loud(heard: np.ndarray) -> np.ndarray:
    """The places where something is heard."""
    return np.flatnonzero(np.abs(heard[0]) > 100)


@model("speaker")
class Speaker(VideoModel):
    """Says half a second and returns."""

    voice = AudioOut(rate=24_000)

    def start_session(self) -> None:
        for _ in range(25):
            get_ctx().get_track("voice").emit(np.full(480, 0.5, np.float32))


async def test_the_tail_is_heard() -> None:
    async with serve(Speaker) as server:
        client = await server.join()
        assert (await client.wait_end())["reason"] == "completed"
        heard = loud(client.sounds("voice"))
        assert len(heard) == pytest.approx(24_000, abs=60)
        assert heard[-1] - heard[0] < 24_100  # without a seam


@model("blinker")
class Blinker(VideoModel):
    """A step is a picture and its sound, 25 times a second; the picture first or the sound first."""

    main_video = VideoOut(rate=25)
    voice = AudioOut(rate=48_000)
    sound_first = False

    def start_session(self) -> None:
        ctx, step = get_ctx(), 0
        while not ctx.should_stop():
            sound = np.full(1920, 9_000 if step % 10 == 5 else 0, np.int16)
            if self.sound_first:
                ctx.get_track("voice").emit(sound)
            ctx.get_track("main_video").emit(PICTURE)
            if not self.sound_first:
                ctx.get_track("voice").emit(sound)
            step += 1


@model("blinker")
class SoundFirst(Blinker):
    sound_first = True


@pytest.mark.parametrize("model_class", [Blinker, SoundFirst])
async def test_what_is_emitted_together_is_stamped_together(model_class: type[VideoModel]) -> None:
    async with serve(model_class) as server:
        client = await server.join()
        frames = await client.wait_frames(70, "main_video", within=20)
        pictures = {frame.index: frame.timestamp / RTP_CLOCK_HZ for frame in frames if frame.index % 10 == 5}
        blocks = client.wire.sounds[client._mids["voice"]]
        await client.stop()
    begins = []
    quiet = True
    for at, block in blocks:
        places = loud(block)
        if len(places) and quiet:
            begins.append(at + places[0] / 48_000)
        quiet = not len(places)
    apart = [min(abs(begin - at) for begin in begins) for index, at in pictures.items() if index > 5]
    assert len(apart) >= 3
    assert np.median(apart) < 0.03


async def test_pictures_wait_for_their_sound_only_where_there_is_some() -> None:
    @model("silent")
    class Silent(Blinker):
        def start_session(self) -> None:
            self.left = []
            while not get_ctx().should_stop():
                get_ctx().get_track("main_video").emit(PICTURE)
                self.left.append(time.monotonic())

    async with serve(Silent) as server:
        client = await server.join()
        frames = await client.wait_frames(20, "main_video")
        assert len(frames) >= 20
        assert server.worker.session is not None
        assert server.worker.session.media.sound.picture_left(("main_video", 99), 0.0) == 0 < PICTURE_LAG_S


@model("listener")
class Listener(VideoModel):
    microphone = AudioIn(rate=16_000)

    def start_session(self) -> None:
        self.pieces: list[np.ndarray] = []
        self.read = get_ctx().get_track("microphone").read(1600)
        get_ctx().send({"read": None if self.read is None else list(self.read.shape)})
        while not get_ctx().wait_stop(0.05):
            pass

    def on_media(self, bundle) -> None:  # type: ignore[no-untyped-def]  # as authors write it
        piece = bundle.get_track("microphone")
        assert (piece.info.kind, piece.info.rate) == ("audio", 16_000)
        self.pieces.append(piece.data)

    @command("pieces")
    def count(self) -> list[int]:
        return [piece.shape[1] for piece in self.pieces]


async def test_a_microphone_is_read_in_order_and_seen_by_on_media() -> None:
    async with serve(Listener) as server:
        client = await server.join()
        assert server.worker.session is not None
        await asyncio.to_thread(server.worker.session.timeline.entered.wait, 5)
        for _ in range(12):
            client.send_audio("microphone", np.tile(TEN_MS, (2, 1)))
        assert await client.wait_said() == [{"read": [1, 1600]}]
        # The resampler holds back a few samples; on_media has a thread of its own.
        async with asyncio.timeout(10):
            while sum(await client.command("pieces")) < 12 * 160 - 40:
                pass
        assert sum(await client.command("pieces")) == pytest.approx(12 * 160, abs=40)


async def test_the_end_wakes_a_model_that_listens() -> None:
    async with serve(Listener) as server:
        client = await server.join()
        began = time.monotonic()
        assert await client.stop() == State.READY
        assert time.monotonic() - began < 2
        assert client.said == [{"read": None}]


async def test_the_next_user_hears_nothing_of_the_one_before() -> None:
    @model("parrot")
    class Parrot(VideoModel):
        microphone = AudioIn()
        voice = AudioOut()

        def start_session(self) -> None:
            ctx = get_ctx()
            while not ctx.should_stop():
                block = ctx.get_track("microphone").read(480, timeout=0.1)
                if block is not None:
                    ctx.get_track("voice").emit(block)

    async with serve(Parrot) as server:
        first = await server.join()
        for _ in range(30):
            first.send_audio("microphone", TEN_MS)
        await first.until(lambda: len(loud(first.sounds("voice"))) > 0)
        await first.stop()

        second = await server.join()
        await second.until(lambda: second.sounds("voice").shape[1] > 4800)
        assert len(loud(second.sounds("voice"))) == 0


async def test_models_without_sound_pay_nothing_for_it() -> None:
    @model("mute")
    class Mute(VideoModel):
        def start_session(self) -> None:
            while not get_ctx().wait_stop(0.02):
                get_ctx().get_track().emit(PICTURE)

    async with serve(Mute) as server:
        client = await server.join()
        await client.wait_frames(3)
        assert "reactor-audio" not in {thread.name for thread in threading.enumerate()}


async def test_what_was_filled_and_lost_is_shown() -> None:
    async with serve(Blinker) as server:
        client = await server.join()
        await client.wait_frames(5, "main_video")
        text = (await server.http.get("/metrics")).text
        assert 'reactor_silence_seconds_total{direction="out"}' in text
        assert 'reactor_dropped_total{place="audio_out"}' in text
