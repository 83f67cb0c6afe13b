"""What one client is told, and how it writes. Event loop only."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from reactor_runtime.protocol.message_format import (
    CONTROL,
    DATA,
    JsonFormat,
    MessageFormat,
    Outgoing,
    Write,
    format_for,
)
from reactor_runtime.session.losses import Losses, Lost

from .channels import CHANNEL_WAIT_S, NO_CHANNEL, Notice, notice

if TYPE_CHECKING:
    from reactor_runtime.clock import Clock, Timer
    from reactor_runtime.transports.wire import Wire

    from .negotiation import Offer

log = logging.getLogger(__name__)

FORMAT_WAIT_S = 2.0
"""How long messages are held for a client that has not shown its way of writing; then it gets JSON."""
HELD_MESSAGES = 256
"""Messages held at most; one more drops the oldest."""


class Conversation:
    """Held is what cannot be sent yet: until the client's channel is open, while its format is unknown."""

    def __init__(
        self,
        wire: Wire,
        offer: Offer,
        message_format: MessageFormat | None,
        lost: Losses,
        number: int,
        clock: Clock,
    ) -> None:
        """Without a `message_format`, the first inbound message decides."""
        self.format = message_format
        self.notice: Notice | None = None if offer.has_channel else NO_CHANNEL
        """Why this client cannot be talked to; None when it can, or is still expected to."""
        self._wire = wire
        self._offer = offer
        self._lost = lost
        self._number = number
        self._clock = clock
        self._channels: set[str] = set()
        """Those that are open."""
        self._held: deque[Write] = deque(maxlen=HELD_MESSAGES)
        self._told_size = False
        self._format_timer: Timer | None = None
        self._channel_timer: Timer | None = None
        self._closed = False

    @property
    def open(self) -> bool:
        """Whether the client's channel is."""
        return DATA in self._channels

    def renegotiated(self, offer: Offer) -> None:
        self._offer = offer

    def send(self, write: Write) -> bool:
        """Tell the client something; False when it cannot be reached."""
        if self._closed or not self._offer.has_channel:
            return False
        if self.format is None or not self.open:
            if len(self._held) == HELD_MESSAGES:
                self._lost.add(Lost.UNSENT)
            self._held.append(write)
            return True
        outgoing = write(self.format)
        return outgoing is None or self._write(outgoing)

    def heard(self, data: bytes, binary: bool) -> None:
        """The client has said something: its first message shows how it writes."""
        if self.format is None:
            self.settle(format_for(data, binary))

    def settle(self, message_format: MessageFormat) -> None:
        """Decide how this client writes, once, and send what was held."""
        if self.format is not None:
            return
        self.format = message_format
        if self._format_timer is not None:
            self._format_timer.cancel()
        self._send_held()

    def await_format(self) -> None:
        """The client can write from now on: it has a moment to show how."""
        if self.format is None:
            self._format_timer = self._clock.call_later(FORMAT_WAIT_S, self.settle, JsonFormat())

    def opened(self, label: str) -> None:
        self._channels.add(label)
        if label == DATA:
            self._send_held()

    def ended(self, label: str) -> None:
        self._channels.discard(label)

    def await_channel(self, then: Callable[[], None]) -> None:
        """The client is connected; `then` is called when it has opened no channel `data` in time, which
        the `notice` says from then on."""
        if self._channel_timer is None:
            self._channel_timer = self._clock.call_later(CHANNEL_WAIT_S, self._go_without, then)

    def _go_without(self, then: Callable[[], None]) -> None:
        if self._closed or self.open:
            return
        others = sorted(self._channels - {DATA, CONTROL})
        if others:
            log.warning("Connection %d opened the channel %r, not 'data'", self._number, others[0][:40])
        self.notice = notice(offered=True, opened=bool(others))
        then()

    def close(self) -> None:
        self._closed = True
        for timer in (self._format_timer, self._channel_timer):
            if timer is not None:
                timer.cancel()
        self._held.clear()

    def _send_held(self) -> None:
        if self.format is not None and self.open:
            while self._held:
                self.send(self._held.popleft())

    def _write(self, outgoing: Outgoing) -> bool:
        size, limit = len(outgoing.data), self._offer.message_limit
        if size <= limit and self._wire.send(outgoing.label, outgoing.data, binary=outgoing.binary):
            return True
        self._lost.add(Lost.UNSENT)
        if size > limit and not self._told_size:
            self._told_size = True
            log.warning(
                "Connection %d takes messages of %d bytes at most; one of %d was dropped. Said once for each "
                "client.",
                self._number,
                limit,
                size,
            )
        return False
