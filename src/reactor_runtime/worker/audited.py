"""What the leak audit found, for whoever runs the server. Event loop only.

Paths and lines, never values: what one user typed is not for the next one who asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .worker import Worker


def describe(runtime: Worker) -> dict[str, Any]:
    """For `GET /session`: the mode, how much was found so far, and where after the last session."""
    audit = runtime.executor.audit
    report = audit.last
    last = None
    if report is not None:
        last = {
            "session": report.session,
            "leaks": [finding.public() for finding in report.findings],
            "untold": report.untold,
            "not_looked_at": report.left_out,
            "problem": report.problem,
        }
    return {"mode": audit.mode.value, "leaks": audit.leaks, "last": last}


def note(runtime: Worker) -> bool:
    """A session has ended and was looked at: put each leak into the journal, and count them. True when no
    other session may follow on this model."""
    report = runtime.executor.audit.last
    if report is None or report.session != runtime.life.number:
        return False
    for finding in report.findings:
        runtime.note("leak", **finding.public())
    runtime.metrics.leaked(len(report.findings) + report.untold)
    return runtime.executor.audit.must_rebuild
