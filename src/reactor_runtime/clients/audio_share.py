"""What one client gets of the model's sound. The wire's engine encodes it, so that alone knows the bits.

Event loop only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reactor_runtime.session.sent import Sent

from .rate_meter import RateMeter

if TYPE_CHECKING:
    from reactor_runtime.session.session import Session
    from reactor_runtime.transports.wire import AudioSender

CODEC = "opus"
"""The one of browsers, and of every wire here."""


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

    def __init__(self, session: Session) -> None:
        self.streams: dict[str, _Stream] = {}
        """By mid."""
        self._session = session

    def subscribe(self, sender: AudioSender, track: str) -> None:
        """Feed a sender, once."""
        if sender.mid not in self.streams:
            self.streams[sender.mid] = _Stream(sender, track, RateMeter(self._session.clock.time()))
            self._session.media.sound.subscribe(track, sender)

    def has_others_than(self, heard: Collection[AudioSender]) -> bool:
        return any(stream.sender not in heard for stream in self.streams.values())

    def end_all_but(self, heard: Collection[AudioSender]) -> None:
        """Feed those no more that are not among `heard`."""
        self.count()
        for mid, stream in list(self.streams.items()):
            if stream.sender not in heard:
                self._session.media.sound.unsubscribe(self.streams.pop(mid).sender)

    def take(self, outbound: Iterable[Mapping[str, Any]]) -> None:
        """What the wire says that it has sent."""
        for told in outbound:
            stream = self.streams.get(told["mid"])
            if stream is not None:
                stream.take(told)

    def count(self) -> None:
        """Tell the session what has gone since the last time, as far as it is known."""
        for stream in self.streams.values():
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
            for each in self.streams.values()
        ]
