"""The little of SDP (RFC 8866) that we read or rewrite ourselves. Pure functions on text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from reactor_runtime.errors import RequestError

SDP_LIMIT = 64 * 1024
"""Bytes of an offer; browsers send 3 to 12 KiB."""

ANY_SIZE = 256 * 1024
"""Bytes of a message for a client that sets no bound."""
OPUS_BPS = {1: 64_000, 2: 128_000}
"""Bits per second by channels: transparent for most music. Engines would take 32,000 and 64,000."""

_RTPMAP = re.compile(r"^a=rtpmap:(\d{1,3}) ([A-Za-z0-9_.-]+)/(\d+)", re.M)
_FMTP = re.compile(r"^a=fmtp:(\d{1,3}) (.+)$", re.M)
_SIZE = re.compile(r"[1-9][0-9]{0,11}")
_DIRECTION = re.compile(r"^a=(sendrecv|sendonly|recvonly|inactive)\s*$", re.M)


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
        return self.lines[0].split(" ")[1] == "0" and "a=bundle-only" not in self.lines


def parse(sdp: str) -> tuple[list[str], list[MediaSection]]:
    """Session-level lines and media sections. Raises `RequestError` (400) on what is no offer."""
    try:
        size = len(sdp.encode("utf-8"))
    except UnicodeEncodeError:
        # JSON can say half a character; no engine can be told.
        raise RequestError(400, "invalid_sdp", "The SDP is not text: it has half a character.") from None
    if size > SDP_LIMIT:
        raise RequestError(413, "sdp_too_large", f"The SDP is larger than {SDP_LIMIT // 1024} KiB.")
    lines = sdp.replace("\r\n", "\n").strip("\n").split("\n")
    if not lines or lines[0] != "v=0":
        raise RequestError(
            400, "invalid_sdp", "The SDP does not begin with v=0; send what createOffer() gave."
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
        raise RequestError(400, "invalid_sdp", "The SDP has no media section.")
    return head, [_section(block, index) for index, block in enumerate(blocks)]


def _section(lines: list[str], index: int) -> MediaSection:
    words = lines[0][2:].split(" ")
    if len(words) < 4 or not words[1].split("/")[0].isdigit():
        raise RequestError(400, "invalid_sdp", f"The media line {lines[0][:80]!r} of the SDP is malformed.")
    text = "\n".join(lines)
    mid = next((line[6:].strip() for line in lines if line.startswith("a=mid:")), str(index))
    direction = _DIRECTION.search(text)
    return MediaSection(
        kind=words[0],
        mid=mid,
        direction=direction.group(1) if direction else "sendrecv",
        lines=lines,
        payloads=words[3:],
        codecs={number: name.upper() for number, name, _ in _RTPMAP.findall(text)},
    )


def prefer(section: MediaSection, names: list[str]) -> None:
    """Put the payload types of the named codecs in front, in that order; nothing is removed."""

    def rank(payload: str) -> int:
        name = section.codecs.get(payload, "")
        return names.index(name) if name in names else len(names)

    section.payloads.sort(key=rank)  # stable: the client's own order decides among equals
    words = section.lines[0].split(" ")
    section.lines[0] = " ".join([*words[:3], *section.payloads])


def drop(section: MediaSection, name: str) -> None:
    """Take a codec out of the section, with its retransmissions; one that is left alone stays."""
    gone = {payload for payload in section.payloads if section.codecs.get(payload) == name}
    parameters = _FMTP.findall("\n".join(section.lines))
    gone |= {number for number, text in parameters if text.strip() in {f"apt={payload}" for payload in gone}}
    if not set(section.payloads) - gone:
        return
    section.payloads = [payload for payload in section.payloads if payload not in gone]
    section.codecs = {payload: codec for payload, codec in section.codecs.items() if payload not in gone}
    words = section.lines[0].split(" ")
    kept = [line for line in section.lines[1:] if _payload_of(line) not in gone]
    section.lines[:] = [" ".join([*words[:3], *section.payloads]), *kept]


def _payload_of(line: str) -> str:
    """The payload type that an attribute is about; "" for other lines."""
    name, _, value = line.partition(":")
    return value.split(" ")[0] if name in ("a=rtpmap", "a=fmtp", "a=rtcp-fb") else ""


def keep_h264_profile(section: MediaSection) -> None:
    """Prefer the H.264 payloads that any baseline stream satisfies: packetization-mode 1, a baseline profile.

    Levels are left alone: what we send is not bound to the level of the offer (RFC 6184 section 8.2.2).
    """
    parameters = dict(_FMTP.findall("\n".join(section.lines)))

    def rank(payload: str) -> int:
        if section.codecs.get(payload) != "H264":
            return 0
        text = parameters.get(payload, "").lower()
        return (0 if "packetization-mode=1" in text else 2) + (0 if "profile-level-id=42" in text else 1)

    h264 = sorted((p for p in section.payloads if section.codecs.get(p) == "H264"), key=rank)
    iterator = iter(h264)
    section.payloads = [next(iterator) if section.codecs.get(p) == "H264" else p for p in section.payloads]


def set_opus(section: MediaSection, parameters: dict[str, str]) -> None:
    """Add to what a section says about Opus (RFC 7587 section 6.1), or replace it."""
    for payload in [p for p in section.payloads if section.codecs.get(p) == "OPUS"]:
        prefix = f"a=fmtp:{payload} "
        found = next((i for i, line in enumerate(section.lines) if line.startswith(prefix)), None)
        words = section.lines[found][len(prefix) :].split(";") if found is not None else []
        known = dict(word.strip().partition("=")[::2] for word in words if word.strip())
        text = prefix + ";".join(f"{key}={value}" for key, value in (known | parameters).items())
        if found is None:
            rtpmap = next(
                i for i, line in enumerate(section.lines) if line.startswith(f"a=rtpmap:{payload} ")
            )
            section.lines.insert(rtpmap + 1, text)
        else:
            section.lines[found] = text


def opus(channels: int) -> dict[str, str]:
    """How sound of so many channels is to be encoded; without it a receiver gets mono at a low rate."""
    stereo = "1" if channels == 2 else "0"
    return {"stereo": stereo, "sprop-stereo": stereo, "maxaveragebitrate": str(OPUS_BPS[channels])}


def usable_candidate(candidate: str) -> bool:
    """Whether a candidate can lead anywhere: UDP, to an address rather than a browser's ``.local`` name."""
    words = candidate.split()
    if len(words) < 8 or words[2].lower() != "udp":
        return False
    return not words[4].lower().endswith(".local")


def usable_line(line: str) -> bool:
    """False for a candidate line that `usable_candidate` refuses."""
    return not line.startswith("a=candidate:") or usable_candidate(line[2:])


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


def with_candidates(sdp: str, candidates: list[tuple[str, str | None]]) -> str:
    """Add all gathered candidates to each section, and say that they are all.

    The sections are bundled, so those of the first would do; but aiortc takes those of a transport's last.
    """
    head, sections = parse(sdp)
    lines = [*(f"a={candidate}" for candidate, _ in candidates), "a=end-of-candidates"]
    for section in sections:
        if not section.rejected:
            section.lines += lines
    return join(head, sections)
