"""Tokens of the gateway for its workers are used again, and not for too long."""

from __future__ import annotations

from reactor_runtime.fleet.engine import Endpoint
from reactor_runtime.fleet.fleet import Serving
from reactor_runtime.fleet.gateway import passes
from reactor_runtime.fleet.gateway.passes import Passes
from reactor_runtime.runtimes.access.credentials import Keys, TokenRole

SECRET = "a worker's secret, long enough"


def serving(session: str) -> Serving:
    return Serving(session, "w1", Endpoint("127.0.0.1", 9, SECRET), "ticket", "address", None)


def test_a_token_is_used_again_and_always_true() -> None:
    now = [1e9]
    made, keys = Passes(lambda: now[0]), Keys((SECRET,), lambda: now[0])
    first = made.token(SECRET, TokenRole.CONTROL, serving("one"))
    assert made.token(SECRET, TokenRole.CONTROL, serving("one")) == first
    assert made.token(SECRET, TokenRole.VIEW, serving("one")) != first
    assert made.token(SECRET, TokenRole.CONTROL, serving("two")) != first
    for leap in (passes.AGAIN_S, 3600.0, -7200.0):
        now[0] += leap
        token = made.token(SECRET, TokenRole.CONTROL, serving("one"))
        assert token != first
        grant = keys.read(token.encode())
        assert grant is not None
        assert grant.session == "one"
        assert grant.expires == now[0] + passes.TOKEN_S
        first = token
