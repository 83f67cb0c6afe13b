"""What the tracks of earlier sessions were: shapes alone."""

from __future__ import annotations

import pytest

from reactor_runtime.media.encoders import VideoCodec
from reactor_runtime.media.former import Former, Likely


def told(*tracks: str) -> Former:
    made = Former()
    for track in tracks:
        made.note_codec(track, VideoCodec.VP8)
        made.note_size(track, (720, 1280))
    return made


def test_a_track_is_likely_to_be_what_it_was() -> None:
    (likely,) = told("main").likely()
    assert likely == Likely("main", VideoCodec.VP8, height=720, width=1280)


def test_of_each_track_the_newest_counts() -> None:
    former = told("main", "map")
    former.note_codec("map", VideoCodec.H264)
    former.note_size("map", (32, 64))
    assert list(former.likely()) == [
        Likely("main", VideoCodec.VP8, height=720, width=1280),
        Likely("map", VideoCodec.H264, height=32, width=64),
    ]


@pytest.mark.parametrize("half", ["nothing", "codec", "size"])
def test_a_track_that_was_only_taken_or_only_shown_is_not_likely(half: str) -> None:
    former = Former()
    if half == "codec":
        former.note_codec("main", VideoCodec.VP8)
    if half == "size":
        former.note_size("main", (720, 1280))
    assert list(former.likely()) == []


def test_what_is_noted_meanwhile_disturbs_nobody_who_looks() -> None:
    former = told("main", "map")
    looking = former.likely()
    first = next(looking)
    former.note_codec("new", VideoCodec.H264)
    former.note_size("new", (16, 16))
    assert [first.track, *(each.track for each in looking)] == ["main", "map"]
    assert [each.track for each in former.likely()] == ["main", "map", "new"]
