"""What the worker's own observers take from a session."""

from __future__ import annotations

from reactor_runtime import VideoModel, VideoOut, model
from reactor_runtime.authoring.description import describe
from reactor_runtime.session.session import Session
from reactor_runtime.session.states import EndReason
from reactor_runtime.worker.metrics import Metrics
from reactor_runtime.worker.watching import MetricsObserver


@model(name="watched")
class Watched(VideoModel):
    video = VideoOut()


def ended(metrics: Metrics, reason: str) -> float | None:
    return metrics.registry.get_sample_value("reactor_sessions_total", {"reason": reason})


def test_a_session_is_counted_by_the_reason_of_its_end_and_by_no_text() -> None:
    metrics = Metrics("watched")
    for reason in (EndReason.STOPPED.value, "the cat did it", "the dog did it", ""):
        session = Session(1, "local", describe(Watched), lambda _: None)
        observer = MetricsObserver(metrics)
        observer.started(session)
        observer.closing(reason)
        session.close()

    assert ended(metrics, "stopped") == 1
    assert ended(metrics, "other") == 2
    assert ended(metrics, "the cat did it") is None
    assert ended(metrics, "") is None
