"""The little of SDP (RFC 8866) that we read or rewrite ourselves. Pure functions on text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from reactor_runtime.errors import Refusal, RefusedError

SDP_LIMIT = 64 * 1024
"""Bytes of an offer; browsers send 3 to 12 KiB."""

SECTIONS_LIMIT = 64
"""Media sections of an offer; browsers send one for each track and one for the channels."""
PAYLOADS_LIMIT = 128
"""Payload types of a section: RTP has no more (RFC 3550 section 5.1)."""
ANSWER_LIMIT = 64 * 1024
"""Bytes of an answer; it says about as much as its offer."""
ANY_SIZE = 256 * 1024
"""Bytes of a message for a client that sets no bound."""
OPUS_BPS = {1: 64_000, 2: 128_000}
"""Bits per second by channels: transparent for most music. Engines would take 32,000 and 64,000."""

_RTPMAP = re.compile(r"a=rtpmap:([0-9]{1,3}) ([A-Za-z0-9_.-]+)/[0-9]")
_FMTP = re.compile(r"a=fmtp:([0-9]{1,3}) (.+)")
_PORT = re.compile(r"([0-9]{1,5})(?:/[0-9]{1,5})?")
_SIZE = re.compile(r"[1-9][0-9]{0,11}")
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


@dataclass
class MediaSection:
    """One m-section: its kind, mid, direction and the payload types in order of preference."""

    kind: str
    mid: str
    direction: str
    lines: list[str]
    payloads: list[str]
    codecs: dict[str, str] = field(default_factory=dict)
    """Payload type to codec name, upper case."""

    @property
    def rejected(self) -> bool:
        # The port of a bundle-only section is 0 as well (RFC 9143 section 6).
        return _port(self.lines[0]) == 0 and "a=bundle-only" not in self.lines

    def copy(self) -> MediaSection:
        """One that changes alone."""
        return replace(self, lines=[*self.lines], payloads=[*self.payloads], codecs={**self.codecs})

    def order(self, payloads: list[str]) -> None:
        """Put these payload types on the media line instead of what is there."""
        self.payloads = payloads
        self.lines[0] = " ".join([*self.lines[0].split(" ")[:3], *payloads])


def parse(sdp: str) -> tuple[list[str], list[MediaSection]]:
    """Session-level lines and media sections of an offer. Raises `RefusedError` (4xx) on what is none."""
    try:
        size = len(sdp.encode("utf-8"))
    except UnicodeEncodeError:
        # JSON can say half a character; no engine can be told.
        raise RefusedError(
            Refusal.INVALID, "invalid_sdp", "The SDP is not text: it has half a character."
        ) from None
    if size > SDP_LIMIT:
        raise RefusedError(
            Refusal.TOO_LARGE, "sdp_too_large", f"The SDP is larger than {SDP_LIMIT // 1024} KiB."
        )
    return _parse(sdp)


def parse_answer(sdp: str) -> tuple[list[str], list[MediaSection]]:
    """The same for an answer of ours. Raises `RefusedError` when the offer asks for too much of one."""
    check_answer(sdp)
    return _parse(sdp)


def check_answer(sdp: str) -> None:
    """Raises `RefusedError` when an answer of ours is too large for its client."""
    if len(sdp) > ANSWER_LIMIT:
        raise RefusedError(
            Refusal.TOO_LARGE,
            "answer_too_large",
            f"The answer to this offer would be larger than {ANSWER_LIMIT // 1024} KiB; offer fewer sections "
            "or codecs.",
        )


def _parse(sdp: str) -> tuple[list[str], list[MediaSection]]:
    lines = sdp.replace("\r\n", "\n").strip("\n").split("\n")
    if not lines or lines[0] != "v=0":
        raise RefusedError(
            Refusal.INVALID, "invalid_sdp", "The SDP does not begin with v=0; send what createOffer() gave."
        )
    head: list[str] = []
    blocks: list[list[str]] = []
    for line in lines:
        if line.startswith("m="):
            blocks.append([line])
        elif blocks:
            blocks[-1].append(line)
        else:
            head.append(line)
    if not blocks:
        raise RefusedError(Refusal.INVALID, "invalid_sdp", "The SDP has no media section.")
    if len(blocks) > SECTIONS_LIMIT:
        raise RefusedError(
            Refusal.INVALID,
            "too_many_sections",
            f"The SDP has {len(blocks)} media sections; {SECTIONS_LIMIT} are the most. Use one "
            "for each track.",
        )
    return head, [_section(block, index) for index, block in enumerate(blocks)]


def _port(line: str) -> int | None:
    """The port of a media line; None where there is none."""
    words = line.split(" ", 2)
    found = _PORT.fullmatch(words[1]) if len(words) > 1 else None
    return int(found.group(1)) if found else None


def _section(lines: list[str], index: int) -> MediaSection:
    words = lines[0][2:].split(" ")
    if len(words) < 4 or _port(lines[0]) is None:
        raise RefusedError(
            Refusal.INVALID, "invalid_sdp", f"The media line {lines[0][:80]!r} of the SDP is malformed."
        )
    payloads = words[3:]
    if len(payloads) > PAYLOADS_LIMIT:
        raise RefusedError(
            Refusal.INVALID,
            "too_many_payload_types",
            f"Media section {index} of the SDP lists {len(payloads)} payload types; RTP has "
            f"{PAYLOADS_LIMIT}.",
        )
    section = MediaSection(words[0], str(index), "", lines, payloads)
    named = False
    for line in lines:
        if not named and line.startswith("a=mid:"):
            section.mid, named = line[6:].strip(), True
        elif not section.direction and line[2:].rstrip() in _DIRECTIONS and line.startswith("a="):
            section.direction = line[2:].rstrip()
        elif found := _RTPMAP.match(line):
            section.codecs[found.group(1)] = found.group(2).upper()
    section.direction = section.direction or "sendrecv"
    return section


def prefer(section: MediaSection, names: list[str]) -> None:
    """Put the payload types of the named codecs in front, in that order; nothing is removed."""

    def rank(payload: str) -> int:
        name = section.codecs.get(payload, "")
        return names.index(name) if name in names else len(names)

    # Stable: the client's own order decides among equals.
    section.order(sorted(section.payloads, key=rank))


def parameters(section: MediaSection) -> dict[str, str]:
    """What `a=fmtp` says of each payload type."""
    found = (_FMTP.match(line) for line in section.lines)
    return {match.group(1): match.group(2) for match in found if match}


def drop(section: MediaSection, name: str) -> None:
    """Take a codec out of the section, with its retransmissions; one that is left alone stays."""
    gone = {payload for payload in section.payloads if section.codecs.get(payload) == name}
    repeats = {f"apt={payload}" for payload in gone}
    gone |= {number for number, text in parameters(section).items() if text.strip() in repeats}
    kept = [payload for payload in section.payloads if payload not in gone]
    if not kept:
        return
    section.codecs = {payload: codec for payload, codec in section.codecs.items() if payload not in gone}
    section.lines[1:] = [line for line in section.lines[1:] if _payload_of(line) not in gone]
    section.order(kept)


def drop_extension(section: MediaSection, uri: str) -> None:
    """Take an RTP header extension (RFC 8285) out of the section."""

    def is_it(line: str) -> bool:
        return line.startswith("a=extmap:") and line.split(" ", 2)[1:2] == [uri]

    section.lines[:] = [line for line in section.lines if not is_it(line)]


def _payload_of(line: str) -> str:
    """The payload type that an attribute is about; "" for other lines."""
    name, _, value = line.partition(":")
    return value.split(" ", 1)[0] if name in ("a=rtpmap", "a=fmtp", "a=rtcp-fb") else ""


def keep_h264_profile(section: MediaSection) -> None:
    """Prefer the H.264 payloads that any baseline stream satisfies: packetization-mode 1, a baseline profile.

    Levels are left alone: what we send is not bound to the level of the offer (RFC 6184 section 8.2.2).
    """
    said = parameters(section)

    def rank(payload: str) -> int:
        text = said.get(payload, "").lower()
        return (0 if "packetization-mode=1" in text else 2) + (0 if "profile-level-id=42" in text else 1)

    h264 = iter(sorted((p for p in section.payloads if section.codecs.get(p) == "H264"), key=rank))
    section.payloads = [next(h264) if section.codecs.get(p) == "H264" else p for p in section.payloads]


def set_opus(section: MediaSection, wanted: dict[str, str]) -> None:
    """Add to what a section says about Opus (RFC 7587 section 6.1), or replace it."""
    said = parameters(section)
    left = {payload for payload in section.payloads if section.codecs.get(payload) == "OPUS"}
    lines = []
    for line in section.lines:
        payload = _payload_of(line) if line.startswith(("a=rtpmap:", "a=fmtp:")) else ""
        about = line.startswith("a=fmtp:")
        if payload in left and (about or payload not in said):
            left.discard(payload)
            # A line of its own where there was none, in its place where there was one.
            lines += [] if about else [line]
            line = f"a=fmtp:{payload} {_merged(said.get(payload, ''), wanted)}"
        lines.append(line)
    section.lines[:] = lines


def _merged(text: str, wanted: dict[str, str]) -> str:
    known = dict(word.strip().partition("=")[::2] for word in text.split(";") if word.strip())
    return ";".join(f"{key}={value}" for key, value in (known | wanted).items())


def opus(channels: int) -> dict[str, str]:
    """How sound of so many channels is to be encoded; without it a receiver gets mono at a low rate."""
    stereo = "1" if channels == 2 else "0"
    return {"stereo": stereo, "sprop-stereo": stereo, "maxaveragebitrate": str(OPUS_BPS[channels])}


def join(head: list[str], sections: list[MediaSection]) -> str:
    lines = head + [line for section in sections for line in section.lines]
    return "\r\n".join(lines) + "\r\n"


def max_message_size(sections: list[MediaSection], default: int = 65536) -> int:
    """The largest data channel message the other side takes, in bytes (RFC 8841 section 6).

    0 means any size there; `ANY_SIZE` is what engines send at once.
    """
    for section in sections:
        for line in section.lines:
            if line.startswith("a=max-message-size:"):
                value = line.partition(":")[2].strip()
                if value == "0":
                    return ANY_SIZE
                return int(value) if _SIZE.fullmatch(value) else default
    return default


def fingerprint(text: str) -> str:
    """The first DTLS fingerprint, which tells whether two offers come from one peer; "" without one."""
    found = re.search(r"^a=fingerprint:(.+)$", text, re.M)
    return found.group(1).strip().lower() if found else ""


def identity(text: str) -> tuple[str, str]:
    """What stays the same in all offers of one peer (RFC 8829 section 5.2.2): fingerprint and session id.

    The fingerprint alone is that of a certificate, which a client may use for several peers.
    """
    found = re.search(r"^o=\S+ (\S+) ", text, re.M)
    return fingerprint(text), found.group(1) if found else ""


def ice_users(text: str) -> frozenset[str]:
    """The `ice-ufrag` values of an offer."""
    return frozenset(re.findall(r"^a=ice-ufrag:(\S+)", text, re.M))


def candidate_user(candidate: str) -> str:
    """The `ufrag` that a candidate says it belongs to; "" where it says none."""
    found = re.search(r" ufrag (\S+)", candidate)
    return found.group(1) if found else ""


def advertise(sdp: str, address: str) -> str:
    """Let every IPv4 host candidate carry `address`, by which clients reach this machine from outside."""
    return re.sub(
        r"^(a=candidate:\S+ \d+ udp \d+ )\d+(?:\.\d+){3}( \d+ typ host)",
        rf"\g<1>{address}\g<2>",
        sdp,
        flags=re.M,
    )


def bundled(head: list[str]) -> list[str]:
    """The mids of the first BUNDLE group, in its order; none without one."""
    prefix = "a=group:BUNDLE"
    found = next((line for line in head if line.split(" ", 1)[0] == prefix), "")
    return found.split(" ")[1:]


def with_candidates(sdp: str, candidates: list[tuple[str, str | None]]) -> str:
    """Add the gathered candidates, each with the mid it was found for, and say that they are all.

    Sections that are bundled share them all; those of the first would do, but aiortc takes those of a
    transport's last.
    """
    head, sections = parse_answer(sdp)
    group = set(bundled(head))

    def belongs(mid: str | None, section: MediaSection) -> bool:
        return mid is None or mid == section.mid or (mid in group and section.mid in group)

    for section in sections:
        if not section.rejected:
            section.lines += [f"a={text}" for text, mid in candidates if belongs(mid, section)]
            section.lines.append("a=end-of-candidates")
    return join(head, sections)
