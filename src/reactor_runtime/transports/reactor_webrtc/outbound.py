"""What one peer sends: its senders, and the engine's encoders that they need."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Iterable, Mapping, Sequence

import reactor_webrtc as rw

from reactor_runtime.media.encoders import VideoCodec
from reactor_runtime.transports import sdp
from reactor_runtime.transports.port import Section
from reactor_runtime.transports.wire import Handle, KeyframeRequested, RateEstimated

from . import sound
from .refusals import sends
from .sender import InlineVideoSender, listen

log = logging.getLogger(__name__)

MAX_BPS = 20_000_000
PLACEHOLDER_SIZE = (64, 36)
BIND_S = 3.0
"""How long the engine may take to give a connected peer's track an encoder."""
BIND_SIGNAL_S = 0.003
BIND_LOOKS = 6
"""How often it is looked between two signals whether the encoder is there."""


class Outbound:
    """Event loop only, except what the senders do."""

    def __init__(self, factory: rw.PeerConnectionFactory, handle: Handle, reveal_timestamps: bool) -> None:
        self.senders: dict[str, InlineVideoSender] = {}
        self.audio: dict[str, sound.PcmSender] = {}
        self.transceivers: dict[str, rw.Transceiver] = {}
        self.closed = False
        self._factory = factory
        self._handle = handle
        self._reveal_timestamps = reveal_timestamps
        self._placeholders: dict[str, rw.Track | rw.EncodedVideoTrack] = {}
        self._resting: dict[str, InlineVideoSender] = {}
        self._sounds: dict[str, sound.PcmSender] = {}
        """Senders of sections whose answer is not known yet."""

    def prepare(self, sections: Iterable[Section]) -> None:
        """Before the connection is made, make the tracks that stand for ours until it is up."""
        # While a pre-encoded track is alive, a new connection knows H.264, and the sections get the stream id
        # that lets a browser put sound and picture together.
        mids = [section.mid for section in sections if section.sends and section.kind == "video"]
        self._placeholders = {mid: self._placeholder(mid) for mid in mids or [""]}

    async def offer_track(self, section: Section, transceiver: rw.Transceiver) -> None:
        """Give a section that we send the track that the answer is made with."""
        transceiver = self.transceivers.setdefault(section.mid, transceiver)
        if not section.sends or section.mid in self.senders or section.mid in self.audio:
            return
        if section.kind == "video":
            if section.mid in self._placeholders:
                await transceiver.set_track(self._placeholders[section.mid])
        else:
            pcm = self._sounds[section.mid] = sound.PcmSender(self._factory, section.mid)
            if pcm.track is not None:
                await transceiver.set_track(pcm.track)

    def settle(self, answer: Sequence[sdp.MediaSection], sections: Mapping[str, Section]) -> None:
        """Learn from the answer what each section sends. A sender whose section pauses rests, with its track:
        the engine gives a section one encoder only.
        """
        parts = {part.mid: part for part in answer}
        sending = {mid: s for mid, s in sections.items() if s.sends and sends(parts.get(mid), s)}
        for mid, section in sending.items():
            if section.kind == "video" and mid not in self.senders:
                resting = mid in self._resting
                self.senders[mid] = self._resting.pop(mid) if resting else self._sender(parts[mid])
                self.senders[mid].resume()
            elif section.kind == "audio" and mid in self._sounds:
                self.audio[mid] = self._sounds[mid]
        self._sounds.clear()
        self._placeholders.clear()
        for mid in self.audio.keys() - sending.keys():
            self.audio.pop(mid).open = False
        for mid in self.senders.keys() - sending.keys():
            self._resting[mid] = self.senders.pop(mid)
            self._resting[mid].open = False
        for mid in [mid for mid in self.transceivers if mid not in parts or parts[mid].rejected]:
            # It was stopped. Its track goes now: one without an encoder takes that of the next connection.
            del self.transceivers[mid]
            if (sender := self._resting.pop(mid, None)) is not None:
                sender.detach()

    def _sender(self, part: sdp.MediaSection) -> InlineVideoSender:
        codec = VideoCodec(part.codecs[part.payloads[0]])
        return InlineVideoSender(
            part.mid, codec, functools.partial(self._handle, KeyframeRequested(part.mid))
        )

    def unbound(self) -> list[InlineVideoSender]:
        return [sender for sender in self.senders.values() if not sender.open]

    def incomplete(self) -> bool:
        """Whether anything that was negotiated cannot be sent yet."""
        return bool(self.unbound()) or not all(audio.open for audio in self.audio.values())

    async def bind(self) -> bool:
        """Give each sender its track and wait until the engine's encoder for it is there."""
        while waiting := self.unbound():
            sender = waiting[0]
            transceiver = self.transceivers[sender.mid]
            await transceiver.set_track(self._attach(sender))
            if not await self._wait_for_encoder(sender, transceiver):
                return False
        for audio in self.audio.values():
            audio.open = True
        return True

    def release(self) -> list[object]:
        """End all; what the engine has to let go of is in the result."""
        self.closed = True
        for sender in [*self.senders.values(), *self._resting.values()]:
            sender.detach()
        for audio in self.audio.values():
            audio.open = False
        keep: list[object] = [self.senders, self.audio, self.transceivers, self._sounds]
        keep += [self._placeholders, self._resting]
        self.senders, self.audio, self.transceivers, self._sounds = {}, {}, {}, {}
        self._placeholders, self._resting = {}, {}
        return keep

    def _placeholder(self, mid: str) -> rw.Track | rw.EncodedVideoTrack:
        return self._factory.create_video_track_with_options(
            f"placeholder-{mid}", pre_encoded=PLACEHOLDER_SIZE
        )

    def _attach(self, sender: InlineVideoSender) -> rw.Track:
        """Make the sender's track. Only the sender is to keep it: it goes when the sender lets it go."""
        track = self._factory.create_video_track_with_options(
            f"video-{sender.mid}", inline_encoder=sender.encode
        )
        if not isinstance(track, rw.Track):
            raise TypeError("the engine made a pre-encoded track where an inline one was asked for")
        listen(
            track,
            functools.partial(self._on_bitrate, sender.mid),
            functools.partial(self._on_keyframe_request, sender.mid),
        )
        sender.attach(track)
        return track

    async def _wait_for_encoder(self, sender: InlineVideoSender, transceiver: rw.Transceiver) -> bool:
        # Otherwise libwebrtc caps the stream at 2 to 2.5 Mbit/s by its size and drops frames above.
        await transceiver.set_send_bitrate(None, MAX_BPS)
        if self._reveal_timestamps:
            # The engine starts each stream at a random timestamp and tells it only here. Now or never: it
            # makes a new encoder when this is set, and that one would find no track.
            transceiver.set_sender_transform(rw.FrameTransform(sender.learn_timestamp))
        loop = asyncio.get_running_loop()
        deadline = loop.time() + BIND_S
        while not sender.bound.is_set() and self.senders.get(sender.mid) is sender:
            if loop.time() > deadline:
                log.error(
                    "The engine gave section %s no encoder within %g s; the connection ends",
                    sender.mid,
                    BIND_S,
                )
                return False
            sender.signal()
            for _ in range(BIND_LOOKS):
                await asyncio.sleep(BIND_SIGNAL_S / BIND_LOOKS)
                if sender.bound.is_set():
                    break
        sender.open = self.senders.get(sender.mid) is sender
        return True

    def _on_bitrate(self, mid: str, bits_per_second: int) -> None:
        sender = self.senders.get(mid)
        if sender is not None and not self.closed:
            sender.gate.set_rate(bits_per_second)
            self._handle(RateEstimated(mid, bits_per_second))

    def _on_keyframe_request(self, mid: str) -> None:
        if not self.closed:
            self._handle(KeyframeRequested(mid))
