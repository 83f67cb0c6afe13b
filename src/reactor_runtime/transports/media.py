"""Inbound media, under the import path that existing models use."""

from reactor_runtime.authoring.media import MediaBundle, TrackData, TrackDirection, TrackInfo, TrackKind

__all__ = ["MediaBundle", "TrackData", "TrackDirection", "TrackInfo", "TrackKind"]
