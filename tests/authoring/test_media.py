from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from reactor_runtime import MediaBundle, TrackData, TrackDirection, TrackKind
from reactor_runtime.transports.media import TrackInfo


def test_a_bundle_of_one_frame():
    frame = np.zeros((2, 3, 3), np.uint8)
    bundle = MediaBundle.from_video_frame(frame, "webcam")
    assert bundle.get_track("webcam").data is frame
    assert bundle.get_track("webcam").info == TrackInfo("webcam", TrackKind.VIDEO, 0.0, TrackDirection.IN)
    assert bundle.get_track("other") is None


def test_a_bundle_by_kind():
    video = TrackData(TrackInfo("v", TrackKind.VIDEO), np.zeros((1, 1, 3)))
    audio = TrackData(TrackInfo("a", TrackKind.AUDIO), np.zeros((1, 1)))
    bundle = MediaBundle({"v": video, "a": audio})
    assert bundle.get_tracks() == [video, audio]
    assert bundle.get_tracks_by_kind("audio") == [audio]
    assert list(bundle.video_only().tracks) == ["v"]
    assert MediaBundle().get_tracks() == []


def test_kinds_and_directions_are_plain_words():
    assert json.dumps([TrackKind.VIDEO, TrackDirection.OUT]) == '["video", "out"]'
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrackInfo("v", TrackKind.VIDEO).name = "w"
