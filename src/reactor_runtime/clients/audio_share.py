"""What one client gets of the model's sound. The wire's engine encodes it, so that alone knows the bits.

Event loop only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reactor_runtime.errors import RefusedError
from reactor_runtime.session.sent import Sent

from .rate_meter import RateMeter

if TYPE_CHECKING:
    from reactor_runtime.session.session import Session
    from reactor_runtime.transports.wire import AudioSender, Wire

log = logging.getLogger(__name__)

CODEC = "opus"
"""The one of browsers, and of every wire here."""
LOOK_S = 0.2
"""What an engine may take to tell what it has sent; then what it told before stands."""


@dataclass(frozen=True)
class OutboundAudio:
    """What goes to one client of one track of sound, under the W3C's names where it has one."""

    track: str
    kind: str
    codec: str
    target_bitrate: int | None
    """Of the encoder, which is this client's own; None where the engine does not say."""
    sent_bitrate: int
    packets_sent: int
    bytes_sent: int


@dataclass
class _Stream:
    sender: AudioSender
    track: str
    meter: RateMeter
    target: int | None = None
    packets: int = 0
    bytes: int = 0
    counted: int = field(default=0)
    """Bytes that the session has been told of."""

    def take(self, told: Mapping[str, Any]) -> None:
        self.packets, self.bytes = int(told.get("packets_sent", 0)), int(told.get("bytes_sent", 0))
        self.target = round(told.get("target_bitrate") or 0) or None


class AudioShare:
    """The senders that a wire has for sound."""

    def __init__(self, session: Session, wire: Wire) -> None:
        self._session = session
        self._wire = wire
        self._streams: dict[str, _Stream] = {}

    def subscribe(self, sender: AudioSender, track: str) -> None:
        """Feed a sender, once."""
        if sender.mid not in self._streams:
            self._streams[sender.mid] = _Stream(sender, track, RateMeter(self._session.clock.time()))
            self._session.media.sound.subscribe(track, sender)

    async def end_all_but(self, heard: Collection[AudioSender]) -> None:
        """Feed those no more that are not among `heard`."""
        gone = [mid for mid, stream in self._streams.items() if stream.sender not in heard]
        if gone:
            await self.look()
            self.count()
        for mid in gone:
            self._session.media.sound.unsubscribe(self._streams.pop(mid).sender)

    async def look(self) -> None:
        """Ask the wire what it has sent."""
        if not self._streams:
            return
        try:
            report = await asyncio.wait_for(self._wire.stats(), LOOK_S)
        except (RefusedError, RuntimeError, TimeoutError) as error:
            log.debug("What has gone of a client's sound is not known: %s", error)
            return
        for told in report["outbound"]:
            stream = self._streams.get(told["mid"])
            if stream is not None:
                stream.take(told)

    def count(self) -> None:
        """Tell the session what has gone since the last time, as far as it is known."""
        for stream in self._streams.values():
            more, stream.counted = stream.bytes - stream.counted, stream.bytes
            self._session.sent.add(stream.track, CODEC, Sent(bytes=more))

    def rates(self) -> list[OutboundAudio]:
        """As they were when the wire was last asked."""
        now = self._session.clock.time()
        return [
            OutboundAudio(
                each.track,
                "audio",
                CODEC,
                each.target,
                each.meter.look(now, each.bytes),
                each.packets,
                each.bytes,
            )
            for each in self._streams.values()
        ]
