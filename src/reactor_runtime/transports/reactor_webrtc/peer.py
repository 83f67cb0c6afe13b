"""One peer connection of the engine.

Every callback of the engine arrives on a native thread that holds the GIL. Events go to the event loop;
decoded media and encoder feedback are handed on where they are, because they are frequent and their receivers
are quick.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import reactor_webrtc as rw

from reactor_runtime.errors import RequestError
from reactor_runtime.media.encoders import VideoCodec
from reactor_runtime.transports import sdp as sdp_text
from reactor_runtime.transports.port import (
    CHANNELS_LIMIT,
    IceCandidate,
    PeerConfig,
    PeerEvents,
    PeerState,
    Section,
)

from . import sound
from .sender import InlineVideoSender, listen
from .translation import prepare_section, to_configuration, to_direction, to_state

log = logging.getLogger(__name__)

START_BPS = 6_000_000
"""Where the bandwidth estimate begins: near steady state, so that the first seconds are not blurred."""
MIN_BPS = 300_000
MAX_BPS = 20_000_000
PLACEHOLDER_SIZE = (64, 36)
GATHERING_QUIET_S = 0.01
"""Without STUN and TURN, our candidates are all there when none has come for this long."""
BIND_S = 3.0
"""How long the engine may take to give a connected peer's track an encoder."""
BIND_SIGNAL_S = 0.003


