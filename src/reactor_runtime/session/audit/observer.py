"""The audit beside the sessions of one host: called on the model thread, before and after each of them."""

from __future__ import annotations

import contextvars
import logging
import traceback
from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from reactor_runtime.authoring.spec import spec_of
from reactor_runtime.session.seeds import seed_generators

from .audit import Audit, Report
from .findings import Finding

if TYPE_CHECKING:
    from reactor_runtime.session.session import Session

log = logging.getLogger(__name__)


class AuditMode(StrEnum):
    """What follows from a leak: nothing is looked at; it is told; the model is also built again."""

    OFF = "off"
    WARN = "warn"
    STRICT = "strict"


class SessionAudit:
    """Tells what each session has left. Model thread, but for `last` and `leaks`."""

    def __init__(self, model_class: type, mode: AuditMode = AuditMode.WARN) -> None:
        self.mode = mode
        self.last: Report | None = None
        """Of the last session; None before the first has ended, and where nothing is looked at."""
        self.leaks = 0
        """Of all sessions so far."""
        self.must_rebuild = False
        """No session may follow on this model."""
        self._model_class = model_class
        self._audit: Audit | None = None

    def loaded(self, model: object, contexts: Iterable[contextvars.Context]) -> None:
        """The model was built, for the first time or again."""
        if self.mode is AuditMode.OFF:
            return
        spec = spec_of(self._model_class)
        self._audit = Audit(self._model_class, spec.file.parent, spec.keep)
        self._audit.begin(model, contexts)
        self.must_rebuild = False

    def where(self, path: str) -> str:
        """The author's line that assigns what lies at a path; empty where none is found."""
        return "" if self._audit is None else self._audit.where(path)

    def begins(self, session: Session) -> None:
        """A session is about to run."""
        seed_generators(session.seed)

    def ended(
        self,
        model: object,
        session: Session,
        contexts: Iterable[contextvars.Context],
        reset_error: BaseException | None = None,
    ) -> Report | None:
        """A session and `reset` have run; `reset_error` is what it raised. None if nobody looks."""
        if self._audit is None:
            return None
        for file in session.uploads.complete():
            session.given.note_file(file.name, file.path)
        report = self._audit.end(model, session.number, session.given.freeze(), contexts)
        if reset_error is not None:
            report = replace(
                report, findings=(_failed_reset(self._model_class, reset_error), *report.findings)
            )
        self.last = report
        self.must_rebuild = self.mode is AuditMode.STRICT and not report.clean
        self.leaks += len(report.findings) + report.untold
        _log(report)
        return report


def _failed_reset(model_class: type, error: BaseException) -> Finding:
    frames = traceback.extract_tb(error.__traceback__)
    return Finding(
        f"{model_class.__name__}.reset()",
        "to set the model back",
        f"unfinished: it raised {type(error).__name__}",
        where=f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "",
        advice="Mend reset(): what it did not reach stays for the next user.",
    )


def _log(report: Report) -> None:
    for finding in report.findings:
        log.warning("leak: %s", finding.sentence)
    if report.untold:
        log.warning("leak: and %d more values of session %d", report.untold, report.session)
    if report.left_out:
        log.info("The leak audit of session %d did not look at %d objects", report.session, report.left_out)
