"""Words for clients: offers that the engine does not take, tracks that an answer leaves without media."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.media.encoders import VideoCodec
from reactor_runtime.transports import sdp
from reactor_runtime.transports.port import Section

from .translation import DECODED, inbound_codec, receives

log = logging.getLogger(__name__)

NAMED_CODECS = 6
"""Codecs of a client that a sentence names."""
WORDS = 300
"""Characters of the engine's own words that the log gets."""
RECEIVING = ("sendrecv", "recvonly")
SENDING = ("sendrecv", "sendonly")


@dataclass(frozen=True)
class RefusedTrack:
    mid: str
    track: str
    message: str


def engine_refused(error: Exception) -> RefusedError:
    """The refusal for a client; the engine's own words go to the log."""
    log.info("The media engine refused an offer: %.*r", WORDS, str(error))
    return RefusedError(
        Refusal.INVALID,
        "invalid_sdp",
        "The media engine cannot use this offer; send what createOffer() gave, unchanged.",
    )


def refused_tracks(
    offered: Sequence[sdp.MediaSection],
    answer: Sequence[sdp.MediaSection],
    sections: Mapping[str, Section],
) -> Iterator[RefusedTrack]:
    """The tracks that the client offers or asks for, and that find no codec in the engine's answer."""
    answered = {part.mid: part for part in answer}
    for part in offered:
        section = sections.get(part.mid)
        if section is None or part.rejected:
            continue
        reply = answered.get(part.mid)
        if section.sends and part.direction in RECEIVING and not sends(reply, section):
            names = tuple(VideoCodec) if section.kind == "video" else ("Opus",)
            yield _refused(part, section.track, section.kind, "encodes", names)
        back = section.back if section.sends else section.track
        if back and receives(section) and part.direction in SENDING and not _decodes(reply):
            yield _refused(part, back, section.kind, "decodes", DECODED[section.kind])


def sends(reply: sdp.MediaSection | None, section: Section) -> bool:
    """Whether a section of the answer carries the track that we send on it."""
    if reply is None or reply.rejected or reply.direction not in SENDING:
        return False
    names = [reply.codecs.get(payload, "") for payload in reply.payloads]
    return "OPUS" in names if section.kind == "audio" else names[0] in list(VideoCodec)


def _decodes(reply: sdp.MediaSection | None) -> bool:
    return reply is not None and not reply.rejected and inbound_codec(reply) is not None


def _refused(part: sdp.MediaSection, track: str, kind: str, does: str, names: Sequence[str]) -> RefusedTrack:
    theirs = dict.fromkeys(part.codecs[p][:20] for p in part.payloads if p in part.codecs)
    shown = ", ".join(list(theirs)[:NAMED_CODECS]) or "no codec"
    return RefusedTrack(
        part.mid,
        track,
        f"No {kind} on track {track!r}: the offer has {shown} for it, and this server {does} "
        f"{', '.join(names)}. Offer one of these as well.",
    )
