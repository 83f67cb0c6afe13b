"""What has gone to clients, by track and codec, also to those that have left. Event loop only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Sent:
    """Grow for the length of a session."""

    frames: int = 0
    bytes: int = 0
    keyframe_waits: int = 0
    """How often a client lost its place and had to wait for a keyframe."""

    def since(self, before: Sent) -> Sent:
        return Sent(
            self.frames - before.frames,
            self.bytes - before.bytes,
            self.keyframe_waits - before.keyframe_waits,
        )

    def add(self, more: Sent) -> None:
        self.frames += more.frames
        self.bytes += more.bytes
        self.keyframe_waits += more.keyframe_waits


class SentCounts:
    """Bounded: by declared tracks and known codecs."""

    def __init__(self) -> None:
        self.by_stream: dict[tuple[str, str], Sent] = {}

    def add(self, track: str, codec: str, more: Sent) -> None:
        self.by_stream.setdefault((track, codec), Sent()).add(more)
