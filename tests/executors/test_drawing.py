"""What an author draws on a client's picture stays there."""

from __future__ import annotations

from typing import Any

import numpy as np

from reactor_runtime import VideoIn, VideoModel, get_ctx, model

from .rig import WITHIN, rig
from .test_thread import until

GREY = np.full((16, 16, 3), 77, np.uint8)


def test_drawing_in_on_media_changes_nothing_for_others() -> None:
    seen: list[Any] = []

    @model("draws")
    class Draws(VideoModel):
        webcam = VideoIn()

        def on_media(self, bundle: Any) -> None:
            bundle.get_track("webcam").data[:] = 255
            seen.append(get_ctx().get_track("webcam").latest())

        def start_session(self) -> None:
            while not get_ctx().wait_stop(0.5):
                pass

    given = GREY.copy()
    with rig(Draws) as made:
        session = made.begin()
        done = made.run(session)
        until(session.timeline.entered.is_set)
        made.host.media(session, "webcam", given)
        until(lambda: seen)
        session.stop()
        done.result(WITHIN)
        made.end(session)
    assert np.array_equal(seen[0], GREY)
    assert np.array_equal(given, GREY)
