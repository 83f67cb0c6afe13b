"""The data channels of one peer."""

from __future__ import annotations

import logging
from collections.abc import Callable

import reactor_webrtc as rw

from reactor_runtime.transports.wire import (
    CHANNELS_LIMIT,
    ChannelRefused,
    Closed,
    Handle,
    MessageReceived,
    Opened,
)

log = logging.getLogger(__name__)

Post = Callable[..., None]
"""Runs a function with its arguments on the event loop, from any thread."""


def _unheard(*_: object) -> None:
    """Nobody listens any more."""


class Channels:
    """By label. Event loop only, except `announce`."""

    def __init__(self, handle: Handle, post: Post) -> None:
        self._handle = handle
        self._post = post
        self._announced: dict[str, rw.DataChannel] = {}
        """Channels that are not open yet; what is sent on one is lost."""
        self._open: dict[str, rw.DataChannel] = {}
        self._count = 0

    def announce(self, channel: rw.DataChannel) -> None:
        # Native thread: listeners must be there before the first message is.
        self._count += 1
        if self._count > CHANNELS_LIMIT:
            # Closing waits for native threads: not here, on one of them.
            self._post(self._refuse, channel)
            return
        label = channel.label()
        channel.on_message(
            lambda data, binary: self._post(self._handle, MessageReceived(label, data, binary))
        )
        channel.on_close(lambda: self._post(self._on_closed, label))
        self._announced[label] = channel
        # By its label: a channel that its own callback holds is never let go.
        channel.on_open(lambda: self._post(self._on_opened, label))
        if channel.state() == rw.DataChannelState.Open:
            self._post(self._on_opened, label)

    def send(self, label: str, data: bytes, *, binary: bool) -> bool:
        channel = self._open.get(label)
        if channel is None:
            return False
        try:
            # Its state is not asked before: the engine answers that on another thread, which takes half as
            # long as sending does, and it refuses what cannot be sent.
            channel.send(data, binary)
        except RuntimeError as error:
            log.debug("A message of %d bytes on %r was not sent: %s", len(data), label, error)
            return False
        return True

    def buffered(self) -> int:
        return sum(channel.buffered_amount() for channel in self._open.values())

    def release(self) -> list[object]:
        """Close and forget all; what the engine has to let go of is in the result."""
        channels = [*self._announced.values(), *self._open.values()]
        self._announced, self._open = {}, {}
        for channel in channels:
            channel.close(0.0)
        # The peer owns us: what is let go must go at once, its factory too, not when garbage is collected.
        self._post = _unheard
        return [channels]

    def _refuse(self, channel: rw.DataChannel) -> None:
        channel.close(0.0)
        self._handle(ChannelRefused())

    def _on_opened(self, label: str) -> None:
        channel = self._announced.pop(label, None)
        if channel is not None:
            self._open[label] = channel
            self._handle(Opened(label))

    def _on_closed(self, label: str) -> None:
        if self._open.pop(label, None) is not None:
            self._handle(Closed(label))
