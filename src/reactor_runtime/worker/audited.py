"""What the leak audit found, for whoever runs the server. Event loop only.

Paths and lines, never values: what one user typed is not for the next one who asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .worker import Worker


def describe(worker: Worker) -> dict[str, Any]:
    """For `GET /session`: the mode, how much was found so far, and where after the last session."""
    audit = worker.executor.audit
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
