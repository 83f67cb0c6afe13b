from __future__ import annotations

import threading
from typing import Any

from reactor_runtime.media.steps import Steps


def elsewhere(work: Any) -> Any:
    result: list[Any] = []
    thread = threading.Thread(target=lambda: result.append(work()))
    thread.start()
    thread.join()
    return result[0]


def test_sound_after_its_picture() -> None:
    steps = Steps()
    for first in (0, 16, 32):
        steps.picture_emitted(("video", first), 16, None)
        assert steps.picture_of_sound(None) == ("video", first)


def test_sound_before_its_picture() -> None:
    steps = Steps()
    assert steps.picture_of_sound(None) is None  # nobody knows yet that pictures will come
    for first in (0, 16):
        steps.picture_emitted(("video", first), 16, None)
        assert steps.picture_of_sound(None) == ("video", first + 16)


def test_an_occasional_sound_keeps_the_order_of_the_first_step() -> None:
    steps = Steps()
    for first in range(10):
        steps.picture_emitted(("video", first), 1, None)
    assert steps.picture_of_sound(None) == ("video", 9)


def test_another_thread_is_another_matter() -> None:
    steps = Steps()
    steps.picture_emitted(("video", 0), 1, None)
    assert elsewhere(lambda: steps.picture_of_sound(None)) is None
    assert not steps.together
    assert elsewhere(lambda: steps.picture_of_sound(7)) == ("video", 1)


def test_an_explicit_bucket_says_it_outright() -> None:
    steps = Steps()
    steps.picture_emitted(("video", 4), 2, 7)
    assert steps.picture_of_sound(7) == ("video", 4)
    assert steps.picture_of_sound(8) == ("video", 6)


def test_regular_means_two_steps_with_sound() -> None:
    steps = Steps()
    seen = []
    for first, sounds in enumerate([True, True, True, False, True]):
        steps.picture_emitted(("video", first), 1, None)
        seen.append(steps.regular)
        if sounds:
            steps.picture_of_sound(None)
    assert seen == [False, False, True, True, False]
