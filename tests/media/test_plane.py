from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from reactor_runtime.authoring.description import Shown
from reactor_runtime.clock import WALL, Clock
from reactor_runtime.errors import FrameError
from reactor_runtime.media import plane as plane_module
from reactor_runtime.media import rgb as rgb_module
from reactor_runtime.media.encoders import VideoCodec
from reactor_runtime.media.encoding import Encoding
from reactor_runtime.media.i420 import to_i420
from reactor_runtime.media.plane import DEFAULT_SIZE, MediaPlane, VideoTrackConfig
from reactor_runtime.media.sound import AudioTrackConfig, Sound
from reactor_runtime.testing import LeapingClock

from .fakes import Factory, Sink, until


def newest(plane: MediaPlane) -> NDArray[np.uint8]:
    picture = plane.latest("main")
    assert picture is not None
    return picture


def rgb(value: int, height: int = 16, width: int = 32) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.full((height, width, 3), value, np.uint8)


@contextmanager
def open_plane(
    *names: str, rate: float = 0.0, clock: Clock = WALL, last_shown: dict[str, Shown] | None = None
) -> Iterator[MediaPlane]:
    tracks = {name: VideoTrackConfig(name, rate) for name in names or ("main",)}
    made = MediaPlane(tracks, rate, clock=clock, last_shown=last_shown)
    try:
        yield made
    finally:
        made.close()


def test_what_is_emitted_reaches_the_sink() -> None:
    with open_plane() as plane:
        sink = Sink()
        plane.subscribe("main", VideoCodec.VP8, sink)
        for value in range(5):
            plane.emit("main", rgb(value * 40), None)
        assert plane.drain(5.0)

        assert sink.indexes == [0, 1, 2, 3, 4]
        assert sink.frames[0].key
        assert plane.next_index("main") == 5


@pytest.mark.parametrize("count", [1, 30])
def test_the_tail_is_delivered(count: int) -> None:
    clock = LeapingClock()
    with open_plane(clock=clock) as plane:
        sink = Sink()
        plane.subscribe("main", VideoCodec.VP8, sink)
        clock.advance(0.5)  # what the model needs for its batch, which leaves in as long
        plane.emit("main", np.stack([rgb(value) for value in range(count)]), None)
        plane.release()
        assert plane.drain(5.0)

        assert sink.indexes == list(range(count))


def test_peers_of_one_codec_share_one_encode() -> None:
    with open_plane() as plane:
        sinks = [Sink() for _ in range(4)]
        shared = {plane.subscribe("main", VideoCodec.VP8, sink) for sink in sinks[:3]}
        other = plane.subscribe("main", VideoCodec.H264, sinks[3])
        plane.emit("main", rgb(1), None)
        assert plane.drain(5.0)

        assert len(shared) == 1
        assert len(plane.encodings) == 2
        assert shared.pop().counters.encoded == 1
        assert sinks[0].frames[0] is sinks[2].frames[0]
        assert sinks[3].frames[0].codec is other.codec


def test_an_encode_that_nobody_takes_ends() -> None:
    with open_plane() as plane:
        first, second = Sink(), Sink()
        plane.subscribe("main", VideoCodec.VP8, first)
        plane.subscribe("main", VideoCodec.VP8, second)
        plane.unsubscribe(first)
        assert len(plane.encodings) == 1
        plane.unsubscribe(second)

        assert plane.encodings == ()
        assert not [t for t in threading.enumerate() if t.name == "reactor-encode-main-VP8"]


@pytest.fixture
def factory(monkeypatch: pytest.MonkeyPatch) -> Factory:
    """What a plane opens ahead; what it opens for a picture is real."""
    factory = Factory()
    monkeypatch.setattr(plane_module, "create_encoder", factory)
    return factory


def shown(*codecs: VideoCodec) -> Shown:
    return Shown(16, 32, frozenset(codecs))


def test_an_encoder_is_opened_before_the_first_client_is_there(factory: Factory) -> None:
    with open_plane(last_shown={"main": shown(VideoCodec.VP8)}) as plane:
        plane.expect()
        plane.expect()
        until(lambda: len(factory.made) == 1)
        assert (factory.made[0].width, factory.made[0].height) == (32, 16)
        plane.emit("main", rgb(1), None)
        sink = Sink()
        plane.subscribe("main", VideoCodec.VP8, sink)
        until(lambda: bool(sink.frames))
        assert sink.frames[0].data == b"x" * 10
        plane.expect()
    assert [each.closed for each in factory.made] == [True]


def test_an_encoder_for_a_client_that_never_comes_ends_with_the_session(factory: Factory) -> None:
    with open_plane(last_shown={"main": shown(VideoCodec.VP8, VideoCodec.H264)}) as plane:
        plane.expect()
    plane.expect()
    assert [each.closed for each in factory.made] == [True, True]


