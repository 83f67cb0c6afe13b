"""How commands end, counted by names from a bounded set."""

from __future__ import annotations

from reactor_runtime.clients.outcomes import KNOWN_CODES
from reactor_runtime.clients.roles import NotControllerError
from reactor_runtime.errors import RateLimitedError


def test_what_the_runtime_says_itself_is_counted_by_its_name() -> None:
    assert NotControllerError().code in KNOWN_CODES
    assert RateLimitedError("").code in KNOWN_CODES
    assert {"ok", "superseded", "released", "session_ended", "result_too_large"} <= KNOWN_CODES


def test_what_an_author_may_say_is_not() -> None:
    assert "refused" not in KNOWN_CODES
    assert "unknown" not in KNOWN_CODES
