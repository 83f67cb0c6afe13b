"""What keeps pictures in step with the sound beside them."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from .rgb import Frame

Picture = dict[str, Frame]
"""The frames of one instant, by track name."""


class Company(Protocol):
    """What pictures keep in step with."""

    def keeps_step(self) -> bool:
        """Whether something of the same step may come after the picture, so that nobody is held behind it."""

    def hold(self, picture: Picture, due_in: float) -> float:
        """Seconds that a picture that would leave in `due_in` must still wait before it may enter."""

    def left(self, picture: Picture, at: float) -> float:
        """The turn of `picture` has come; returns by how many seconds it goes out later."""


class AvSync:
    """Pictures whose turn has come, and how much later than that each goes out. Not thread-safe."""

    def __init__(self, company: Company | None) -> None:
        self._company = company
        self._late: deque[tuple[float, Picture]] = deque()

    def __len__(self) -> int:
        return len(self._late)

    def keeps_step(self) -> bool:
        """Whether nobody is held behind a picture, because something of its step may still come."""
        return self._company is not None and self._company.keeps_step()

    def hold(self, pictures: list[Picture], due_in: float) -> float:
        """See `Company.hold`, for the first of some."""
        return self._company.hold(pictures[0], due_in) if pictures and self._company else 0.0

    def take_turn(self, picture: Picture, now: float) -> None:
        delay = self._company.left(picture, now) if self._company else 0.0
        self._late.append((now + delay, picture))

    def next_at(self) -> float | None:
        return self._late[0][0] if self._late else None

    def pop(self, now: float) -> Picture | None:
        """The picture that goes out now."""
        return self._late.popleft()[1] if self._late and self._late[0][0] <= now else None

    def clear(self) -> int:
        """Drop everything; returns how many that were."""
        gone = len(self._late)
        self._late.clear()
        return gone
