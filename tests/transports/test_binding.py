"""A connection whose tracks the engine does not make."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import Mock

from reactor_runtime.media.encoders import VideoCodec
from reactor_runtime.transports.port import PeerConfig
from reactor_runtime.transports.reactor_webrtc.gathering import Gathered
from reactor_runtime.transports.reactor_webrtc.peer import ReactorWebRtcPeer
from reactor_runtime.transports.reactor_webrtc.sender import InlineVideoSender
from reactor_runtime.transports.wire import PeerState, StateChanged


class BrokenFactory:
    """Stands where the engine's would: a real one cannot be made to refuse a track."""

    def create_video_track_with_options(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("no more tracks")


def test_a_connection_that_gets_no_track_fails_at_once_and_frees_the_slot() -> None:
    async def play() -> None:
        events, slots = Mock(), asyncio.Lock()
        factory: Any = BrokenFactory()
        peer = ReactorWebRtcPeer(factory, slots, PeerConfig(), events, Gathered())
        peer._engine.outbound.senders["0"] = InlineVideoSender("0", VideoCodec.VP8, lambda: None)
        peer._engine.outbound.transceivers["0"] = Mock()
        peer._on_state(PeerState.CONNECTED)
        assert peer._binding is not None
        await asyncio.wait_for(peer._binding, 5)

        events.assert_called_once_with(StateChanged(PeerState.FAILED))
        assert not slots.locked()
        assert peer.video_senders == ()
        await peer.close()

    asyncio.run(play())
