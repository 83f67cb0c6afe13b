"""What a session is called: by a name that every SDK knows, or by one that nobody can guess."""

from __future__ import annotations

import hmac
import secrets

from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.protocol.descriptor import LOCAL_SESSION_ID


def new(private: bool) -> str:
    """With tokens, an id that cannot be guessed; without, the one that every SDK knows."""
    return secrets.token_urlsafe(16) if private else LOCAL_SESSION_ID


def check(given: str, running: str) -> None:
    """`local` is always meant; anything else must be the running session. Raises `RefusedError`."""
    same = hmac.compare_digest(given.encode("utf-8", "replace"), running.encode())
    if given != LOCAL_SESSION_ID and not (running and same):
        raise RefusedError(Refusal.NOT_FOUND, "unknown_session", "Session not found.")
