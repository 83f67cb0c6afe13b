"""A data channel that the engine announces before anything can be sent on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
import reactor_webrtc as rw

from reactor_runtime.transports.port import PeerConfig
from reactor_runtime.transports.reactor_webrtc.gathering import Gathered
from reactor_runtime.transports.reactor_webrtc.peer import ReactorWebRtcPeer
from reactor_runtime.transports.wire import Handle, Opened


class Channel:
    """Stands where the engine's would: how long a real one takes to open is a matter of chance."""

    def __init__(self, state: rw.DataChannelState) -> None:
        self.now = state
        self.sent: list[bytes] = []
        self.closed = False
        self.opened: Callable[[], None] | None = None

    def label(self) -> str:
        return "data"

    def state(self) -> rw.DataChannelState:
        return self.now

    def on_message(self, _: Any) -> None: ...

    def on_close(self, _: Any) -> None: ...

    def on_open(self, callback: Callable[[], None]) -> None:
        self.opened = callback

    def open(self) -> None:
        self.now = rw.DataChannelState.Open
        assert self.opened is not None
        self.opened()

    def send(self, data: bytes, _binary: bool) -> None:
        assert self.now is rw.DataChannelState.Open
        self.sent.append(data)

    def close(self, _timeout: float) -> None:
        self.closed = True


def made(events: Handle, channel: Channel) -> ReactorWebRtcPeer:
    factory: Any = None
    announced: Any = channel
    peer = ReactorWebRtcPeer(factory, asyncio.Lock(), PeerConfig(), events, Gathered())
    peer._engine.channels.announce(announced)
    return peer


def test_a_channel_is_reported_when_it_can_be_sent_on() -> None:
    async def play() -> None:
        events, channel = Mock(), Channel(rw.DataChannelState.Connecting)
        peer = made(events, channel)
        await asyncio.sleep(0)
        events.assert_not_called()
        assert not peer.send("data", b"early")

        channel.open()
        await asyncio.sleep(0)
        events.assert_called_once_with(Opened("data"))
        assert peer.send("data", b"first")
        assert channel.sent == [b"first"]
        await peer.close()
        assert channel.closed

    asyncio.run(play())


def test_a_channel_that_is_open_when_it_is_announced_is_reported_once() -> None:
    async def play() -> None:
        events, channel = Mock(), Channel(rw.DataChannelState.Open)
        peer = made(events, channel)
        channel.open()
        await asyncio.sleep(0)

        events.assert_called_once_with(Opened("data"))
        await peer.close()

    asyncio.run(play())


@pytest.mark.parametrize("opens", [False, True])
def test_a_connection_that_closes_meanwhile_takes_its_channel_along(opens: bool) -> None:
    async def play() -> None:
        events, channel = Mock(), Channel(rw.DataChannelState.Connecting)
        peer = made(events, channel)
        await peer.close()
        assert channel.closed
        if opens:
            channel.open()
            await asyncio.sleep(0)
        events.assert_not_called()

    asyncio.run(play())
