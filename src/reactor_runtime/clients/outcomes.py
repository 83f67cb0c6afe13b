"""How commands end, in words from a bounded set."""

from __future__ import annotations

KNOWN_CODES = frozenset(
    {
        "ok",
        "superseded",
        "released",
        "unknown_command",
        "invalid_command",
        "rate_limited",
        "internal_error",
        "result_too_large",
        "not_controller",
        "session_ended",
    }
)
"""Outcomes of commands by name; an author's own codes are counted together as `refused`. `released` is what
the runtime calls itself when a client goes that held something."""
