"""A session on a free clock: nothing is paced or encoded, waits cost nothing, commands come at set steps."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reactor_runtime.authoring.media import TrackKind
from reactor_runtime.clock import FreeClock
from reactor_runtime.media.frames import to_rgb_batch
from reactor_runtime.media.plane import DEFAULT_SIZE
from reactor_runtime.protocol.jsonable import to_json
from reactor_runtime.session.session import Session

if TYPE_CHECKING:
    from reactor_runtime.authoring.description import ModelDescription

THUMB = 16
"""Pixels a side of what is kept of a frame beside its checksum."""
MESSAGES_LIMIT = 5000
FILE_LIMIT_MIB = 16


@dataclass
class Shown:
    """What one user got."""

    frames: dict[str, list[tuple[str, bytes]]] = field(default_factory=dict)
    """By track: a checksum and a small picture of each frame; of sound the checksum alone."""
    messages: list[str] = field(default_factory=list)


STEP_S = 1 / 30
"""What a step takes on the session's clock."""


class FreeSession(Session):
    """Calls `step(number)` between two steps, in the thread that emits or waits, while that is held."""

    def __init__(
        self, number: int, model: ModelDescription, step: Callable[[int], None], seed: int = 0
    ) -> None:
        """On the session's clock a wait takes its time and a step `STEP_S`."""
        super().__init__(
            number,
            f"test-{number}",
            model,
            lambda session: None,
            max_upload=FILE_LIMIT_MIB,
            seed=seed,
            clock=FreeClock(STEP_S),
        )
        self.shown = Shown()
        self.steps = 0
        self._step = step
        self._lock = threading.RLock()
        """Guards `steps`, `shown` and `_latest`. Nothing else is taken meanwhile."""
        self._latest: dict[str, NDArray[Any]] = {}
        self._inside = threading.local()

    def emit(self, name: str, frame: Any, bucket: int | None) -> None:
        if self.tracks[name].kind is TrackKind.AUDIO:
            self._note_sound(name, frame)
        else:
            self._note_pictures(name, frame)
        if name == self.media.default_track:
            self.advance()

    def latest(self, name: str) -> Any:
        return self._latest.get(name)

    def wait_stop(self, timeout: float) -> bool:
        self.clock.sleep(timeout)
        self.advance()
        return self.timeline.stopping.is_set()

    def send(self, data: Any) -> None:
        text = to_json(data)
        with self._lock:
            if len(self.shown.messages) < MESSAGES_LIMIT:
                self.shown.messages.append(text)

    def flush(self) -> int:
        return 0

    def drain(self, timeout: float) -> bool:
        del timeout
        return True

    def next_frame(self) -> int:
        return len(self.shown.frames.get(self.media.default_track or "", ()))

    def advance(self) -> None:
        """One step is over. Not entered again by what happens between two steps."""
        if getattr(self._inside, "step", False) or self.timeline.stopping.is_set():
            return
        self._inside.step = True
        try:
            with self._lock:
                self.steps += 1
                number = self.steps
            self.clock.sleep(STEP_S)
            self._step(number)
        finally:
            self._inside.step = False

    def _note_pictures(self, name: str, frame: Any) -> None:
        batch = np.zeros((1, *DEFAULT_SIZE, 3), np.uint8) if frame is None else to_rgb_batch(frame)
        with self._lock:
            for picture in batch:
                plain = np.ascontiguousarray(picture)
                self._latest[name] = plain.copy()
                if not self.timeline.stopping.is_set():
                    self.shown.frames.setdefault(name, []).append((checksum(plain), thumb(plain)))

    def _note_sound(self, name: str, block: Any) -> None:
        plain = np.ascontiguousarray(np.asarray([] if block is None else block))
        with self._lock:
            self._latest[name] = plain.copy()
            if not self.timeline.stopping.is_set():
                self.shown.frames.setdefault(name, []).append((checksum(plain), b""))


def checksum(array: NDArray[Any]) -> str:
    digest = hashlib.sha256(f"{array.shape}{array.dtype}".encode())
    digest.update(array.tobytes())
    return digest.hexdigest()[:16]


def thumb(picture: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.resize(picture, (THUMB, THUMB), interpolation=cv2.INTER_AREA).tobytes())
