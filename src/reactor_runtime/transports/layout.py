"""What of a client's offer an engine sees, and the client's view of the engine's answer. Pure.

Engines fail whole offers over sections that nobody needs: of an unknown kind, rejected, or the first of a
bundle without a codec in common. They get the others alone; the rest is answered here, with port 0 in its
place.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from reactor_runtime.errors import Refusal, RefusedError

from . import sdp
from .port import IceCandidate

MEDIA = ("audio", "video")
_TRANSPORT = ("a=ice-", "a=fingerprint:", "a=setup:", "a=candidate:", "a=end-of-candidates")
"""Attributes of a transport, which bundled sections share."""
_LIBWEBRTC = "a=extmap-allow-mixed"
"""What libwebrtc's offers say of the whole session; aiortc's and GStreamer's do not."""
_REJECTION = ("c=", "a=mid:", "a=rtpmap:", "a=fmtp:", "a=rtcp-mux")
"""What of an offered section is repeated in its rejection: clients look for codecs there as well."""


def untakeable(media: Sequence[sdp.MediaSection]) -> set[str]:
    """The mids of sections that no engine takes: rejected ones, of unknown kinds, and channels twice."""
    found, channels = set(), 0
    for part in media:
        channel = part.kind == "application" and "SCTP" in part.lines[0].upper()
        channels += channel
        if part.rejected or not (part.kind in MEDIA or (channel and channels == 1)):
            found.add(part.mid)
    return found


@dataclass(frozen=True)
class Layout:
    """One offer and its answer. A further offer of the same client is arranged after the one before."""

    offer: str
    """As the engine sees it."""
    slots: tuple[int | None, ...]
    """For each section of the client's offer, which of the engine's it is."""
    mids: tuple[str, ...]
    """Of the client's sections."""
    group: tuple[str, ...]
    """The mids that are bundled, as the engine sees them."""
    bundled: bool
    """Whether all that the engine sees shares one transport."""
    rejections: tuple[tuple[str, ...], ...]
    unnamed: frozenset[str]
    """Mids of ours, for sections that had none."""
    tag: str = ""
    """The first of the client's bundle, where the engine does not see it and the client cannot do without."""

    def engine_mids(self) -> list[str]:
        """In the engine's order."""
        taken = [(slot, mid) for mid, slot in zip(self.mids, self.slots, strict=True) if slot is not None]
        return [mid for _, mid in sorted(taken)]

    def restore(self, head: list[str], media: Sequence[sdp.MediaSection]) -> str:
        """The engine's answer with a section for each of the offer's, in its order.

        Raises `RefusedError` when that is too large.
        """
        transport = [line for line in media[0].lines if line.startswith(_TRANSPORT)]
        sections = []
        for slot, rejection in zip(self.slots, self.rejections, strict=True):
            if slot is not None and slot < len(media):
                part = media[slot]
                if part.mid in self.unnamed:
                    named = [line for line in part.lines if not line.startswith("a=mid:")]
                    part = replace(part, lines=named)
                sections.append(part)
            else:
                # aiortc insists on ICE credentials in every section.
                lines = [*rejection, *transport]
                sections.append(sdp.MediaSection("", "", "inactive", lines, []))
        if self.tag:
            head = _head(head, [self.tag, *sdp.bundled(head)])
        text = sdp.join(head, sections)
        sdp.check_answer(text)
        return text

    def place(self, candidate: IceCandidate) -> IceCandidate | None:
        """The candidate of a section as the engine counts them; None when it is for none of the engine's."""
        mid, index = candidate.sdp_mid, candidate.sdp_mline_index
        if mid not in self.mids and index is not None and index < len(self.mids):
            mid = self.mids[index]
        slot = self.slots[self.mids.index(mid)] if mid in self.mids else None
        if slot is None and self.bundled:
            # The transport of the bundle, whichever section it was named for.
            mid = self.group[0]
            slot = self.slots[self.mids.index(mid)]
        if mid is None or slot is None:
            return None
        return IceCandidate(candidate.candidate, mid, slot)


