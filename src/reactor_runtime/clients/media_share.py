"""What one client gets of the model's media: its senders, and what they are fed with."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reactor_runtime.clock import timeout
from reactor_runtime.errors import RefusedError
from reactor_runtime.session.losses import Lost

from .audio_share import AudioShare
from .loss_watch import LossWatch
from .rate_meter import RateMeter
from .sink import FrameSink

if TYPE_CHECKING:
    from reactor_runtime.media.encoders import EncodedFrame
    from reactor_runtime.media.encoding import Encoding
    from reactor_runtime.session.session import Session
    from reactor_runtime.transports.port import Section
    from reactor_runtime.transports.wire import AudioSender, VideoSender, Wire

    FrameOut = Callable[[str, str | int, EncodedFrame, int], None]
    """The track, the command, its frame, and when that is shown, on the wire's clock."""

log = logging.getLogger(__name__)

STATS_S = 1.0
"""How long an engine may take to tell its counts."""
LOOK_S = 0.2
"""The same for who waits for it."""


@dataclass(frozen=True)
class OutboundRate:
    """What one client's network carries of one video, what is made for it, and what has gone.

    Names are those of the W3C's WebRTC statistics, in Python's spelling, where those have one.
    """

    track: str
    kind: str
    codec: str
    available_outgoing_bitrate: int | None
    """None until the network has been heard of."""
    target_bitrate: int
    """Of the encode that everybody shares who takes this track in this codec."""
    sent_bitrate: int
    """What has gone to this client; see `RateMeter`."""
    frames_sent: int
    bytes_sent: int
    frames_waiting: int
    """In front of the encoder."""
    frames_skipped: int
    """There was no time to encode them, for anybody who takes this track in this codec."""
    keyframe_waits: int
    """How often this client lost its place and had to wait for a keyframe."""


