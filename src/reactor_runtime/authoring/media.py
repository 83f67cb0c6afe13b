"""What an author gets to see of inbound media."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


class TrackKind(StrEnum):
    VIDEO = "video"
    AUDIO = "audio"


class TrackDirection(StrEnum):
    """Seen from the model: `OUT` is what the model emits, `IN` is what the client sends."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True)
class TrackInfo:
    """The facts about a track. `rate` is frames (video) or samples (audio) a second; 0 means undeclared."""

    name: str
    kind: TrackKind
    rate: float = 0.0
    direction: TrackDirection = TrackDirection.OUT


@dataclass
class TrackData:
    """One frame ``(H, W, 3)`` uint8 RGB, or one block of audio ``(channels, M)`` int16."""

    info: TrackInfo
    data: NDArray[Any]


@dataclass
class MediaBundle:
    """What arrived together; `VideoModel.on_media` is called with one, on the media thread."""

    tracks: dict[str, TrackData] = field(default_factory=dict)

    def get_track(self, name: str) -> TrackData | None:
        """The data of track `name`, or None when this bundle brings none for it."""
        return self.tracks.get(name)

    def get_tracks(self) -> list[TrackData]:
        return list(self.tracks.values())

    def get_tracks_by_kind(self, kind: TrackKind | str) -> list[TrackData]:
        return [track for track in self.tracks.values() if track.info.kind == kind]

    def video_only(self) -> MediaBundle:
        """A new bundle without the audio."""
        video = {name: track for name, track in self.tracks.items() if track.info.kind is TrackKind.VIDEO}
        return MediaBundle(video)

    @staticmethod
    def from_video_frame(frame: NDArray[Any], track_name: str = "video") -> MediaBundle:
        """A bundle of one inbound frame ``(H, W, 3)`` uint8 RGB."""
        info = TrackInfo(track_name, TrackKind.VIDEO, direction=TrackDirection.IN)
        return MediaBundle({track_name: TrackData(info, frame)})
