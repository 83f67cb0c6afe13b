"""What the authoring room needs from the rooms outside it.

The rooms outside implement these; nothing in `authoring` imports them. Every method may be called from any
thread that author code runs on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from .tracks import Track
    from .uploads import UploadedFile


class OutputSink(Protocol):
    """Where an output track's frames go during one session."""

    def emit(self, name: str, frame: Any, bucket: int | None) -> None:
        """Take `frame` (see `OutputTrack.emit`) for the track `name`. May block to pace the model.

        Raises `FrameError` in the caller's thread.
        """

    def latest(self, name: str) -> NDArray[Any] | None:
        """The newest array emitted on `name` in this session, or None."""


class InputSource(Protocol):
    """Where an input track's media comes from during one session."""

    def latest(self, name: str) -> NDArray[Any] | None:
        """The newest frame ``(H, W, 3)`` uint8 RGB or block ``(channels, M)`` int16, or None before it."""

    def read(self, name: str, samples: int, timeout: float | None) -> NDArray[np.int16] | None:
        """`samples` audio samples in order, ``(channels, samples)`` int16; None if they came too late."""


class SessionPort(Protocol):
    """One session, as `get_ctx()` sees it."""

    @property
    def number(self) -> int:
        """Grows by one for each session of the process; fences what is stale."""

    @property
    def session_id(self) -> str: ...

    @property
    def model_name(self) -> str: ...

    @property
    def seed(self) -> int: ...

    @property
    def connected(self) -> bool: ...

    @property
    def tracks(self) -> Mapping[str, Track]:
        """The tracks of the model, bound to this session, by name."""

    def should_stop(self) -> bool: ...

    def wait_stop(self, timeout: float) -> bool: ...

    def now(self) -> float:
        """Seconds since `start_session` began, on the session's clock."""

    def flush(self) -> int:
        """Drop pictures and sound that have not left; returns how many pictures that were."""

    def find_upload(self, upload_id: str) -> UploadedFile | None:
        """A file that has arrived whole in this session."""

    def send(self, data: Any) -> None:
        """Raises `MessageError` in the caller's thread."""


class WeightsSource(Protocol):
    """Finds the folder of a named set of weights."""

    def path(self, name: str) -> Path:
        """Raises `WeightsError`."""
