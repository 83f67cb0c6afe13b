"""What runs workers. An engine knows processes or actors, their leases as numbers, and neither sessions nor
frames; which worker serves whom is the broker's to decide.

`start`, `stop`, `grant` and `revoke` return at once: what came of them is an event. Events come in the order
in which they happened, and after `Lost` none comes about that worker.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Protocol

from reactor_runtime.errors import FleetError

from .records import Lease

LAST_LINES = 60
"""Lines of a worker's log that are kept to say why it ended."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a worker answers HTTP, and the secret of its fleet."""

    host: str
    port: int
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Started:
    """A worker begins to load. `pid` is 0 where there is no process of this machine."""

    worker: str
    pid: int = 0


@dataclass(frozen=True, slots=True)
class NoRoom:
    """No worker was started: every slot is taken or failing."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Announced:
    """A worker has loaded: where it is, the newest lease it saw, and what it serves."""

    worker: str
    endpoint: Endpoint
    epoch: int = 0
    ticket: str = ""
    session: str = ""
    address: str = ""
    """Of the user whom it serves."""
    left: float = 0.0
    """Seconds until the lease ends; 0 without a limit."""
    pid: int = 0
    model: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """The worker lives. `Taken` and `Freed` say so too: who sends them need not send this between."""

    worker: str


@dataclass(frozen=True, slots=True)
class Taken:
    """The worker began the session of a lease."""

    worker: str
    epoch: int
    session: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The worker did not take a grant."""

    worker: str
    epoch: int
    reason: str


@dataclass(frozen=True, slots=True)
class Freed:
    """The lease is over, the model has returned and was reset."""

    worker: str
    epoch: int
    reason: str = field(default="", compare=False)
    message: str = field(default="", compare=False)
    """For the user who asks afterwards."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The worker is gone, whoever wanted it."""

    worker: str
    reason: str


@dataclass(frozen=True, slots=True)
class Failing:
    """A slot is not started again for a while: its worker ended too often, and said this last."""

    slot: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Present:
    """All that was there when `events` was asked for has been told."""


Event = Started | NoRoom | Announced | Heard | Taken | Refused | Freed | Lost | Failing | Present
_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (Started, NoRoom, Announced, Heard, Taken, Refused, Freed, Lost, Failing, Present)
}


class Engine(Protocol):
    """Event loop only."""

    async def open(self) -> None:
        """Raises `FleetError` when nothing can be started here at all."""
        ...

    def start(self) -> None:
        """Start one more worker: `Started` or `NoRoom` follows, then `Announced` or `Lost`."""
        ...

    def stop(self, worker: str, *, at_once: bool = False) -> None:
        """End a worker, within a bound: `Lost` follows. Unknown ones are passed over."""
        ...

    def grant(self, lease: Lease) -> None:
        """Tell a worker that it serves a lease: `Taken` or `Refused` follows."""
        ...

    def revoke(self, worker: str, epoch: int, reason: str) -> None:
        """Tell a worker that a lease is over: `Freed` follows when it serves that one."""
        ...

    def events(self) -> AsyncGenerator[Event]:
        """What is there now, `Present`, and then what happens. One reader at a time."""
        ...

    async def close(self) -> None:
        """End every worker and what they have started."""
        ...


def to_json(event: Event) -> dict[str, Any]:
    return {"kind": type(event).__name__, **dataclasses.asdict(event)}


def from_json(found: dict[str, Any]) -> Event:
    """Raises `FleetError` for what is no event of ours."""
    fields = dict(found)
    try:
        kind = _KINDS[fields.pop("kind")]
        if kind is Announced:
            fields["endpoint"] = Endpoint(**fields["endpoint"])
        if kind is Failing:
            fields["lines"] = tuple(fields["lines"])
        event: Event = kind(**fields)
    except (KeyError, TypeError) as error:
        raise FleetError("engine", "An engine said what this version does not know.") from error
    return event
