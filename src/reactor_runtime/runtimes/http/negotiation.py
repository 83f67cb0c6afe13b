"""From a client's offer and its track mapping to the sections that our tracks use. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reactor_runtime.authoring.media import TrackDirection
from reactor_runtime.authoring.tracks import Track
from reactor_runtime.errors import RequestError
from reactor_runtime.media.encoders import VideoCodec
from reactor_runtime.transports import sdp
from reactor_runtime.transports.port import Section

CODECS = (VideoCodec.H264, VideoCodec.VP8)
"""What we encode, the preferred first: x264 costs a third of libvpx, and VP8 is what everybody has."""


@dataclass(frozen=True)
class TrackMapping:
    """One entry of `track_mapping`; the direction is the client's."""

    mid: str
    name: str
    kind: str
    direction: str


@dataclass(frozen=True)
class Offer:
    """An offer that has been checked against the model."""

    sdp: str
    sections: tuple[Section, ...]
    has_channel: bool
    message_limit: int


def read_offer(
    text: str,
    mapping: Sequence[TrackMapping],
    tracks: Mapping[str, Track],
    codecs: Sequence[VideoCodec] = CODECS,
) -> Offer:
    """Raises `RequestError` (4xx) that says what does not fit."""
    _, media = sdp.parse(text)
    by_mid = {section.mid: section for section in media if section.kind in ("audio", "video")}
    entries = list(mapping) or _by_order(list(by_mid.values()), tracks)
    sections = [_section(entry, by_mid, tracks, tuple(codecs)) for entry in entries]
    _refuse_doubles([section.mid for section in sections], "section")
    _refuse_doubles([section.track for section in sections], "track")
    return Offer(
        text,
        tuple(sections),
        any(section.kind == "application" and not section.rejected for section in media),
        sdp.max_message_size(media),
    )


def _section(
    entry: TrackMapping,
    by_mid: Mapping[str, sdp.MediaSection],
    tracks: Mapping[str, Track],
    codecs: tuple[VideoCodec, ...],
) -> Section:
    track = tracks.get(entry.name)
    if track is None:
        known = ", ".join(tracks)
        raise RequestError(
            400, "unknown_track", f"The model has no track {entry.name[:80]!r}; it has: {known}."
        )
    part = by_mid.get(entry.mid)
    if part is None:
        raise RequestError(400, "unknown_mid", f"The offer has no media section with mid {entry.mid[:80]!r}.")
    kind = str(track.kind.value)
    if entry.kind != kind or part.kind != kind:
        raise RequestError(
            400, "wrong_kind", f"Track {entry.name!r} is {kind}; section {entry.mid!r} is not."
        )
    sends = track.direction is TrackDirection.OUT
    wanted = "recvonly" if sends else "sendonly"
    if entry.direction not in (wanted, "sendrecv"):
        raise RequestError(
            400,
            "wrong_direction",
            f"For a client, track {entry.name!r} is {wanted}, not {entry.direction[:20]!r}.",
        )
    return Section(entry.mid, entry.name, kind, sends, codecs if sends and kind == "video" else ())


def _by_order(media: Sequence[sdp.MediaSection], tracks: Mapping[str, Track]) -> list[TrackMapping]:
    """Without a mapping, sections and tracks of one kind and direction meet in their order."""
    left = list(tracks.values())
    entries = []
    for section in media:
        for track in left:
            receives = track.direction is TrackDirection.OUT
            fits = section.direction in ("sendrecv", "recvonly" if receives else "sendonly")
            if track.kind.value == section.kind and fits:
                left.remove(track)
                direction = "recvonly" if receives else "sendonly"
                entries.append(TrackMapping(section.mid, track.name, section.kind, direction))
                break
    return entries


def _refuse_doubles(values: list[str], what: str) -> None:
    for value in values:
        if values.count(value) > 1:
            raise RequestError(400, "duplicate_mapping", f"The mapping names {what} {value[:80]!r} twice.")