def test_what_is_expected_is_what_clients_of_the_last_session_saw(factory: Factory) -> None:
    last_shown: dict[str, Shown] = {}
    with open_plane("main", "other", last_shown=last_shown) as plane:
        plane.expect()
        plane.subscribe("main", VideoCodec.VP8, Sink())
        plane.emit("main", rgb(1), None)
        plane.emit("main", rgb(2, 64, 48), None)
        plane.emit("other", rgb(1), None)
    assert last_shown == {"main": Shown(64, 48, frozenset({VideoCodec.VP8}))}
    assert factory.made == []


@pytest.mark.parametrize("emits", [False, True])
def test_a_session_that_nobody_saw_anything_of_changes_no_expectation(emits: bool) -> None:
    last_shown = {"main": shown(VideoCodec.VP8)}
    with open_plane(last_shown=last_shown) as plane:
        if emits:
            plane.emit("main", rgb(1, 64, 48), None)
        else:
            plane.subscribe("main", VideoCodec.H264, Sink())
    assert last_shown == {"main": shown(VideoCodec.VP8)}


def test_what_was_encoded_counts_while_its_encoding_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []

    def close(encoding: Encoding) -> None:
        counted.append(plane.encoded().encoded)
        end(encoding)
        counted.append(plane.encoded().encoded)

    end = Encoding.close
    monkeypatch.setattr(Encoding, "close", close)
    with open_plane() as plane:
        left, stays = Sink(), Sink()
        plane.subscribe("main", VideoCodec.VP8, left)
        plane.emit("main", rgb(1), None)
        assert plane.drain(5.0)
        plane.unsubscribe(left)
        plane.subscribe("main", VideoCodec.VP8, stays)
        plane.emit("main", rgb(2), None)
        assert plane.drain(5.0)
    first, then, both, after = counted
    assert 1 <= first == then < both == after == plane.encoded().encoded


def test_without_anybody_to_see_it_nothing_is_encoded_and_the_model_goes_on() -> None:
    with open_plane() as plane:
        plane.emit("main", rgb(1), None)
        assert plane.drain(5.0)

        assert plane.playout.counters.pictures == 1


def test_a_late_sink_sees_the_last_picture_of_a_silent_model() -> None:
    with open_plane() as plane:
        for value in range(3):
            plane.emit("main", rgb(value), None)
        assert plane.drain(5.0)
        late = Sink()
        plane.subscribe("main", VideoCodec.VP8, late)

        until(lambda: bool(late.frames))
        assert late.frames[0].key
        assert late.indexes == [2]


def test_a_late_sink_does_not_see_the_future() -> None:
    with open_plane(rate=10) as plane:
        early, late = Sink(), Sink()
        plane.subscribe("main", VideoCodec.VP8, early)
        plane.emit("main", np.stack([rgb(value) for value in range(8)]), None)
        until(lambda: len(early.frames) > 1)
        plane.subscribe("main", VideoCodec.VP8, late)
        assert plane.drain(5.0)

        assert late.indexes == sorted(late.indexes)
        assert late.indexes[0] > early.indexes[0]
        assert late.frames[0].key


def test_none_is_a_black_frame_of_the_current_size() -> None:
    with open_plane() as plane:
        plane.emit("main", None, None)
        assert newest(plane).shape == (*DEFAULT_SIZE, 3)
        plane.emit("main", rgb(200, 20, 30), None)
        plane.emit("main", None, None)

        latest = plane.latest("main")
        assert latest is not None
        assert latest.shape == (20, 30, 3)
        assert latest.max() == 0


def test_an_empty_batch_is_nothing() -> None:
    with open_plane() as plane:
        plane.emit("main", np.zeros((0, 8, 8, 3), np.uint8), None)

        assert plane.next_index("main") == 0
        assert plane.latest("main") is None


def test_a_frame_that_is_none_is_refused_in_the_authors_thread() -> None:
    with open_plane() as plane:
        with pytest.raises(FrameError):
            plane.emit("main", "frame", None)

        assert plane.next_index("main") == 0


def test_the_size_may_change_and_be_odd() -> None:
    with open_plane() as plane:
        sink = Sink()
        plane.subscribe("main", VideoCodec.VP8, sink)
        for height, width in ((16, 32), (17, 33), (64, 48)):
            plane.emit("main", rgb(1, height, width), None)
        assert plane.drain(5.0)

        assert [(f.width, f.height) for f in sink.frames] == [(32, 16), (34, 18), (48, 64)]
        assert [f.key for f in sink.frames] == [True, True, True]


