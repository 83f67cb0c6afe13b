"""What a model's tracks were in earlier sessions: the next one will most likely need the same encoders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .encoders import VideoCodec


class Likely(NamedTuple):
    """An encode of a track that may be asked for soon."""

    track: str
    codec: VideoCodec
    height: int
    width: int


class Former:
    """Shapes alone, nothing of a picture. Any thread: each note replaces a whole value."""

    def __init__(self) -> None:
        self._codecs: dict[str, VideoCodec] = {}
        self._sizes: dict[str, tuple[int, int]] = {}

    def note_codec(self, track: str, codec: VideoCodec) -> None:
        """Somebody takes the track as this."""
        self._codecs[track] = codec

    def note_size(self, track: str, size: tuple[int, int]) -> None:
        """The height and width of the newest picture."""
        self._sizes[track] = size

    def likely(self) -> Iterator[Likely]:
        for track, codec in list(self._codecs.items()):
            if track in self._sizes:
                yield Likely(track, codec, *self._sizes[track])
