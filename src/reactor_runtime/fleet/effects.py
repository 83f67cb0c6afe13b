"""What the broker wants done. Its caller carries these out, in order; the broker touches nothing itself."""

from __future__ import annotations

from dataclasses import dataclass

from .records import Lease


@dataclass(frozen=True, slots=True)
class Grant:
    """Tell the worker that it serves this lease."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class Revoke:
    """Tell the worker that a lease is over; it reports `freed` when its slot is."""

    worker: str
    epoch: int
    reason: str


@dataclass(frozen=True, slots=True)
class Told:
    """Something changed for a ticket: tell whoever watches it."""

    ticket: str


@dataclass(frozen=True, slots=True)
class ScaleUp:
    """Start one more worker; answer with `worker_starting` or `scale_failed`."""


@dataclass(frozen=True, slots=True)
class Retire:
    """Stop a worker: it is idle for too long, drained, or lost."""

    worker: str
    reason: str


Effect = Grant | Revoke | Told | ScaleUp | Retire
