"""Who loses something and does not ask."""

from __future__ import annotations

from reactor_runtime.clients.loss_watch import MEMORY_S, PATIENCE_S, LossWatch


def test_without_loss_nobody_is_helped() -> None:
    watch = LossWatch()
    assert not any(watch.silent(float(now), 0, 0) for now in range(120))


def test_a_loss_without_a_request_is_told_after_a_while() -> None:
    watch = LossWatch()
    assert not watch.silent(0.0, 3, 0)
    assert not watch.silent(PATIENCE_S * 0.9, 3, 0)
    assert watch.silent(PATIENCE_S, 3, 0)
    assert watch.silent(MEMORY_S, 3, 0)


def test_one_packet_is_a_loss() -> None:
    watch = LossWatch()
    watch.silent(0.0, 1, 0)
    assert watch.silent(PATIENCE_S, 1, 0)


def test_who_has_asked_once_will_again_though_its_reports_begin_anew() -> None:
    watch = LossWatch()
    watch.silent(0.0, 3, 1)
    assert not watch.silent(1.0, 4, 0)
    assert not watch.silent(1.0 + PATIENCE_S, 4, 0)


def test_who_asks_is_not_helped_again_however_much_it_loses() -> None:
    watch = LossWatch()
    assert not watch.silent(0.0, 3, 0)
    assert not watch.silent(PATIENCE_S, 3, 1)
    assert not any(watch.silent(now, int(now), 1) for now in (10.0, 20.0, 30.0))


def test_one_that_asks_late_needs_no_help_from_then_on() -> None:
    watch = LossWatch()
    watch.silent(0.0, 3, 0)
    assert watch.silent(2.0, 5, 0)
    assert not watch.silent(4.0, 5, 1)


def test_a_network_that_has_healed_is_forgotten_and_a_further_loss_remembered() -> None:
    watch = LossWatch()
    watch.silent(0.0, 3, 0)
    assert not watch.silent(MEMORY_S * 1.01, 3, 0)
    assert not watch.silent(100.0, 4, 0)
    assert watch.silent(100.0 + PATIENCE_S, 4, 0)


def test_a_total_that_falls_is_no_loss() -> None:
    watch = LossWatch()
    watch.silent(0.0, 3, 0)
    assert not watch.silent(MEMORY_S * 1.01, 1, 0)
    assert not watch.silent(MEMORY_S * 1.01 + PATIENCE_S, 2, 0)
