"""What a client learns about a model before it connects."""

from __future__ import annotations

from typing import Any

from .command import commands_of
from .media import TrackDirection, TrackKind
from .tracks import default_track, tracks_of

PROTOCOL_VERSION = "1.0"
# A client receives what the model puts out.
_SEEN_BY_CLIENT = {TrackDirection.OUT: "recvonly", TrackDirection.IN: "sendonly"}


def capabilities(cls: type) -> dict[str, Any]:
    """Tracks and commands of a model class, as plain JSON. Never builds the model.

    Raises `ModelDefinitionError` when a command cannot be described.
    """
    tracks = tracks_of(cls)
    default = default_track(tracks)
    has_rate = default is not None and default.kind is TrackKind.VIDEO and default.rate > 0
    return {
        "protocol_version": PROTOCOL_VERSION,
        "tracks": [
            {"name": name, "kind": track.kind.value, "direction": _SEEN_BY_CLIENT[track.direction]}
            for name, track in tracks.items()
        ],
        "commands": [
            {
                "name": spec.name,
                "description": spec.description,
                "schema": spec.flat_schema(),
                **({"coalesce": True} if spec.coalesce else {}),
            }
            for spec in commands_of(cls).values()
        ],
        "emission_fps": float(default.rate) if default is not None and has_rate else None,
    }
