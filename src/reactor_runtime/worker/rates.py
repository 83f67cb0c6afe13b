"""Rates of the running session for Prometheus, by track and codec. Event loop only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge

from reactor_runtime.clients.audio_share import CODEC as AUDIO_CODEC

if TYPE_CHECKING:
    from reactor_runtime.clients.connection import Connection
    from reactor_runtime.session.session import Session

STREAM = ("track", "codec")
Count = Callable[[Counter, str, float], None]
"""Brings a counter up to a total of the session; the name keeps it apart from others."""


class RateMetrics:
    """Labels are declared tracks and known codecs; clients are none."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._estimate = Gauge(
            "reactor_available_outgoing_bitrate",
            "What the slowest client's network is thought to carry, bits a second",
            STREAM,
            registry=registry,
        )
        self._target = Gauge(
            "reactor_target_bitrate",
            "What the encoder was told to make, bits a second",
            STREAM,
            registry=registry,
        )
        self._sent = Gauge(
            "reactor_sent_bitrate", "What goes to all clients, bits a second", STREAM, registry=registry
        )
        self._bytes = Counter("reactor_sent_bytes", "Media that went to clients", STREAM, registry=registry)
        self._frames = Counter("reactor_sent_frames", "Video of that, in frames", STREAM, registry=registry)
        self._waits = Counter(
            "reactor_keyframe_waits",
            "How often a client lost its place and had to wait for a keyframe",
            STREAM,
            registry=registry,
        )

    def show(self, connections: Iterable[Connection]) -> None:
        """The present rates; those of streams that nobody takes any more go."""
        self._estimate.clear()
        self._target.clear()
        self._sent.clear()
        slowest: dict[tuple[str, str], float] = {}
        for connection in connections:
            for rate in connection.media.rates():
                stream = (rate.track, rate.codec)
                self._target.labels(*stream).set(rate.target_bitrate)
                self._sent.labels(*stream).inc(rate.sent_bitrate)
                if rate.available_outgoing_bitrate is not None:
                    slowest[stream] = min(slowest.get(stream, float("inf")), rate.available_outgoing_bitrate)
            for sound in connection.media.audio.rates():
                stream = (sound.track, sound.codec)
                self._sent.labels(*stream).inc(sound.sent_bitrate)
                if sound.target_bitrate is not None:
                    self._target.labels(*stream).set(sound.target_bitrate)
        for stream, estimate in slowest.items():
            self._estimate.labels(*stream).set(estimate)

    def collect(self, session: Session, count: Count) -> None:
        for (track, codec), sent in session.sent.by_stream.items():
            name = f"sent {track} {codec}"
            count(self._bytes.labels(track, codec), f"{name} bytes", sent.bytes)
            if codec == AUDIO_CODEC:
                continue
            count(self._frames.labels(track, codec), f"{name} frames", sent.frames)
            count(self._waits.labels(track, codec), f"{name} waits", sent.keyframe_waits)
