"""Which frames of several tracks belong to one step. Sans-IO.

A bundle goes out when every track that takes part has given its frame. It goes out incomplete when a track
that already gave one gives the next (a new step has begun), or after `WINDOW_S`. A track that was missing is
not waited for again until it gives something, so an occasional track delays nobody for long.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Payload = TypeVar("Payload")

WINDOW_S = 0.5
"""How long an incomplete bundle waits for the missing tracks."""
OPEN_LIMIT = 16
"""Explicit buckets that may be open at once; one more releases the oldest."""


@dataclass
class Bundle(Generic[Payload]):
    """What the tracks gave in one step."""

    opened: float
    parts: dict[str, Payload] = field(default_factory=dict)


@dataclass
class Released(Generic[Payload]):
    """A bundle that goes out, and the tracks it went out without."""

    parts: dict[str, Payload]
    missing: tuple[str, ...] = ()


class Buckets(Generic[Payload]):
    """Groups what several tracks emit. Not thread-safe; `now` in seconds."""

    def __init__(self, tracks: Iterable[str]) -> None:
        self._tracks = tuple(tracks)
        self._waited_for = set(self._tracks)
        self._current: Bundle[Payload] | None = None
        self._numbered: dict[int, Bundle[Payload]] = {}

    def put(
        self, now: float, track: str, payload: Payload, bucket: int | None = None
    ) -> list[Released[Payload]]:
        """Add one track's part; returns what may go out now, oldest first."""
        if len(self._tracks) == 1:
            return [Released({track: payload})]
        released = self.expire(now)
        # After that: it is missing from what expired, and takes part from now on.
        self._waited_for.add(track)
        if bucket is not None:
            return released + self._put_numbered(now, track, payload, bucket)
        if self._current is not None and track in self._current.parts:
            released.append(self._release(self._current))
            self._current = None
        if self._current is None:
            self._current = Bundle(now)
        self._current.parts[track] = payload
        if self._complete(self._current):
            released.append(self._release(self._current))
            self._current = None
        return released

    def expire(self, now: float) -> list[Released[Payload]]:
        """Release what has waited for `WINDOW_S`."""
        over = [number for number, bundle in self._numbered.items() if _ends(bundle) <= now]
        released = [self._release(self._numbered.pop(number)) for number in over]
        if self._current is not None and _ends(self._current) <= now:
            released.append(self._release(self._current))
            self._current = None
        return released

    def deadline(self) -> float | None:
        """When `expire` next has something to do."""
        return min((_ends(bundle) for bundle in self._open()), default=None)

    def release_all(self) -> list[Released[Payload]]:
        """Release everything that is open, at the end of a session."""
        return [self._release(bundle) for bundle in self._take_open()]

    def take_all(self) -> list[Released[Payload]]:
        """Take out everything that is open in order to drop it; no track counts as missing for that."""
        return [Released(bundle.parts) for bundle in self._take_open()]

    def _open(self) -> list[Bundle[Payload]]:
        return [*self._numbered.values(), *([self._current] if self._current is not None else [])]

    def _take_open(self) -> list[Bundle[Payload]]:
        taken = self._open()
        self._numbered.clear()
        self._current = None
        return taken

    def _put_numbered(self, now: float, track: str, payload: Payload, bucket: int) -> list[Released[Payload]]:
        released = []
        if bucket in self._numbered and track in self._numbered[bucket].parts:
            # The author used the number again: a new step, and the frame of the old one is not lost.
            released.append(self._release(self._numbered.pop(bucket)))
        bundle = self._numbered.setdefault(bucket, Bundle(now))
        bundle.parts[track] = payload
        if self._complete(bundle):
            # What is older leaves before it, complete or not: a picture never goes back in time.
            for older in sorted(number for number in self._numbered if number < bucket):
                released.append(self._release(self._numbered.pop(older)))
            self._waited_for.update(bundle.parts)
            released.append(self._release(self._numbered.pop(bucket)))
        elif len(self._numbered) > OPEN_LIMIT:
            released.append(self._release(self._numbered.pop(next(iter(self._numbered)))))
        return released

    def _complete(self, bundle: Bundle[Payload]) -> bool:
        return self._waited_for <= bundle.parts.keys()

    def _release(self, bundle: Bundle[Payload]) -> Released[Payload]:
        missing = tuple(
            name for name in self._tracks if name in self._waited_for and name not in bundle.parts
        )
        self._waited_for.difference_update(missing)
        return Released(bundle.parts, missing)


def _ends(bundle: Bundle[Any]) -> float:
    """When the bundle has waited long enough: one sum for all who compare it, because sums round."""
    return bundle.opened + WINDOW_S
