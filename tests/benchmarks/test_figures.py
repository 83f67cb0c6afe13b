"""What is made of the figures of a side-by-side run."""

from __future__ import annotations

import pytest
from side_by_side.figures import METRICS, Metric, best, judge, medians
from side_by_side.report import markdown
from side_by_side.scenario import Frames
from side_by_side.turns import in_turns
from side_by_side.versions import changes

LATENCY = Metric("p50", "latency", "ms", ratio=1 / 4, limit=100)


@pytest.mark.parametrize(
    ("ours", "others", "ratio", "passed"),
    [
        (20, [100, 80], 0.25, True),
        (21, [100, 80], 0.2625, False),
        (101, [1000], 0.101, False),
        (20, [], None, True),
        (120, [], None, False),
    ],
)
def test_the_better_of_the_others_is_the_bar(ours, others, ratio, passed):
    verdict = judge(LATENCY, {"p50": ours}, [{"p50": other} for other in others])
    assert (verdict.ratio, verdict.passed) == (ratio, passed)
    assert verdict.bar == "≤ 1/4 of theirs, ≤ 100 ms"


def test_a_missing_figure_is_no_verdict():
    verdict = judge(LATENCY, {}, [{"p50": 80}])
    assert (verdict.ratio, verdict.passed) == (None, None)


def test_more_can_be_better():
    assert best(Metric("fps", "frames", "", more=True), [{"fps": 20}, {"fps": 30}, {}]) == 30


def test_medians_are_over_the_rounds_that_have_the_figure():
    assert medians([{"a": 1, "b": 5}, {"a": 9}, {"a": 2}]) == {"a": 2, "b": 5}


def test_every_metric_has_a_key_of_its_own():
    assert len({metric.key for metric in METRICS}) == len(METRICS)


def frames(*rows: tuple[float, float, int]) -> Frames:
    return Frames([(at, sent, counter, 0) for at, sent, counter in rows])


def test_repeated_frames_are_no_delivery_and_end_no_freeze():
    seen = frames((10, 0, 1), (43, 33, 2), (76, 33, 2), (1076, 1066, 5))
    assert seen.distinct == 3
    assert seen.emitted == 5
    assert seen.longest_gap() == 1033


def test_the_clock_may_wrap_between_sender_and_receiver():
    wrap = (1 << 32) / 10
    assert frames((wrap + 5, wrap - 3, 1)).latencies == pytest.approx([8])


def test_the_report_names_what_passed_and_why_a_cell_is_empty():
    def outcome(figures, reasons=None, error=""):
        return {"figures": figures, "reasons": reasons or {}, "codec": "video/VP8", "error": error}

    described = {"distribution": "x", "version": "1", "ours": False, "public": True}
    text = markdown(
        {
            "date": "2026-01-01",
            "machine": "a machine",
            "noise": "It was quiet.",
            "picture_ms": 0.5,
            "rounds": 1,
            "contenders": {"ours": {**described, "ours": True, "public": False}, "public 9": described},
            "sizes": {
                "832x480": {
                    "ours": [outcome({"latency_p50_ms": 10.0, "viewer_ms_per_frame": 0.5})],
                    "public 9": [
                        outcome({"latency_p50_ms": 100.0}, {"viewer_ms_per_frame": "one peer only"})
                    ],
                }
            },
        }
    )
    assert "## Through a tunnel" in text
    assert "| emit → decoded, p50, ms | 10.0 | 100.0 | 1/10.0 | ≤ 1/4 of theirs | pass | - |" in text
    assert "| sender CPU per frame and added viewer, ms | 0.5 | - (1) |" in text
    assert "1. public 9: one peer only." in text


@pytest.mark.parametrize(
    ("key", "before", "now", "again", "worse"),
    [
        ("latency_p50_ms", 10, 10.2, 10.2, False),
        ("latency_p50_ms", 10, 10.4, 10.4, True),
        ("latency_p50_ms", 10, 10.0, 10.8, False),
        ("latency_p50_ms", 10, 5, 5, False),
        ("fps", 30, 28, 28, True),
        ("fps", 30, 31, 31, False),
        ("mbit_s", 3, 2, 2, True),
    ],
)
def test_a_version_is_worse_only_beyond_what_the_same_one_differs_by(key, before, now, again, worse):
    (change,) = changes([{key: before}], [{key: now}], [{key: again}])
    assert change.worse is worse


def test_figures_that_one_of_them_lacks_are_not_compared():
    assert changes([{"fps": 30}], [{"fps": 30}], [{"rss_mib": 100}]) == []


def test_a_machine_that_slows_down_between_rounds_makes_no_version_worse():
    speeds = (1.0, 1.4, 0.9)
    before, now, again = ([{"rss_mib": base * speed} for speed in speeds] for base in (100, 101, 102))
    (change,) = changes(before, now, again)
    assert change.change == pytest.approx(0.015)
    assert change.spread == pytest.approx(102 / 101 - 1)


def test_a_round_that_one_of_them_lacks_is_left_out():
    (change,) = changes([{}, {"fps": 30}], [{"fps": 1}, {"fps": 30}], [{"fps": 1}, {"fps": 30}])
    assert (change.change, change.now) == (0, 30)


def test_the_pair_is_as_far_apart_whichever_of_it_is_the_slower():
    (one,), (other,) = (changes([{"cores": 1}], [{"cores": a}], [{"cores": b}]) for a, b in ((1, 2), (2, 1)))
    assert one.spread == other.spread == 1


def test_nobody_is_always_the_first():
    assert list(in_turns("abc", 4)) == list("abcbcacababc")
