"""Sound of one peer: the engine takes raw samples and encodes them itself (Opus), once for each peer."""

from __future__ import annotations

import reactor_webrtc as rw

from reactor_runtime.clock import WALL
from reactor_runtime.transports import sdp
from reactor_runtime.transports.port import Section

PACKET_MS = 10
"""Sound in one packet: half of Opus' usual 20 ms, which is 10 ms less to wait, for some more headers."""


def engine_offset() -> int:
    """Microseconds from our clock, `clock.WALL`, to the engine's, which stamps sound and pictures."""
    return rw.time_micros() - int(WALL.time() * 1e6)


class PcmSender:
    """Implements `transports.port.AudioSender`. Each has a track of its own: peers never share a buffer."""

    def __init__(self, factory: rw.PeerConnectionFactory, mid: str) -> None:
        self.mid = mid
        self.open = False
        self.track: rw.Track | None = factory.create_audio_track_with_options(
            f"audio-{mid}", source=rw.AudioTrackSource.LocalPush
        )
        self._offset = engine_offset()

    def push(self, pcm: bytes, rate: int, channels: int, at: float) -> None:
        track = self.track
        if self.open and track is not None:
            track.push_pcm(pcm, rate, channels, capture_time_us=int(at * 1e6) + self._offset)


def prepare_offer(media: list[sdp.MediaSection], sections: dict[str, Section]) -> None:
    """Ask our own encoder for what the tracks have: it does what the offer says that the client wants."""
    if any(section.kind == "audio" for section in sections.values()):
        for part in media:
            if part.kind == "audio":
                _set_opus(part, sections)
                part.lines.append(f"a=ptime:{PACKET_MS}")


def complete_answer(media: list[sdp.MediaSection], sections: dict[str, Section]) -> None:
    """Say in the answer what we send and want: browsers decode and send mono until they read otherwise."""
    for part in media:
        if part.kind == "audio" and part.mid in sections:
            _set_opus(part, sections)


def _set_opus(part: sdp.MediaSection, sections: dict[str, Section]) -> None:
    # The same in all sections: they share a transport, and there one payload type means one thing.
    channels = max(section.channels for section in sections.values())
    sdp.set_opus(part, sdp.opus(max(1, channels)))
