"""What the leak audit found, for whoever runs the server. Event loop only.

Paths and lines, never values: what one user typed is not for the next one who asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .runtime import Runtime


def describe(runtime: Runtime) -> dict[str, Any]:
    """For `GET /session`: the mode, how much was found so far, and where after the last session."""
    audit = runtime.host.audit
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


def note(runtime: Runtime) -> None:
    """A session has ended and was looked at: put each leak into the journal, and count them."""
    report = runtime.host.audit.last
    if report is None or report.session != runtime.life.number:
        return
    for finding in report.findings:
        runtime.note("leak", **finding.public())
    runtime.metrics.leaked(len(report.findings) + report.untold)
