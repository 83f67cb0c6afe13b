"""When a keyframe is due."""

from __future__ import annotations

from reactor_runtime.media.keyframes import REPEAT_S, REQUEST_INTERVAL_S, Keyframes


def keys(made: Keyframes, until: float, step: float = 0.5, since: float = 0.0) -> list[float]:
    """The times of those that are made when a picture comes every `step` seconds."""
    times = [since + number * step for number in range(int((until - since) / step))]
    return [now for now in times if made.take(now)]


def begun(interval: float = 0.0) -> Keyframes:
    made = Keyframes(interval)
    made.welcome()
    assert made.take(0.0)
    return made


def test_none_comes_without_being_asked_for() -> None:
    assert keys(begun(), 60.0, since=0.5) == []


def test_before_anybody_has_come_none_is_due() -> None:
    made = Keyframes()
    assert made.due(1.0) is None
    made.repeat = True
    assert made.due(1.0) is None, "no picture has been there that another would repeat"
    assert not made.take(1.0)


def test_requests_are_answered_no_more_often_than_the_throttle_lets() -> None:
    made = begun()
    made.request()
    assert made.due(0.1) == REQUEST_INTERVAL_S
    assert not made.take(0.1)
    assert made.take(REQUEST_INTERVAL_S)
    assert made.due(1.0) is None


def test_a_newcomer_is_not_held_up() -> None:
    made = begun()
    made.welcome()
    assert made.take(0.01)


def test_while_somebody_loses_and_does_not_ask_they_repeat() -> None:
    made = begun()
    made.repeat = True
    assert keys(made, 13.0, since=0.5) == [REPEAT_S, 2 * REPEAT_S, 3 * REPEAT_S]
    made.repeat = False
    assert keys(made, 60.0, since=13.0) == []


def test_one_that_was_asked_for_counts_as_one_of_them() -> None:
    made = begun()
    made.repeat = True
    assert keys(made, 3.0, since=0.5) == []
    made.request()
    assert made.take(3.0)
    assert keys(made, 8.0, since=3.5) == [3.0 + REPEAT_S]


def test_behind_a_keyframe_nothing_is_repeated_for_a_model_that_is_silent() -> None:
    made = begun()
    made.repeat = True
    assert made.due(60.0) is None
    assert not made.take(1.0)
    assert made.due(2.0) == REPEAT_S


def test_an_interval_of_the_author_is_kept() -> None:
    assert keys(begun(interval=1.0), 4.0, since=0.5) == [1.0, 2.0, 3.0]
