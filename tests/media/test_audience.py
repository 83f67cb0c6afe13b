"""Who takes an encode: newcomers, losers, and what their networks carry. No thread, no encoder."""

from __future__ import annotations

import weakref

from reactor_runtime.media.audience import Audience

from .fakes import Sink


def with_sinks(count: int) -> tuple[Audience, list[Sink]]:
    audience, sinks = Audience(), [Sink() for _ in range(count)]
    for sink in sinks:
        audience.add(sink, None)
    return audience, sinks


def test_a_newcomer_gets_nothing_before_a_keyframe_and_then_everything() -> None:
    audience, (first,) = with_sinks(1)
    assert audience.receivers(key=False) == ()
    assert audience.receivers(key=True) == (first,)
    late = Sink()
    audience.add(late, None)
    assert audience.receivers(key=False) == (first,)
    assert audience.receivers(key=True) == audience.receivers(key=False) == (first, late)


def test_who_comes_twice_is_there_once_and_no_newcomer_again() -> None:
    audience, (sink,) = with_sinks(1)
    audience.receivers(key=True)
    audience.add(sink, 5)
    assert audience.sinks == (sink,)
    assert audience.receivers(key=False) == (sink,)
    assert audience.estimate(sink) == 5


def test_who_looks_at_the_sinks_sees_nobody_come_or_go() -> None:
    audience, (first, second) = with_sinks(2)
    before = audience.sinks
    audience.remove(first)
    audience.add(Sink(), None)
    assert before == (first, second)
    assert audience.sinks[0] is second


def test_an_estimate_is_of_one_who_is_there() -> None:
    audience, (first, second) = with_sinks(2)
    stranger = Sink()
    for sink, bits in ((first, 1), (second, 2), (stranger, 3)):
        audience.set_estimate(sink, bits)
    assert sorted(audience.estimates()) == [1, 2]
    assert audience.estimate(stranger) is None
    audience.remove(second)
    assert audience.estimates() == [1]
    assert audience.estimate(second) is None
    audience.set_estimate(first, 7)
    assert audience.estimates() == [7]


def test_an_estimate_from_before_it_came_counts() -> None:
    audience, sink = Audience(), Sink()
    audience.add(sink, 0)
    assert audience.estimates() == [0]


def test_silence_about_losses_lasts_until_the_last_of_them_asks_or_goes() -> None:
    audience, (first, second) = with_sinks(2)
    assert not audience.loses_silently()
    assert audience.note_loss(first, True)
    assert audience.note_loss(second, True)
    assert audience.note_loss(first, False)
    audience.remove(second)
    assert not audience.loses_silently()
    assert not audience.note_loss(second, True), "it is not there any more"


def test_who_went_as_a_newcomer_or_loser_comes_back_as_anybody_else() -> None:
    audience, (sink,) = with_sinks(1)
    audience.note_loss(sink, True)
    audience.remove(sink)
    audience.receivers(key=True)
    audience.add(sink, None)
    assert not audience.loses_silently()
    assert audience.receivers(key=False) == ()
    assert audience.receivers(key=True) == (sink,)


def test_after_clearing_nobody_is_held() -> None:
    audience, sinks = with_sinks(1)
    audience.set_estimate(sinks[0], 1)
    audience.note_loss(sinks[0], True)
    audience.clear()
    assert (audience.sinks, audience.estimates(), audience.loses_silently()) == ((), [], False)
    gone = weakref.ref(sinks.pop())
    assert gone() is None


def test_nor_is_one_who_left_before_a_keyframe_came() -> None:
    audience, sinks = with_sinks(1)
    audience.remove(sinks[0])
    gone = weakref.ref(sinks.pop())
    assert gone() is None
