"""Who is at the other end of a wire inside one process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reactor_runtime.media.encoders import EncodedFrame


class FarEnd(Protocol):
    """Who is at the other end; frames and sound arrive on the threads that make them."""

    reading: bool
    """While False, messages stay in our buffers, as on a network that has gone."""

    def take(self, label: str, data: bytes) -> None: ...

    def take_frame(self, mid: str, frame: EncodedFrame) -> None: ...

    def take_sound(self, mid: str, at: float, block: NDArray[np.int16]) -> None: ...

    def lose_wire(self) -> None: ...