class ReactorWebRtcPeer:
    """Implements `transports.port.Peer`. Methods run on the event loop, except `send` and the senders'
    `push`.
    """

    def __init__(
        self, factory: rw.PeerConnectionFactory, slots: asyncio.Lock, config: PeerConfig, events: PeerEvents
    ) -> None:
        self._factory = factory
        self._slots = slots
        self._config = config
        self._events = events
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._sections: dict[str, Section] = {}
        self._pc: rw.PeerConnection | None = None
        self._announced: dict[str, rw.DataChannel] = {}
        """Channels that are not open yet; what is sent on one is lost."""
        self._channels: dict[str, rw.DataChannel] = {}
        self._channel_count = 0
        self._senders: dict[str, InlineVideoSender] = {}
        self._audio_senders: dict[str, sound.PcmSender] = {}
        self._transceivers: dict[str, rw.Transceiver] = {}
        self._received: list[rw.Track] = []
        self._inbound: dict[str, list[str]] = {"audio": [], "video": []}
        self._candidates: list[IceCandidate] = []
        self._early: list[IceCandidate] | None = []
        self._gathering_done = asyncio.Event()
        self._answer = ""
        self._binding: asyncio.Task[None] | None = None

    @property
    def senders(self) -> Sequence[InlineVideoSender]:
        return tuple(self._senders.values())

    @property
    def audio_senders(self) -> Sequence[sound.PcmSender]:
        return tuple(self._audio_senders.values())

    async def answer(self, offer: str, sections: Sequence[Section]) -> str:
        head, media = sdp_text.parse(offer)
        by_mid = self._sections = {section.mid: section for section in sections}
        for part in media:
            prepare_section(part, by_mid.get(part.mid))
            if part.kind in self._inbound and part.direction in ("sendrecv", "sendonly"):
                # The engine reports incoming tracks without a mid, in the order of their sections.
                self._inbound[part.kind].append(part.mid)
        sound.prepare_offer(media, by_mid)
        async with self._slots:
            try:
                self._answer = await self._negotiate(sdp_text.join(head, media), by_mid)
            except RuntimeError as error:
                raise RequestError(400, "invalid_sdp", f"The offer cannot be used: {error}.") from error
        early, self._early = self._early or [], None
        for candidate in early:
            await self.add_candidate(candidate)
        return self._answer

    async def restart(self, offer: str) -> str:
        head, media = sdp_text.parse(offer)
        for part in media:
            prepare_section(part, self._sections.get(part.mid))
        sound.prepare_offer(media, self._sections)
        pc = self._require()
        self._candidates.clear()
        self._gathering_done.clear()
        try:
            await pc.set_remote_description(rw.SessionDescription("offer", sdp_text.join(head, media)))
            text = sound.complete_answer((await pc.create_answer()).sdp, self._sections)
            await pc.set_local_description(rw.SessionDescription("answer", text))
        except RuntimeError as error:
            raise RequestError(400, "invalid_sdp", f"The offer cannot be used: {error}.") from error
        self._answer = text
        return self._answer

    async def gathered(self, within: float) -> str:
        deadline = self._loop.time() + within
        while not self._gathering_done.is_set() and self._loop.time() < deadline:
            if self._candidates and not self._config.ice_servers:
                # Host candidates come together; the engine then takes 100 ms to be sure that they were all.
                within = min(within, GATHERING_QUIET_S)
            known = len(self._candidates)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._gathering_done.wait(), within)
            if known and known == len(self._candidates) and not self._config.ice_servers:
                break
        return sdp_text.with_candidates(
            self._answer, [(candidate.candidate, candidate.sdp_mid) for candidate in self._candidates]
        )

    async def add_candidate(self, candidate: IceCandidate) -> None:
        if self._early is not None:
            self._early.append(candidate)
            return
        if not sdp_text.usable_candidate(candidate.candidate):
            return
        try:
            await self._require().add_ice_candidate(
                rw.IceCandidate(candidate.candidate, candidate.sdp_mid, candidate.sdp_mline_index)
            )
        except RuntimeError as error:
            log.debug("A candidate was ignored: %s", error)

    def send(self, label: str, data: bytes, *, binary: bool = False) -> bool:
        channel = self._channels.get(label)
        if channel is None or channel.state() != rw.DataChannelState.Open:
            return False
        try:
            channel.send(data, binary)
        except RuntimeError as error:
            log.debug("A message of %d bytes on %r was not sent: %s", len(data), label, error)
            return False
        return True

    def buffered(self) -> int:
        messages = sum(channel.buffered_amount() for channel in self._channels.values())
        return messages + sum(sender.urge() for sender in self._senders.values())

    async def stats(self) -> dict[str, Any]:
        report = await self._require().get_stats()
        return {
            "outbound": [
                {
                    "mid": rtp.mid,
                    "codec": rtp.codec_mime_type,
                    "packets_sent": rtp.packets_sent,
                    "bytes_sent": rtp.bytes_sent,
                    "frames_sent": rtp.frames_sent,
                    "frames_encoded": rtp.frames_encoded,
                    "round_trip_time": rtp.round_trip_time_s,
                    "fraction_lost": rtp.fraction_lost,
                    "pli_count": rtp.pli_count,
                    "nack_count": rtp.nack_count,
                    "target_bitrate": rtp.target_bitrate_bps,
                }
                for rtp in report.outbound_rtp
            ],
        }

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        binding, self._binding = self._binding, None
        if binding is not None and not binding.done():
            # It lets go of everything itself, before another connection gets an encoder.
            binding.cancel()
            await asyncio.wait({binding})
        await self._let_go()

    async def _let_go(self) -> None:
        """Close the engine's connection; returns when it is gone. May be called twice."""
        self._closed = True
        for sender in self._senders.values():
            sender.detach()
        for audio in self._audio_senders.values():
            audio.open = False
        channels = [*self._announced.values(), *self._channels.values()]
        self._announced, self._channels = {}, {}
        for channel in channels:
            channel.close(0.0)
        # The engine closes a connection when its last reference goes; that waits for native threads, which
        # may wait for the GIL in a callback, so it happens off the loop.
        keep = [self._pc, channels, self._senders, self._audio_senders, self._transceivers, self._received]
        self._pc = None
        self._senders, self._audio_senders, self._transceivers, self._received = {}, {}, {}, []
        await self._loop.run_in_executor(None, keep.clear)

    def _require(self) -> rw.PeerConnection:
        if self._pc is None:
            raise RequestError(409, "connection_closed", "This connection is closed; open a new one.")
        return self._pc

    async def _negotiate(self, offer: str, sections: dict[str, Section]) -> str:
        """Make the connection and the answer. Under the lock of the engine's encoder slots."""
        # While a pre-encoded track is alive, a new connection knows H.264, and the sections get the stream id
        # that lets a browser put sound and picture together. The real tracks come when the peer is connected.
        placeholders = {
            mid: self._factory.create_video_track_with_options(
                f"placeholder-{mid}", pre_encoded=PLACEHOLDER_SIZE
            )
            for mid, section in sections.items()
            if section.sends and section.kind == "video"
        }
        sounds = {
            mid: sound.PcmSender(self._factory, mid)
            for mid, section in sections.items()
            if section.sends and section.kind == "audio"
        }
        self._pc = pc = self._factory.create_peer_connection(to_configuration(self._config), self._observer())
        await pc.set_remote_description(rw.SessionDescription("offer", offer))
        for transceiver in await pc.transceivers():
            section = sections.get(transceiver.mid() or "")
            if section is None:
                await transceiver.set_direction(rw.TransceiverDirection.Inactive)
                continue
            self._transceivers[section.mid] = transceiver
            if section.mid in placeholders:
                await transceiver.set_track(placeholders[section.mid])
            elif section.mid in sounds and (track := sounds[section.mid].track) is not None:
                await transceiver.set_track(track)
            await transceiver.set_direction(to_direction(section))
        answer = await pc.create_answer()
        text = sound.complete_answer(answer.sdp, sections)
        self._create_senders(text, sections)
        self._audio_senders = sound.sending(text, sounds)
        await pc.set_local_description(rw.SessionDescription("answer", text))
        await pc.set_bitrate(min_bps=MIN_BPS, start_bps=START_BPS, max_bps=MAX_BPS)
        return text

    def _create_senders(self, answer: str, sections: dict[str, Section]) -> None:
        """Learn from the answer what each section sends; one without a codec of ours sends nothing."""
        _, media = sdp_text.parse(answer)
        for part in media:
            section = sections.get(part.mid)
            if section is None or not section.sends or section.kind != "video":
                continue
            name = part.codecs.get(part.payloads[0], "") if part.payloads else ""
            if part.rejected or name not in list(VideoCodec):
                log.warning("The client takes none of our codecs on section %s; no picture there", part.mid)
                continue
            self._senders[part.mid] = InlineVideoSender(
                part.mid, VideoCodec(name), functools.partial(self._events.keyframe_requested, part.mid)
            )

    async def _bind(self) -> None:
        """Give each sender its track and wait until the engine's encoder for it is there; then report."""
        bound = False
        async with self._slots:
            try:
                bound = await self._bind_all()
            except Exception:
                log.exception("The engine could not give a connection its tracks; the connection ends")
            finally:
                if not bound:
                    # Under the lock: a track that is left without its encoder takes that of the next
                    # connection, and so on for ever, until the engine has let it go.
                    await asyncio.shield(self._let_go())
        if not bound:
            self._events.state_changed(PeerState.FAILED)
            return
        for audio in self._audio_senders.values():
            audio.open = True
        self._events.state_changed(PeerState.CONNECTED)

    async def _bind_all(self) -> bool:
        for mid, sender in self._senders.items():
            transceiver = self._transceivers[mid]
            await transceiver.set_track(self._attach(mid, sender))
            if not await self._wait_for_encoder(mid, sender, transceiver):
                return False
        return True

    def _attach(self, mid: str, sender: InlineVideoSender) -> rw.Track:
        """Make the sender's track. Only the sender is to keep it: it goes when the sender lets it go."""
        track = self._factory.create_video_track_with_options(f"video-{mid}", inline_encoder=sender.encode)
        if not isinstance(track, rw.Track):
            raise TypeError("the engine made a pre-encoded track where an inline one was asked for")
        listen(
            track,
            functools.partial(self._on_bitrate, mid),
            functools.partial(self._on_keyframe_request, mid),
        )
        sender.attach(track)
        return track

    async def _wait_for_encoder(
        self, mid: str, sender: InlineVideoSender, transceiver: rw.Transceiver
    ) -> bool:
        # Otherwise libwebrtc caps the stream at 2 to 2.5 Mbit/s by its size and drops frames above.
        await transceiver.set_send_bitrate(None, MAX_BPS)
        if self._config.reveal_timestamps:
            # The engine starts each stream at a random timestamp and tells it only here. Now or never: it
            # makes a new encoder when this is set, and that one would find no track.
            transceiver.set_sender_transform(rw.FrameTransform(sender.learn_timestamp))
        deadline = self._loop.time() + BIND_S
        while not sender.bound.is_set():
            if self._loop.time() > deadline:
                log.error(
                    "The engine gave section %s no encoder within %g s; the connection ends", mid, BIND_S
                )
                return False
            sender.signal()
            await asyncio.sleep(BIND_SIGNAL_S)
        sender.open = True
        return True

    def _on_bitrate(self, mid: str, bits_per_second: int) -> None:
        sender = self._senders.get(mid)
        if sender is not None and not self._closed:
            sender.gate.set_rate(bits_per_second)
            self._events.bitrate_changed(mid, bits_per_second)

    def _on_keyframe_request(self, mid: str) -> None:
        if not self._closed:
            self._events.keyframe_requested(mid)

    def _observer(self) -> rw.PeerConnectionObserver:
        observer = rw.PeerConnectionObserver()
        observer.on_connection_state_change = lambda state: self._post(self._on_state, to_state(state))
        observer.on_ice_gathering_change = lambda state: self._post(self._on_gathering, state)
        observer.on_ice_candidate = lambda candidate: self._post(self._on_candidate, candidate)
        observer.on_track = self._on_track
        observer.on_data_channel = self._on_channel
        return observer

    def _post(self, handler: Callable[..., None], *args: object) -> None:
        if self._closed:
            return
        try:
            self._loop.call_soon_threadsafe(self._deliver, handler, args)
        except RuntimeError:
            log.debug("An engine event arrived after the event loop had ended")

    def _deliver(self, handler: Callable[..., None], args: tuple[object, ...]) -> None:
        if not self._closed:
            handler(*args)

    def _on_state(self, state: PeerState) -> None:
        if state is PeerState.CONNECTED and self._binding is None:
            self._binding = self._loop.create_task(self._bind())
        elif state is not PeerState.CONNECTED or (self._binding is not None and self._binding.done()):
            self._events.state_changed(state)

    def _on_gathering(self, state: rw.IceGatheringState) -> None:
        if state == rw.IceGatheringState.Complete:
            self._gathering_done.set()

    def _on_candidate(self, candidate: rw.IceCandidate) -> None:
        found = IceCandidate(candidate.candidate, candidate.sdp_mid, candidate.sdp_mline_index)
        self._candidates.append(found)
        self._events.candidate_found(found)

    def _on_channel(self, channel: rw.DataChannel) -> None:
        # Native thread: listeners must be there before the first message is.
        self._channel_count += 1
        if self._channel_count > CHANNELS_LIMIT:
            # Closing waits for native threads: not here, on one of them.
            self._post(self._refuse_channel, channel)
            return
        label = channel.label()
        channel.on_message(
            lambda data, binary: self._post(self._events.message_received, label, data, binary)
        )
        channel.on_close(lambda: self._post(self._on_channel_closed, label))
        self._announced[label] = channel
        # By its label: a channel that its own callback holds is never let go.
        channel.on_open(lambda: self._post(self._on_channel_opened, label))
        if channel.state() == rw.DataChannelState.Open:
            self._post(self._on_channel_opened, label)

    def _refuse_channel(self, channel: rw.DataChannel) -> None:
        channel.close(0.0)
        self._events.channel_refused()

    def _on_channel_opened(self, label: str) -> None:
        channel = self._announced.pop(label, None)
        if channel is not None:
            self._channels[label] = channel
            self._events.channel_opened(label)

    def _on_channel_closed(self, label: str) -> None:
        if self._channels.pop(label, None) is not None:
            self._events.channel_closed(label)

    def _on_track(self, kind: rw.MediaKind, track: rw.Track) -> None:
        # Native thread. A track that nobody holds stops receiving.
        self._received.append(track)
        name = "video" if kind == rw.MediaKind.Video else "audio"
        position = sum(1 for other in self._received if other.kind() == kind) - 1
        if position >= len(self._inbound[name]):
            return
        mid = self._inbound[name][position]
        if kind == rw.MediaKind.Video:
            track.on_video_frame(lambda bgra, width, height: self._on_video(mid, bgra, width, height))
        else:
            track.on_audio_frame(
                lambda pcm, rate, channels, frames: self._on_audio(mid, pcm, rate, channels, frames)
            )

    def _on_video(self, mid: str, bgra: bytes, width: int, height: int) -> None:
        if self._closed:
            return
        pixels = np.frombuffer(bgra, np.uint8).reshape(height, width, 4)
        rgb = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB), dtype=np.uint8)
        self._events.video_received(mid, rgb)

    def _on_audio(self, mid: str, pcm: bytes, rate: int, channels: int, frames: int) -> None:
        if self._closed:
            return
        block = np.frombuffer(pcm, np.int16).reshape(frames, channels).T
        self._events.audio_received(mid, block, rate)
