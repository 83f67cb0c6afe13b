"""What a route asks of who calls it. The door has looked at the credentials; these look at the role."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from reactor_runtime.errors import Refusal, RefusedError

from .access import VISIT, Visit
from .credentials import EVERYBODY, Grant

if TYPE_CHECKING:
    from reactor_runtime.session.session import Session


def visit(request: Request) -> Visit:
    """Without a door in front, as in tests of the routes alone, everybody may do everything."""
    found = request.scope.get(VISIT)
    return found if isinstance(found, Visit) else Visit(EVERYBODY)


async def _visit(request: Request) -> Visit:
    """A coroutine, as every dependency here: FastAPI takes a thread for each other one."""
    return visit(request)


Asking = Annotated[Visit, Depends(_visit)]


async def _rules(asking: Asking) -> None:
    if not asking.grant.rules:
        raise RefusedError(Refusal.FORBIDDEN, "admin_only", "This needs a token of the role admin.")


async def _controls(asking: Asking) -> None:
    if not asking.grant.may_control:
        raise ViewOnlyError


class ViewOnlyError(RefusedError):
    def __init__(self) -> None:
        super().__init__(
            Refusal.FORBIDDEN,
            "view_only",
            "This token is for watching: it starts, controls and ends nothing.",
        )


PASSED_ON = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "via")
"""What proxies add to a request."""
ADMIN, CONTROL = Depends(_rules), Depends(_controls)
"""Among the `dependencies` of a route."""


def check_scope(grant: Grant, session: Session | None) -> None:
    """Raises `RefusedError` when a token is for one session, and another one or none is running."""
    if grant.session is not None and (session is None or session.session_id != grant.session):
        raise RefusedError(
            Refusal.FORBIDDEN, "wrong_session", "This token is for another session than the one here now."
        )


def check_may_stop(grant: Grant, session: Session | None) -> None:
    """Raises `RefusedError` when the session is somebody else's, or the token is for watching."""
    if not grant.may_control:
        raise ViewOnlyError
    if session is not None and not grant.rules and grant.session is None and session.owner != grant.subject:
        raise RefusedError(
            Refusal.FORBIDDEN, "not_your_session", "Somebody else started this session; it is theirs to end."
        )


def hears_why(grant: Grant, request: Request) -> bool:
    """Whether a request comes from the machine itself, where an exception's own words are no secret.

    A proxy or a tunnel on this machine comes from loopback too, but with the name or the headers of a client.
    """
    host = request.client.host if request.client else ""
    passed_on = any(name in request.headers for name in PASSED_ON)
    return grant.rules and is_loopback(host) and is_loopback(request.url.hostname or "") and not passed_on


def is_loopback(name: str) -> bool:
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
