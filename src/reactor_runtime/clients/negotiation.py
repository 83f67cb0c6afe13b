"""From a client's offer and its track mapping to the sections that our tracks use. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reactor_runtime.authoring.media import TrackDirection
from reactor_runtime.authoring.tracks import Track
from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.media.encoders import EncoderChoice, VideoCodec, codecs
from reactor_runtime.transports import sdp
from reactor_runtime.transports.port import Section

CODECS = codecs(EncoderChoice.AUTO)


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
    """Bytes of a message that this client takes at once."""
    from_page: bool = False
    """Whether the client is our page: it may ask when the frame of a command goes out, and one that closes
    its channel has been closed."""
    from_loopback: bool = False
    """Whether the client is on this machine."""
    sender_turns: bool = True
    """Whether the client turns its pictures upright when it is not asked for them as they are."""

    may_control: bool = True
    """Whether the token that it came with is for more than watching."""

    def inputs(self) -> list[str]:
        """The input tracks that the client sends."""
        tracks = [section.back if section.sends else section.track for section in self.sections]
        return [track for track in tracks if track is not None]


def read_offer(
    text: str,
    mapping: Sequence[TrackMapping],
    tracks: Mapping[str, Track],
    encodes: Sequence[VideoCodec] = CODECS,
    *,
    from_page: bool = False,
    from_loopback: bool = False,
    sender_turns: bool = True,
) -> Offer:
    """Sections that the client has rejected carry nothing, whatever the mapping says of them.

    Raises `RefusedError` (4xx) that says what does not fit.
    """
    _, media = sdp.parse(text)
    by_mid = {section.mid: section for section in media if section.kind in ("audio", "video")}
    rejected = {mid for mid, section in by_mid.items() if section.rejected}
    alive = [section for mid, section in by_mid.items() if mid not in rejected]
    entries = [e for e in mapping if e.mid not in rejected] if mapping else _unmapped(alive, tracks)
    sections = [_section(entry, by_mid, tracks, tuple(encodes)) for entry in entries]
    if not mapping:
        sections = _two_way(sections, by_mid, tracks)
    _refuse_doubles([section.mid for section in sections], "section")
    _refuse_doubles([section.track for section in sections], "track")
    return Offer(
        text,
        tuple(sections),
        any(section.kind == "application" and not section.rejected for section in media),
        sdp.max_message_size(media),
        from_page,
        from_loopback,
        sender_turns,
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
        raise RefusedError(
            Refusal.INVALID, "unknown_track", f"The model has no track {entry.name[:80]!r}; it has: {known}."
        )
    part = by_mid.get(entry.mid)
    if part is None:
        raise RefusedError(
            Refusal.INVALID, "unknown_mid", f"The offer has no media section with mid {entry.mid[:80]!r}."
        )
    kind = str(track.kind.value)
    if entry.kind != kind or part.kind != kind:
        raise RefusedError(
            Refusal.INVALID, "wrong_kind", f"Track {entry.name!r} is {kind}; section {entry.mid!r} is not."
        )
    sends = track.direction is TrackDirection.OUT
    wanted = _clients_direction(track)
    if entry.direction not in (wanted, "sendrecv"):
        raise RefusedError(
            Refusal.INVALID,
            "wrong_direction",
            f"For a client, track {entry.name!r} is {wanted}, not {entry.direction[:20]!r}.",
        )
    wanted_codecs = codecs if sends and kind == "video" else ()
    return Section(entry.mid, entry.name, kind, sends, wanted_codecs, channels=track.channels)


def _unmapped(media: Sequence[sdp.MediaSection], tracks: Mapping[str, Track]) -> list[TrackMapping]:
    """Clients of 1.6 name the sections after the tracks; older ones send one section and no name."""
    named = [section for section in media if section.mid in tracks]
    if not named:
        return _by_order(media, tracks)
    return [TrackMapping(s.mid, s.mid, s.kind, _clients_direction(tracks[s.mid])) for s in named]


def _two_way(
    sections: list[Section], by_mid: Mapping[str, sdp.MediaSection], tracks: Mapping[str, Track]
) -> list[Section]:
    """Let a `sendrecv` section that carries an output bring the client's camera back as well."""
    used = {section.track for section in sections}
    inputs = [t for t in tracks.values() if t.direction is TrackDirection.IN and t.name not in used]
    result = []
    for section in sections:
        back = next((t for t in inputs if t.kind.value == section.kind), None)
        if section.sends and back is not None and by_mid[section.mid].direction == "sendrecv":
            inputs.remove(back)
            section = replace(section, back=back.name)
        result.append(section)
    return result


def _by_order(media: Sequence[sdp.MediaSection], tracks: Mapping[str, Track]) -> list[TrackMapping]:
    """Without a mapping, sections and tracks of one kind and direction meet in their order."""
    left = list(tracks.values())
    entries = []
    for section in media:
        for track in left:
            direction = _clients_direction(track)
            if track.kind.value == section.kind and section.direction in ("sendrecv", direction):
                left.remove(track)
                entries.append(TrackMapping(section.mid, track.name, section.kind, direction))
                break
    return entries


def _clients_direction(track: Track) -> str:
    return "recvonly" if track.direction is TrackDirection.OUT else "sendonly"


def _refuse_doubles(values: list[str], what: str) -> None:
    seen = set()
    for value in values:
        if value in seen:
            raise RefusedError(
                Refusal.INVALID, "duplicate_mapping", f"The mapping names {what} {value[:80]!r} twice."
            )
        seen.add(value)
