"""The worker's own observers of a session: what the journal and the metrics take from it. Event loop only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reactor_runtime.session.observers import Observers, SessionObserver

if TYPE_CHECKING:
    from reactor_runtime.session.outcome import ModelOutcome
    from reactor_runtime.session.session import Session

    from .journal import Journal
    from .metrics import Metrics
    from .worker import Worker


def observers_of(worker: Worker, number: int) -> Observers:
    """Both live on the event loop, and are told there."""
    journal, metrics = JournalObserver(worker.journal, number), MetricsObserver(worker.metrics)
    return Observers([(journal, worker.call), (metrics, worker.call)])


class JournalObserver(SessionObserver):
    """Paths and lines of leaks, never values: what one user typed is not for the next one who asks."""

    def __init__(self, journal: Journal, session: int) -> None:
        self._journal = journal
        self._session = session

    def model_ended(self, outcome: ModelOutcome) -> None:
        for hook, error in (("start_session", outcome.error), ("reset", outcome.reset_error)):
            if error is not None:
                self._journal.add("error", session=self._session, where=hook)
        for finding in outcome.report.findings if outcome.report is not None else ():
            self._journal.add("leak", session=self._session, **finding.public())

    def closing(self, reason: str) -> None:
        if reason:
            self._journal.add("session_ended", session=self._session, reason=reason)


class MetricsObserver(SessionObserver):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._session: Session | None = None

    def started(self, session: Session) -> None:
        self._session = session

    def model_ended(self, outcome: ModelOutcome) -> None:
        if outcome.report is not None:
            self._metrics.leaked(len(outcome.report.findings) + outcome.report.untold)

    def closing(self, reason: str) -> None:
        if reason and self._session is not None:
            self._metrics.session_ended(reason, self._session)