def test_a_size_that_no_encoder_follows_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    with open_plane() as plane:
        plane.emit("main", rgb(1), None)
        assert not caplog.messages
        for _ in range(2):
            plane.emit("main", np.broadcast_to(rgb(1, 1, 1), (2200, 4000, 3)), None)
    (said,) = caplog.messages
    assert "'main'" in said
    assert "4000×2200" in said
    assert "cv2.resize(frame, (1920, 1056), interpolation=cv2.INTER_AREA)" in said


def test_tracks_have_their_own_numbers_and_encodes() -> None:
    with open_plane("left", "right") as plane:
        left, right = Sink(), Sink()
        plane.subscribe("left", VideoCodec.VP8, left)
        plane.subscribe("right", VideoCodec.VP8, right)
        for value in range(3):
            plane.emit("left", rgb(value), None)
            plane.emit("right", rgb(value), None)
        assert plane.drain(5.0)

        assert left.indexes == right.indexes == [0, 1, 2]


def test_the_author_may_reuse_the_array() -> None:
    with open_plane() as plane:
        frame = rgb(10)
        plane.emit("main", frame, None)
        frame[:] = 250

        assert newest(plane).max() <= 13


def test_what_nobody_watches_is_not_converted(monkeypatch: pytest.MonkeyPatch) -> None:
    converted: list[int] = []

    def counted(*args: Any) -> Any:
        converted.append(args[-1])
        return to_i420(*args)

    monkeypatch.setattr(rgb_module, "to_i420", counted)
    with open_plane() as plane:
        for value in range(3):
            plane.emit("main", rgb(value), None)
        assert plane.drain(5.0)
        assert converted == []
        sink = Sink()
        for codec in (VideoCodec.VP8, VideoCodec.H264):
            plane.subscribe("main", codec, sink)
        plane.emit("main", rgb(3), None)
        assert plane.drain(5.0)

        # The newcomers are shown what was there, and then the new one.
        assert sorted(set(sink.indexes)) == converted == [2, 3]


def test_closing_lets_go_of_every_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    died: list[weakref.ref[Any]] = []
    keep = plane_module.RgbFrame

    def watched(*args: Any) -> Any:
        frame = keep(*args)
        died.append(weakref.ref(frame))
        return frame

    monkeypatch.setattr(plane_module, "RgbFrame", watched)
    with open_plane(rate=1) as plane:
        plane.subscribe("main", VideoCodec.VP8, Sink())
        plane.emit("main", np.stack([rgb(value) for value in range(20)]), None)
    gc.collect()

    assert len(died) == 20
    assert all(ref() is None for ref in died)


def test_emitting_after_the_end_does_not_block() -> None:
    with open_plane(rate=1) as plane:
        plane.close()
        began = time.monotonic()
        for value in range(5):
            plane.emit("main", rgb(value), None)

        assert time.monotonic() - began < 1  # held back, it would take 4 s
        assert plane.playout.counters.dropped == 5


def test_peers_come_and_go_while_the_model_emits() -> None:
    with open_plane(rate=200) as plane:
        stop = threading.Event()

        def come_and_go() -> None:
            while not stop.is_set():
                sink = Sink()
                plane.subscribe("main", VideoCodec.VP8, sink)
                plane.unsubscribe(sink)

        visitors = [threading.Thread(target=come_and_go) for _ in range(3)]
        witness = Sink()
        plane.subscribe("main", VideoCodec.VP8, witness)
        for visitor in visitors:
            visitor.start()
        for value in range(60):
            plane.emit("main", rgb(value), None)
        stop.set()
        for visitor in visitors:
            visitor.join(5)
        assert plane.drain(5.0)

        dropped = sum(encoding.counters.dropped for encoding in plane.encodings)
        assert len(set(witness.indexes)) + dropped >= 60
        assert witness.indexes == sorted(witness.indexes)


def test_flushing_reaches_every_queue_of_every_codec() -> None:
    with open_plane(rate=1) as plane:
        sinks = {codec: Sink() for codec in VideoCodec}
        for codec, sink in sinks.items():
            plane.subscribe("main", codec, sink)
        plane.emit("main", np.stack([rgb(value) for value in range(8)]), None)
        until(lambda: all(sink.indexes == [0] for sink in sinks.values()))

        assert plane.flush() == 7
        plane.emit("main", rgb(200), None)
        assert plane.drain(5.0)

        assert [sink.indexes for sink in sinks.values()] == [[0, 8]] * len(sinks)


def test_sound_for_a_flushed_picture_does_not_wait_for_it() -> None:
    sound = Sound({"voice": AudioTrackConfig("voice", 48_000, 1)})
    plane = MediaPlane({"main": VideoTrackConfig("main", 1.0)}, 1.0, sound)
    try:
        plane.emit("main", np.stack([rgb(0), rgb(1)]), None)
        until(lambda: plane.playout.counters.pictures == 1)
        plane.flush()
        assert sound._departures.of(("main", 1)) is not None
    finally:
        plane.close()
        sound.close()
