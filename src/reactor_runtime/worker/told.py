"""What clients and who sits at the machine are told of a model that fails or does not return."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.session.losses import Lost

if TYPE_CHECKING:
    from reactor_runtime.clients.clients import Clients
    from reactor_runtime.protocol.message_format import MessageFormat, Outgoing
    from reactor_runtime.session.causes import Cause, Causes
    from reactor_runtime.session.life import Life
    from reactor_runtime.session.session import Session

log = logging.getLogger(__name__)

UNANSWERED = frozenset({"on_media", "reset"})
"""Hooks whose failure is nobody's answer: everybody who is there hears of it."""


class NoCauseError(RefusedError):
    def __init__(self) -> None:
        super().__init__(
            Refusal.NOT_FOUND,
            "unknown_reference",
            "No failure with this reference is remembered; see the log.",
        )


class CauseElsewhereError(RefusedError):
    def __init__(self) -> None:
        super().__init__(
            Refusal.FORBIDDEN,
            "not_local",
            "An exception's words are told on the machine itself; look in the server's log.",
        )


def failure(clients: Clients, cause: Cause) -> None:
    """Event loop. No exception's own words: those are for who asks on the machine itself."""
    if cause.hook not in UNANSWERED:
        return
    data = {"hook": cause.hook, "reference": cause.reference, "message": _words(cause)}
    clients.broadcast(lambda form: form.runtime("modelError", data))


def reset_failed(causes: Causes) -> str | None:
    """For who ended the session, and has gone before `reset` ran."""
    cause = causes.newest("reset")
    return None if cause is None else _words(cause)


def _words(cause: Cause) -> str:
    return f"The model's {cause.hook} failed (reference {cause.reference})."


def hung(life: Life, now: float) -> dict[str, Any]:
    """For `/health`: that the model of the last session has not returned, for how long, and until when."""
    found = life.hung(now)
    if found is None:
        return {}
    since, left = found
    ends = (
        "" if left is None else f" If it does not, the server ends in {left:.0f} s and can be started again."
    )
    return {
        "code": "session_closing",
        "detail": (
            f"The last session is over, but the model has been in its last step for {since:.0f} s and does "
            f"not look whether it should stop. The next session begins when it returns.{ends}"
        ),
        "closing_for": round(since, 1),
        "ends_in": None if left is None else round(left, 1),
    }


def messages(clients: Clients | None, session: Session) -> None:
    """Send what the model has said to those who are there; `clients` is None for a session that is over."""
    for text in session.outbox.take():
        heard = clients is not None and clients.broadcast(partial(_application, text))
        if not heard and not session.lost.add(Lost.UNHEARD):
            log.info(
                "Session %d: the model sends messages while nobody is connected; they are counted, not kept",
                session.number,
            )


def _application(text: str, message_format: MessageFormat) -> Outgoing:
    return message_format.application(text)