def arrange(
    head: list[str],
    media: Sequence[sdp.MediaSection],
    refused: Collection[str],
    before: Layout | None = None,
) -> Layout:
    """Leave out the sections of these mids, except those that the engine knows from `before`.

    Raises `RefusedError` when nothing is left, or the sections do not go on where they were.
    """
    mids = [part.mid for part in media]
    slots = _slots(mids, refused, before.slots if before else ())
    # In the engine's order, and copies: an engine may have to be given the same offer again.
    taken = sorted((slot, index) for index, slot in enumerate(slots) if slot is not None)
    seen = [replace(media[index], lines=[*media[index].lines]) for _, index in taken]
    group = [mid for mid in sdp.bundled(head) if mid in {part.mid for part in seen}]
    _move_transport(head, media, seen, group)
    tag = _indispensable(head, media, group)
    unnamed = {part.mid for part in media if not any(line.startswith("a=mid:") for line in part.lines)}
    for part in seen:
        if part.mid in unnamed:
            part.lines.append(f"a=mid:{part.mid}")
    return Layout(
        sdp.join(_head(head, group), seen),
        tuple(slots),
        tuple(mids),
        tuple(group),
        bool(group) and {part.mid for part in seen if not part.rejected} == set(group),
        tuple(_silence(part) if part.mid == tag else _rejection(part) for part in media),
        frozenset(unnamed),
        tag,
    )


def _slots(mids: Sequence[str], refused: Collection[str], known: Sequence[int | None]) -> list[int | None]:
    """For each section its number among those that the engine sees. Raises `RefusedError`."""
    if len(set(mids)) < len(mids):
        raise RefusedError(Refusal.INVALID, "invalid_sdp", "Two media sections of the SDP have the same mid.")
    if len(known) > len(mids):
        raise RefusedError(
            Refusal.INVALID,
            "invalid_sdp",
            "A further offer has at least as many media sections as the one before.",
        )
    slots: list[int | None] = [*known, *[None] * (len(mids) - len(known))]
    free = sum(slot is not None for slot in known)
    for index, mid in enumerate(mids):
        if slots[index] is None and mid not in refused:
            slots[index], free = free, free + 1
    if not free:
        raise RefusedError(
            Refusal.INVALID, "no_usable_section", "The offer has no media section that this server can take."
        )
    return slots


def _indispensable(head: list[str], media: Sequence[sdp.MediaSection], group: list[str]) -> str:
    """The mid of a bundle's first section that the engine does not see, if the client must keep it.

    libwebrtc takes no answer that rejects this one when the others share its transport from the start.
    """
    first = next(iter(sdp.bundled(head)), "")
    parts = {part.mid: part for part in media}
    if first not in parts:
        return ""
    if _LIBWEBRTC not in head or not group or first == group[0] or parts[first].rejected:
        return ""
    # Such sections have no transport of their own, or repeat the first one's.
    users = [sdp.ice_users("\n".join(parts[mid].lines)) for mid in (first, *group)]
    return first if any(user <= users[0] for user in users[1:]) else ""


def _head(head: list[str], group: list[str]) -> list[str]:
    """The session's lines with only these mids in the bundle."""
    lines = [line for line in head if not line.startswith("a=group:")]
    return [*lines, f"a=group:BUNDLE {' '.join(group)}"] if group else lines


def _silence(part: sdp.MediaSection) -> tuple[str, ...]:
    """An answer to a section that takes it and lets nothing flow."""
    line, *rest = _rejection(part)
    words = line.split(" ")
    return (" ".join([words[0], "9", *words[2:]]), *rest)


def _rejection(part: sdp.MediaSection) -> tuple[str, ...]:
    words = part.lines[0].split(" ")
    line = " ".join([words[0], "0", *words[2:]])
    kept = [line for line in part.lines[1:] if line.startswith(_REJECTION)]
    return (
        line,
        *([] if any(k.startswith("c=") for k in kept) else ["c=IN IP4 0.0.0.0"]),
        *kept,
        "a=inactive",
    )


def _move_transport(
    head: list[str], media: Sequence[sdp.MediaSection], seen: list[sdp.MediaSection], group: list[str]
) -> None:
    """Let the first section of the bundle say what the client's first says of their transport."""
    whole = sdp.bundled(head)
    if not group or whole[0] == group[0]:
        return
    first = next((part for part in media if part.mid == whole[0]), None)
    target = next(part for part in seen if part.mid == group[0])
    if first is None or first.rejected:
        return
    theirs, ours = sdp.ice_users("\n".join(first.lines)), sdp.ice_users("\n".join(target.lines))
    if not ours:
        target.lines += [line for line in first.lines if line.startswith(_TRANSPORT)]
    elif ours == theirs:
        target.lines += [line for line in first.lines if line.startswith("a=candidate:")]