class MediaShare:
    """Event loop only, except `request_keyframe` and `set_estimate`."""

    def __init__(self, session: Session, wire: Wire, sections: Sequence[Section]) -> None:
        self._session = session
        self._wire = wire
        self._sections = {section.mid: section for section in sections}
        self._encodings: dict[str, Encoding] = {}
        self._sinks: dict[str, FrameSink] = {}
        self._meters: dict[str, RateMeter] = {}
        self.audio = AudioShare(session)
        self._estimates: dict[str, int] = {}
        """The newest by mid, also of sections that nothing is sent on yet."""
        self._losses: dict[str, LossWatch] = {}

    def input(self, mid: str) -> str | None:
        """The model's track that the client sends on a section."""
        section = self._sections.get(mid)
        return None if section is None else section.back or section.track

    def request_keyframe(self, mid: str) -> None:
        encoding = self._encodings.get(mid)
        if encoding is not None:
            encoding.request_keyframe()

    def request_keyframes(self) -> None:
        for encoding in self._encodings.values():
            encoding.request_keyframe()

    def set_estimate(self, mid: str, bits_per_second: int) -> None:
        # Kept first: the engine may say so once, before there is anything to send, and never again.
        self._estimates[mid] = bits_per_second
        encoding, sink = self._encodings.get(mid), self._sinks.get(mid)
        if encoding is not None and sink is not None:
            encoding.set_estimate(sink, bits_per_second)

    async def look(self, within: float = STATS_S) -> None:
        """Ask the wire once for all that it alone knows: what has gone of the sound, and what was lost."""
        if not self._sinks and not self.audio.streams:
            return
        try:
            async with timeout(self._session.clock, within):
                report = await self._wire.stats()
        except (RefusedError, RuntimeError, TimeoutError) as error:  # it is closing, or its engine is busy
            log.debug("A wire does not tell its counts, what it told before stands: %s", error)
            return
        self.audio.take(report["outbound"])
        self._look_for_losses(report["outbound"])

    def _look_for_losses(self, outbound: Iterable[Mapping[str, Any]]) -> None:
        """Who loses something and does not ask gets keyframes all the same."""
        now = self._session.clock.time()
        for each in outbound:
            encoding, sink = self._encodings.get(each["mid"]), self._sinks.get(each["mid"])
            if encoding is not None and sink is not None:
                watch = self._losses.setdefault(each["mid"], LossWatch())
                requests = (each.get("pli_count") or 0) + (each.get("fir_count") or 0)
                silent = watch.silent(now, each.get("packets_lost") or 0, requests)
                encoding.repeat_keyframes(sink, silent)

    def pause(self, track: str, paused: bool) -> None:
        """Stop or resume sending an output track to this client alone."""
        for mid, sink in self._sinks.items():
            if sink.track == track:
                sink.pause(paused)
                if not paused:
                    self.request_keyframe(mid)

    def watch_frame(self, track: str, request: str | int, index: int, report: FrameOut) -> None:
        """Report once when the frame of this index, or a later one, goes out."""
        loop = asyncio.get_running_loop()
        for mid, sink in self._sinks.items():
            if sink.track != track:
                continue
            if sink.watch(index, functools.partial(self._frame_out, loop, mid, request, report)):
                self._session.lost.add(Lost.FRAME_TIMES)

    def subscribe(self) -> None:
        """Take every track that the wire has a sender for."""
        for sender in self._wire.video_senders:
            if sender.mid in self._sinks:
                continue
            track = self._sections[sender.mid].track
            sink = FrameSink(sender, track)
            self._sinks[sender.mid] = sink
            self._meters[sender.mid] = RateMeter(self._session.clock.time())
            encoding = self._session.media.plane.subscribe(
                track, sender.codec, sink, self._estimates.get(sender.mid)
            )
            self._encodings[sender.mid] = encoding
            if (estimate := self._estimates.get(sender.mid)) is not None:
                # One that came while the encoding began.
                encoding.set_estimate(sink, estimate)
        for audio in self._wire.audio_senders:
            self.audio.subscribe(audio, self._sections[audio.mid].track)

    def replace(self, sections: Sequence[Section]) -> None:
        """A further offer was answered."""
        self._sections = {section.mid: section for section in sections}

    async def follow(self) -> None:
        """After `replace`: tracks may have come or gone."""
        await self._end_all_but(self._wire.video_senders, self._wire.audio_senders)
        self.subscribe()

    async def end(self) -> None:
        await self._end_all_but((), ())

    def rates(self) -> list[OutboundRate]:
        """For each video that is sent; for sound see `audio`."""
        now = self._session.clock.time()
        return [
            OutboundRate(
                sink.track,
                "video",
                encoding.codec.value,
                encoding.estimate(sink),
                encoding.target_bitrate,
                self._meters[mid].look(now, sink.sent.bytes),
                sink.sent.frames,
                sink.sent.bytes,
                encoding.frames_waiting,
                encoding.counters.dropped,
                sink.sent.keyframe_waits,
            )
            for mid, sink in self._sinks.items()
            if (encoding := self._encodings.get(mid)) is not None
        ]

    def count_losses(self) -> None:
        """Tell the session what has gone, and what the network has not carried, since the last time."""
        for sink in self._sinks.values():
            self._count(sink)
        self.audio.count()

    def _count(self, sink: FrameSink) -> None:
        self._session.lost.add(Lost.NETWORK, sink.newly_dropped())
        self._session.sent.add(sink.track, sink.sender.codec.value, sink.newly_sent())

    async def _end_all_but(self, left: Sequence[VideoSender], heard: Sequence[AudioSender]) -> None:
        self.count_losses()
        loop = asyncio.get_running_loop()
        for mid, sink in list(self._sinks.items()):
            if sink.sender not in left:
                # Ending an encoding joins its thread, which may be in native code for a frame's time.
                await loop.run_in_executor(None, self._session.media.plane.unsubscribe, sink)
                self._count(sink)
                self._sinks.pop(mid, None)
                self._encodings.pop(mid, None)
                self._losses.pop(mid, None)
                self._meters.pop(mid, None)
        if self.audio.has_others_than(heard):
            await self.look(LOOK_S)
            self.audio.end_all_but(heard)

    def _frame_out(
        self,
        loop: asyncio.AbstractEventLoop,
        mid: str,
        request: str | int,
        report: FrameOut,
        frame: EncodedFrame,
    ) -> None:
        """Encoder thread."""
        loop.call_soon_threadsafe(self._tell_frame, mid, request, report, frame)

    def _tell_frame(self, mid: str, request: str | int, report: FrameOut, frame: EncodedFrame) -> None:
        sink = self._sinks.get(mid)
        rtp = None if sink is None else sink.sender.rtp_timestamp(frame.timestamp)
        if sink is not None and rtp is not None:
            report(sink.track, request, frame, rtp)
