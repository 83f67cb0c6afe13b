"""Between our words and the engine's."""

from __future__ import annotations

import reactor_webrtc as rw

from reactor_runtime.transports import sdp
from reactor_runtime.transports.port import PeerConfig, PeerState, Section

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


def to_configuration(config: PeerConfig) -> rw.RtcConfiguration:
    low, high = config.port_range or (0, 0)
    return rw.RtcConfiguration(
        ice_servers=[
            rw.IceServer(urls=list(server.urls), username=server.username, password=server.credential)
            for server in config.ice_servers
        ],
        ice_transport_type="relay" if config.relay_only else "all",
        bundle_policy=rw.BundlePolicy.MaxBundle,
        min_port=low,
        max_port=high,
        frame_metadata=False,
        dc_chunking=False,
    )


def to_direction(section: Section) -> rw.TransceiverDirection:
    if not section.sends:
        return rw.TransceiverDirection.RecvOnly
    return rw.TransceiverDirection.SendRecv if section.back else rw.TransceiverDirection.SendOnly


def prepare_section(part: sdp.MediaSection, section: Section | None) -> None:
    """Order the offer's codecs by our wish; the engine answers in the order of the offer."""
    part.lines[:] = [line for line in part.lines if sdp.usable_line(line)]
    if section is None or part.kind != "video":
        return
    if section.sends and not section.back:
        sdp.keep_h264_profile(part)
        sdp.prefer(part, [str(codec) for codec in section.codecs])
    else:
        # The engine decodes no H.264 on Linux, and SDKs around aiortc choose it whatever we prefer.
        sdp.drop(part, "H264")
        sdp.prefer(part, ["VP8", "VP9", "AV1"])
