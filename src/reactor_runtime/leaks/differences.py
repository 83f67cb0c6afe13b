"""Comparing what users got: frames by checksum and by distance, messages by their text."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MARGIN = 1.5
"""What differs may be so much larger than what the model varies by: three runs show a part of that."""
HIDING = 0.5
"""Noise of this share of what two users differ by hides a leak."""

Session = dict[str, Any]
Difference = tuple[str, str, str]
"""What differs, what it was and what it is."""


def first_difference(
    one: Session, other: Session, ignored: frozenset[str] = frozenset()
) -> Difference | None:
    for name, frames in one["frames"].items():
        if name in ignored:
            continue
        others = other["frames"].get(name, [])
        if not others and frames:
            return name, f"{len(frames)} frames for a user who is alone", "none after another user"
        for index, (frame, after) in enumerate(zip(frames, others, strict=False)):
            if frame[0] != after[0]:
                return (
                    name,
                    f"frame {index} = {frame[0]} for a user who is alone",
                    f"{after[0]} after another user",
                )
    for part in ("messages", "answers"):
        if part in ignored:
            continue
        for index, (said, after) in enumerate(itertools.zip_longest(one[part], other[part])):
            if said is not None and after is not None and said != after:
                return part, f"{said!r:.80} (number {index}) for a user who is alone", f"{after!r:.80}"
    return None


def distance(one: Session, other: Session, track: str | None = None) -> float:
    """How far apart, 0 to 255, the two small pictures are that differ most, in the mean of their pixels."""
    found = [0.0]
    for name, frames in one["frames"].items():
        others = other["frames"].get(name, [])
        if track in (None, name):
            found += [_apart(frame, after) for frame, after in zip(frames, others, strict=False)]
    return max(found)


def _apart(frame: Sequence[str], other: Sequence[str]) -> float:
    if frame[0] == other[0]:
        return 0.0
    one, two = (
        np.frombuffer(base64.b64decode(each[1]), np.uint8).astype(np.float64) for each in (frame, other)
    )
    if one.size != two.size or not one.size:
        return 255.0  # of sound there is a checksum only
    return float(np.abs(one - two).mean())


def marked(session: Session, mark: str) -> str | None:
    """The first text in which a user's mark is."""
    texts = [*session["messages"], *session["answers"]]
    return next((text for text in texts if mark in text), None)


@dataclass(frozen=True)
class Noise:
    """What the same user, alone, gets otherwise in each run."""

    frames: float
    ignored: frozenset[str]
    """Messages or answers that differ by themselves."""
    is_noisy: bool

    @classmethod
    def of(cls, alone: Sequence[Session]) -> Noise:
        pairs = list(itertools.combinations(alone, 2))
        differing = {
            part
            for part in ("messages", "answers")
            for one, other in pairs
            if any(a != b for a, b in zip(one[part], other[part], strict=False))
        }
        frames = max((distance(one, other) for one, other in pairs), default=0.0)
        noisy = any(first_difference(one, other, frozenset(differing)) is not None for one, other in pairs)
        return cls(frames, frozenset(differing), noisy)

    def covers(self, one: Session, other: Session, what: str) -> bool:
        """Whether two sessions differ by no more than the model does by itself."""
        if not self.is_noisy or what in ("messages", "answers"):
            return False
        return not self.hides(255.0) and distance(one, other, what) <= self.frames * MARGIN

    def hides(self, between_users: float) -> bool:
        """Whether what two users differ by could not be told from noise."""
        return self.is_noisy and self.frames >= HIDING * between_users
