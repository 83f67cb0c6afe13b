"""The factory, and how its encoders find their tracks."""

from __future__ import annotations

import asyncio

import reactor_webrtc as rw

from reactor_runtime.errors import EngineError
from reactor_runtime.transports.port import PeerConfig
from reactor_runtime.transports.wire import Handle

from .gathering import Gathered
from .peer import ReactorWebRtcPeer


class ReactorWebRtcEngine:
    """One libwebrtc factory. There can be only one alive in a process."""

    name = "reactor-webrtc"
    descriptors_per_peer = 24
    """8 to 12 UDP sockets, and as many of TCP, on a machine with one or two addresses."""

    def __init__(self) -> None:
        builder = rw.PeerConnectionFactoryBuilder()
        # The receiver shows a frame when it has it: 28 ms become 16 (docs/architecture.md).
        builder.with_send_playout_delay(0.0, 0.0)
        builder.with_receive_playout_delay(0.0, 0.0)
        # Our payloads go out as the encoder made them.
        builder.with_metadata(False)
        builder.with_sctp_tuning(low_latency=True)
        self._factory: rw.PeerConnectionFactory | None = builder.build()
        # The engine gives a new encoder to the track that was created first and has none yet, whatever
        # connection asks. Two connections that come up at once would get each other's pictures. Under this
        # lock there is never more than one such track.
        self._slots = asyncio.Lock()
        self._gathered = Gathered()

    async def create_peer(self, config: PeerConfig, handle: Handle) -> ReactorWebRtcPeer:
        if self._factory is None:
            raise EngineError("The media engine is closed.")
        return ReactorWebRtcPeer(self._factory, self._slots, config, handle, self._gathered)

    def connection(
        self, configuration: rw.RtcConfiguration, observer: rw.PeerConnectionObserver
    ) -> rw.PeerConnection:
        """One of the engine's own, for who plays the other side (`rehearsal`)."""
        if self._factory is None:
            raise EngineError("The media engine is closed.")
        return self._factory.create_peer_connection(configuration, observer)

    def close(self) -> None:
        """Let the factory go. Peers must be closed before."""
        self._factory = None
