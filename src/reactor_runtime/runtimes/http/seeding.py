"""The seed that a client gives its session."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.session.seeds import SEED_LIMIT

if TYPE_CHECKING:
    from fastapi import Request

READ_LIMIT = 4 * 1024
"""Bytes of a body that is looked into; what old clients send beyond is theirs."""


async def seed_in(request: Request) -> int | None:
    """`seed` in a JSON object; None where the body is anything else. Raises `RefusedError`."""
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > READ_LIMIT:
        return None
    try:
        body: Any = json.loads(await request.body())
    except (ValueError, RecursionError):
        return None  # no JSON: an older client
    seed = body.get("seed") if isinstance(body, dict) else None
    if seed is None:
        return None
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < SEED_LIMIT:
        words = f"A seed is a whole number from 0 to {SEED_LIMIT - 1}."
        raise RefusedError(Refusal.INVALID, "invalid_request", words)
    return seed
