"""What the leak audit found, for whoever runs the server. Event loop only.

Paths and lines, never values: what one user typed is not for the next one who asks.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from reactor_runtime.errors import ReactorError

if TYPE_CHECKING:
    from .runtime import Runtime

log = logging.getLogger(__name__)


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


async def rebuild(runtime: Runtime) -> None:
    """Under a strict audit, build a model anew that has leaked, before its slot is free."""
    if not runtime.host.audit.must_rebuild or runtime.life.leaving:
        return
    log.warning("The model has kept something of its last user and is built again (--audit strict)")
    try:
        await runtime.rebuild()
    except ReactorError as error:
        log.error("The model could not be built again: %s", error)  # noqa: TRY400  # its line is in the text
        runtime.fail(str(error))
