"""Between our words and the engine's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import reactor_webrtc as rw

from reactor_runtime.transports import sdp
from reactor_runtime.transports.port import PeerConfig, Section
from reactor_runtime.transports.wire import PeerState

DECODED = {"video": ("VP8", "VP9", "AV1"), "audio": ("OPUS", "G722", "PCMU", "PCMA")}
"""What the engine decodes everywhere, the preferred first."""
VIDEO_CODECS = frozenset({"VP8", "VP9", "AV1", "H264", "H265"})
ORIENTATION = "urn:3gpp:video-orientation"
"""With this extension a phone sends its pictures as its sensor lies, and says how to turn them."""

# Pairs, because the engine's enumerations cannot be hashed.
_STATES = (
    (rw.PeerConnectionState.New, PeerState.NEW),
    (rw.PeerConnectionState.Connecting, PeerState.CONNECTING),
    (rw.PeerConnectionState.Connected, PeerState.CONNECTED),
    (rw.PeerConnectionState.Disconnected, PeerState.DISCONNECTED),
    (rw.PeerConnectionState.Failed, PeerState.FAILED),
    (rw.PeerConnectionState.Closed, PeerState.CLOSED),
)


def to_state(state: rw.PeerConnectionState) -> PeerState:
    return next(ours for theirs, ours in _STATES if theirs == state)


def to_configuration(config: PeerConfig, bundled: bool) -> rw.RtcConfiguration:
    low, high = config.port_range or (0, 0)
    return rw.RtcConfiguration(
        ice_servers=[
            rw.IceServer(urls=list(server.urls), username=server.username, password=server.credential)
            for server in config.ice_servers
        ],
        ice_transport_type="relay" if config.relay_only else "all",
        # MaxBundle refuses offers that do not bundle everything.
        bundle_policy=rw.BundlePolicy.MaxBundle if bundled else rw.BundlePolicy.Balanced,
        min_port=low,
        max_port=high,
        tcp_candidate_policy=rw.TcpCandidatePolicy.Enabled if config.tcp else rw.TcpCandidatePolicy.Disabled,
        frame_metadata=False,
        dc_chunking=False,
    )


def to_direction(section: Section | None, decodes: bool) -> rw.TransceiverDirection:
    """`decodes`: whether anything here decodes what the client sends on the section."""
    if section is None:
        return rw.TransceiverDirection.Inactive
    receives = decodes and (section.back is not None or not section.sends)
    if section.sends:
        return rw.TransceiverDirection.SendRecv if receives else rw.TransceiverDirection.SendOnly
    return rw.TransceiverDirection.RecvOnly if receives else rw.TransceiverDirection.Inactive


def inbound_codec(part: sdp.MediaSection) -> str | None:
    """What a client's section is received as; None when nothing here decodes any of it."""
    offered = {part.codecs.get(payload) for payload in part.payloads}
    return next((name for name in DECODED[part.kind] if name in offered), None)


def outbound_codecs(part: sdp.MediaSection, section: Section) -> set[str]:
    """What of a section's codecs we encode."""
    offered = {part.codecs.get(payload, "") for payload in part.payloads}
    return offered & ({"OPUS"} if section.kind == "audio" else set(map(str, section.codecs)))


def unsendable(media: Sequence[sdp.MediaSection], sections: Mapping[str, Section]) -> set[str]:
    """The mids of sections that only receive, and nothing that we encode."""
    found = set()
    for part in media:
        section = sections.get(part.mid)
        if section is None or not section.sends or section.back:
            continue
        if not outbound_codecs(part, section):
            found.add(part.mid)
    return found


def receives(section: Section) -> bool:
    return section.back is not None or not section.sends


def prepare_section(part: sdp.MediaSection, section: Section | None, sender_turns: bool) -> None:
    """Order the offer's codecs by our wish; the engine answers in the order of the offer."""
    if part.kind != "video":
        return
    if sender_turns:
        # The engine does not say how a picture lies.
        sdp.drop_extension(part, ORIENTATION)
    if section is None:
        return
    codec = inbound_codec(part)
    if receives(section) and codec is not None:
        # One alone: its header tells how large a picture is. SDKs around aiortc would choose H.264, which the
        # engine does not decode on Linux.
        for name in VIDEO_CODECS - {codec}:
            sdp.drop(part, name)
    else:
        sdp.keep_h264_profile(part)
        sdp.prefer(part, [str(codec) for codec in section.codecs])
