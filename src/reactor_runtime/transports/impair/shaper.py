"""What a network does to packets. Sans-IO: time and chance are arguments."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from reactor_runtime.errors import ReactorError

QUEUE_S = 0.2
"""What a bottleneck holds before it drops: a usual router's buffer."""
OVERHEAD = 28
"""Bytes of an IPv4 and a UDP header, which the bottleneck carries too."""

_UNITS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}


class ImpairmentError(ReactorError):
    code = "impairment"


@dataclass(frozen=True)
class Impairment:
    """Each way: `loss` in percent, half of `rtt` and up to `jitter` in ms, `rate` in bits/s (0: unlimited).

    `blackout` is how many seconds nothing passes, from `blackout_at` seconds after the first packet.
    """

    loss: float = 0.0
    rtt: float = 0.0
    jitter: float = 0.0
    rate: float = 0.0
    blackout: float = 0.0
    blackout_at: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Impairment:
        """Read ``loss=3,rtt=150,jitter=30,rate=2M,blackout=5@10``. Raises `ImpairmentError`."""
        values: dict[str, float] = {}
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            key, equals, value = part.partition("=")
            if not equals or key not in cls.__dataclass_fields__ or key == "blackout_at":
                raise ImpairmentError(
                    f"--impair does not know {part!r}; write loss=3,rtt=150,jitter=30,rate=2M,blackout=5@10."
                )
            if key == "blackout":
                value, _, at = value.partition("@")
                values["blackout_at"] = _number(part, at or "0")
            values[key] = _number(part, value)
        if values.get("loss", 0.0) > 100:
            raise ImpairmentError("--impair: loss is a percentage, 100 at most.")
        return cls(**values)


def _number(part: str, text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kKmMgG]?)", text)
    if not found:
        raise ImpairmentError(f"--impair: {part!r} is no number; units are k, M and G.")
    return float(found.group(1)) * _UNITS[found.group(2).lower()]


class Shaper:
    """One direction of one path. `now` in seconds; packets never overtake each other."""

    def __init__(self, impairment: Impairment, chance: random.Random) -> None:
        self._is = impairment
        self._chance = chance
        self._began: float | None = None
        self._free_at = 0.0
        self._last_arrival = 0.0

    def arrival(self, now: float, size: int) -> float | None:
        """When a packet of `size` bytes that leaves at `now` comes out; None when it is lost."""
        if self._began is None:
            self._began = now
        departs = self._departure(now, size)
        if departs is None or self._dark(now) or self._chance.random() * 100 < self._is.loss:
            return None
        delay = (self._is.rtt / 2 + self._chance.random() * self._is.jitter) / 1000
        self._last_arrival = max(self._last_arrival, departs + delay)
        return self._last_arrival

    def _departure(self, now: float, size: int) -> float | None:
        """When the bottleneck has sent it; None when its queue is full."""
        if not self._is.rate:
            return now
        start = max(now, self._free_at)
        if start - now > QUEUE_S:
            return None
        self._free_at = start + (size + OVERHEAD) * 8 / self._is.rate
        return self._free_at

    def _dark(self, now: float) -> bool:
        if not self._is.blackout or self._began is None:
            return False
        return self._is.blackout_at <= now - self._began < self._is.blackout_at + self._is.blackout
