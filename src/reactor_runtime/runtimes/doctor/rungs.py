"""A real connection of this process to itself on each rung: ICE, DTLS, a message, a picture."""

from __future__ import annotations

import asyncio
from typing import cast

from reactor_runtime.media.encoders import (
    EncodedFrame,
    EncoderChoice,
    EncoderSettings,
    VideoCodec,
    create_encoder,
)
from reactor_runtime.runtimes.door.connections import Connections, Slot
from reactor_runtime.runtimes.door.splice import MediaPort, Splice
from reactor_runtime.transports.reactor_webrtc import ReactorWebRtcEngine
from reactor_runtime.transports.reactor_webrtc.rehearsal import Rehearsed, rehearse
from reactor_runtime.transports.tcp_media import TcpMediaEngine, TcpPeers, with_passive

from .finding import Finding, ok, problem
from .machine import SIZE, black

WITHIN_S = 10.0


async def rungs() -> list[Finding]:
    frame = _picture()
    engine = ReactorWebRtcEngine()
    try:
        udp = await rehearse(engine, engine, frame, WITHIN_S)
        tcp = await _over_tcp(engine, frame)
    finally:
        engine.close()
    return [_said("rung_udp", "UDP", udp), _said("rung_tcp", "TCP on the HTTP port", tcp)]


def _picture() -> EncodedFrame:
    encoder = create_encoder(VideoCodec.VP8, *SIZE, 1_000_000, EncoderSettings(choice=EncoderChoice.VP8))
    try:
        [frame] = encoder.encode(black(), 0, True)
        return frame
    finally:
        encoder.close()


async def _over_tcp(engine: ReactorWebRtcEngine, frame: EncodedFrame) -> Rehearsed:
    """As in `reactor run`, without HTTP beside it."""
    peers, all_of_them = TcpPeers(), Connections(8)
    media = MediaPort(peers)
    streams: list[asyncio.Transport] = []
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: _Accepted(media, all_of_them, streams), "127.0.0.1", 0)
    port = int(listening.sockets[0].getsockname()[1])
    try:
        return await rehearse(
            engine,
            TcpMediaEngine(engine, peers, only=True),
            frame,
            WITHIN_S,
            completed=lambda answer: with_passive(answer, "127.0.0.1", port),
        )
    finally:
        listening.close()
        for stream in streams:
            stream.abort()
        await asyncio.sleep(0)  # they are told that they are closed, and close their sockets


class _Accepted(asyncio.Protocol):
    """What the acceptor does for media."""

    def __init__(self, media: MediaPort, connections: Connections, streams: list[asyncio.Transport]) -> None:
        self._media = media
        self._connections = connections
        self._streams = streams
        """All that came."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast("asyncio.Transport", transport)
        self._streams.append(stream)
        slot = Slot(self._connections, stream, self, "127.0.0.1")
        self._connections.admit(slot)
        splice = Splice(self._media, slot, asyncio.get_running_loop())
        slot.holder = splice
        stream.set_protocol(splice)
        splice.connection_made(stream)

    def expire(self) -> None:
        """A splice holds the slot."""


def _said(check: str, name: str, found: Rehearsed) -> Finding:
    if found.picture is not None and found.connected is not None:
        return ok(
            check,
            f"Media over {name}: connected in {found.connected:.1f} s, a picture in {found.picture:.1f} s.",
        )
    if found.message is not None:
        what = "connects, and no picture arrives: is another program using all of this machine?"
    elif found.connected is not None:
        what = "connects, and no message arrives: report this with the output of `reactor doctor --json`."
    else:
        what = (
            "does not connect on this machine itself: a firewall drops packets to its own addresses, or it "
            "has none but loopback."
        )
    return problem(check, f"Media over {name} {what}")
