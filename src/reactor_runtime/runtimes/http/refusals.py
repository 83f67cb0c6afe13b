"""What HTTP says of a refusal: the one table from kinds to statuses."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reactor_runtime.errors import Refusal

STATUSES: Mapping[Refusal, int] = MappingProxyType(
    {
        Refusal.INVALID: 400,
        Refusal.UNAUTHENTICATED: 401,
        Refusal.FORBIDDEN: 403,
        Refusal.NOT_FOUND: 404,
        Refusal.TIMED_OUT: 408,
        Refusal.CONFLICT: 409,
        Refusal.TOO_LARGE: 413,
        Refusal.RATE_LIMITED: 429,
        Refusal.BUSY: 503,
        Refusal.UNAVAILABLE: 503,
    }
)
