from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from reactor_runtime import AudioIn, AudioOut, OutputTrack, Track, VideoIn, VideoModel, VideoOut, get_ctx
from reactor_runtime.authoring.tracks import default_track, tracks_of
from reactor_runtime.errors import ModelDefinitionError, NoSessionError, TrackDirectionError, TrackError

from .fakes import FakeSession, running


class Several(VideoModel):
    webcam = VideoIn()
    preview = VideoOut(rate=12)
    main = VideoOut(24, default=True)
    voice = AudioOut(rate=24_000, channels=2)
    mic = AudioIn()


def test_the_attribute_name_is_the_track_name():
    assert {
        name: (track.name, track.kind, track.direction) for name, track in tracks_of(Several).items()
    } == {
        "webcam": ("webcam", "video", "in"),
        "preview": ("preview", "video", "out"),
        "main": ("main", "video", "out"),
        "voice": ("voice", "audio", "out"),
        "mic": ("mic", "audio", "in"),
    }
    assert tracks_of(Several)["voice"].to_info().rate == 24_000
    assert repr(Several.main) == "VideoOut('main', rate=24, default=True)"


def test_a_model_without_tracks_has_main_video():
    class Plain(VideoModel):
        pass

    assert list(tracks_of(Plain)) == ["main_video"]
    session = FakeSession(Plain)
    with running(session):
        Plain().main_video.emit("frame")
    assert session.emitted == [("main_video", "frame", None)]


def test_inherited_tracks_come_after_own_ones_and_can_be_switched_off():
    class Mixin:
        extra = VideoOut()

    class Child(Mixin, Several):
        own = VideoOut()
        webcam = None
        preview = VideoOut(rate=60)

    assert list(tracks_of(Child)) == ["own", "preview", "extra", "main", "voice", "mic"]
    assert tracks_of(Child)["preview"].rate == 60
    assert tracks_of(Several)["preview"].rate == 12


def test_a_track_may_be_added_after_the_class_body():
    class Plain(VideoModel):
        pass

    Plain.late = VideoOut()
    assert tracks_of(Plain)["late"].name == "late"


def test_the_default_track():
    assert default_track(tracks_of(Several)).name == "main"
    assert default_track({"a": VideoIn(), "b": AudioOut(), "c": VideoOut()}).rate == 0
    assert default_track({"b": AudioOut(default=True), "c": VideoOut()}).kind == "audio"
    assert default_track({"a": VideoIn(), "b": AudioOut()}) is None


@pytest.mark.parametrize(
    "declare",
    [
        lambda: VideoOut(rate=-1),
        lambda: VideoOut(rate="24"),  # type: ignore[arg-type]  # refused
        lambda: VideoOut(rate=True),
        lambda: VideoOut(rate=math.nan),
        lambda: VideoOut(rate=48_000),
        lambda: VideoOut(default="yes"),  # type: ignore[arg-type]  # refused
        lambda: AudioOut(rate=0),
        lambda: AudioOut(rate=24_000.5),
        lambda: AudioOut(channels=3),
        lambda: AudioOut(channels=True),
        lambda: AudioOut(channels="2"),  # type: ignore[arg-type]  # refused
        lambda: AudioIn(rate=-48_000),
        lambda: Track(),
        lambda: OutputTrack(),
    ],
)
def test_nonsense_is_refused_where_it_is_declared(declare):
    with pytest.raises(ModelDefinitionError):
        declare()


def test_two_defaults_in_one_class():
    with pytest.raises(ModelDefinitionError, match="a and b are all declared with default=True"):

        class Two(VideoModel):
            a = VideoOut(default=True)
            b = VideoOut(default=True)


def test_a_child_may_choose_another_default():
    class Child(Several):
        other = VideoOut(default=True)

    assert default_track(tracks_of(Child)).name == "other"


def test_one_object_under_two_names():
    with pytest.raises(ModelDefinitionError, match="one and the same"):

        class Twice(VideoModel):
            a = b = VideoOut()


def test_a_track_cannot_hide_a_method():
    with pytest.raises(ModelDefinitionError, match="cannot be called 'reset'"):

        class Hides(VideoModel):
            reset = VideoOut()


def test_emit_goes_to_this_session_only():
    first, second = FakeSession(Several, 1), FakeSession(Several, 2)
    model = Several()
    with running(first):
        kept = model.main
        kept.emit("a", bucket=np.int64(4))
        assert kept is get_ctx().get_track() is get_ctx().get_track("main")
        assert kept.latest() == "a"
    with running(second):
        model.main.emit("b")
        with pytest.raises(NoSessionError, match=r"has ended.*get_ctx\(\)\.get_track\('main'\)"):
            kept.emit("c")
        with pytest.raises(NoSessionError):
            kept.latest()
    assert first.emitted == [("main", "a", 4)]
    assert second.emitted == [("main", "b", None)]


def test_outside_a_session_the_error_says_what_to_do():
    for track in (Several().main, Several.main, Several().webcam):
        with pytest.raises(TrackError, match=r"not attached to a session.*start_session"):
            track.latest()
    with pytest.raises(RuntimeError):
        Several().main.emit("frame")


def test_the_implicit_track_of_a_model_that_declares_others():
    with running(FakeSession(Several)), pytest.raises(TrackError, match="does not declare this track"):
        Several().main_video.emit("frame")


def test_inputs_cannot_emit():
    with running(FakeSession(Several)) as context:
        with pytest.raises(TrackDirectionError, match=r"'webcam' is VideoIn\('webcam'\) and has no emit"):
            context.get_track("webcam").emit("frame")
        with pytest.raises(TypeError, match=r"use latest\(\)"):
            context.get_track("main").read(3)


def test_inputs_give_the_newest_and_in_order():
    session = FakeSession(Several)
    session.inputs = {"webcam": "newest", "mic": [1, 2, 3]}
    with running(session):
        model = Several()
        assert model.webcam.latest() == "newest"
        assert model.mic.read(2) == [1, 2]
        for wrong in (0, -1, 1.5, True):
            with pytest.raises(TrackError, match="number of samples"):
                model.mic.read(wrong)


@pytest.mark.parametrize("bucket", [1.5, "1", object()])
def test_a_bucket_is_a_whole_number(bucket):
    with running(FakeSession(Several)) as context, pytest.raises(TrackError, match="whole number"):
        context.get_track().emit("frame", bucket=bucket)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"bitrate": -1}, "bitrate"),
        ({"bitrate": 1000}, "50000"),
        ({"bitrate": "4M"}, "bitrate"),
        ({"keyframe_interval": float("nan")}, "keyframe_interval"),
        ({"quality": "ultra"}, "'balanced'"),
    ],
)
def test_video_out_says_what_its_encoder_options_take(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelDefinitionError, match=said):
        VideoOut(**wrong)


def test_video_out_keeps_what_the_encoder_is_to_do() -> None:
    track = VideoOut(rate=24, bitrate=3_000_000, keyframe_interval=2, quality="best")
    assert (track.bitrate, track.keyframe_interval, track.quality) == (3_000_000, 2, "best")
