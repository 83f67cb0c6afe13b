"""What `reactor serve` tells its gateway, as JSON: the two are processes of their own."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from reactor_runtime.fleet.limits import FleetLimits
from reactor_runtime.runtimes.http.options import HttpOptions


@dataclass(frozen=True)
class GatewayOptions:
    limits: FleetLimits
    slots: int
    """Workers that the engine has room for; `scale` goes no further."""
    http: HttpOptions
    queue_wait: float = 0.0
    drain_limit: float = 0.0
    store: str = ""
    """A file; without one, memory."""
    preview: bool = False
    """Whether who waits may watch a session that runs."""
    signing: str = field(default="", repr=False)
    """What signs sessions' tokens where the operator has no secret."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The first signs the tokens of sessions."""
        return self.http.secrets or (self.signing,)

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self))


def from_json(text: str) -> GatewayOptions:
    found = json.loads(text)
    given = found.pop("http").items()
    http: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in given}
    return GatewayOptions(limits=FleetLimits(**found.pop("limits")), http=HttpOptions(**http), **found)
