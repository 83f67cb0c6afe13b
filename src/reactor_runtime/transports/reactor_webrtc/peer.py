"""One peer connection of the engine.

Every callback of the engine arrives on a native thread that holds the GIL. Events go to the event loop; decoded
media and encoder feedback are handed on where they are, because they are frequent and their receivers are quick.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import reactor_webrtc as rw

from reactor_runtime.errors import RequestError
from reactor_runtime.media.encoders import VideoCodec
from reactor_runtime.transports import sdp as sdp_text
from reactor_runtime.transports.port import IceCandidate, PeerConfig, PeerEvents, PeerState, Section

from .sender import EncodedVideoSender, listen

log = logging.getLogger(__name__)

START_BPS = 6_000_000
"""Where the bandwidth estimate begins: near steady state, so that the first seconds are not blurred."""
MIN_BPS = 300_000
MAX_BPS = 20_000_000
NOMINAL_SIZE = (1280, 720)
"""What the engine is told about a track before its first frame; each frame carries its own size."""
LAG_CHECK_S = 0.5
LAG_CHECKS = 3
"""Checks in a row that must find frames stuck in the engine's queue before its track is replaced."""

# Pairs, because the engine's enumerations cannot be hashed.
_STATES = (
    (rw.PeerConnectionState.New, PeerState.NEW),
    (rw.PeerConnectionState.Connecting, PeerState.CONNECTING),
    (rw.PeerConnectionState.Connected, PeerState.CONNECTED),
    (rw.PeerConnectionState.Disconnected, PeerState.DISCONNECTED),
    (rw.PeerConnectionState.Failed, PeerState.FAILED),
    (rw.PeerConnectionState.Closed, PeerState.CLOSED),
)


class ReactorWebRtcPeer:
    """Implements `transports.port.Peer`. Methods run on the event loop, except `send` and the senders' `push`."""

    def __init__(
        self,
        factory: rw.PeerConnectionFactory,
        config: PeerConfig,
        events: PeerEvents,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._factory = factory
        self._events = events
        self._loop = loop
        self._closed = False
        self._channels: dict[str, rw.DataChannel] = {}
        self._senders: dict[str, EncodedVideoSender] = {}
        self._transceivers: dict[str, rw.Transceiver] = {}
        self._received: list[rw.Track] = []
        self._inbound: dict[str, list[str]] = {"audio": [], "video": []}
        self._candidates: list[IceCandidate] = []
        self._early: list[IceCandidate] | None = []
        self._gathering_done = asyncio.Event()
        self._answer = ""
        self._watch: asyncio.Task[None] | None = None
        self._pc: rw.PeerConnection | None = factory.create_peer_connection(
            _configuration(config), self._observer()
        )

    @property
    def senders(self) -> Sequence[EncodedVideoSender]:
        return tuple(self._senders.values())

    async def answer(self, offer: str, sections: Sequence[Section]) -> str:
        pc = self._require()
        head, media = sdp_text.parse(offer)
        by_mid = {section.mid: section for section in sections}
        for part in media:
            _prepare(part, by_mid.get(part.mid))
            if part.kind in self._inbound and part.direction in ("sendrecv", "sendonly"):
                # The engine reports incoming tracks without a mid, in the order of their sections.
                self._inbound[part.kind].append(part.mid)
        try:
            await pc.set_remote_description(rw.SessionDescription("offer", sdp_text.join(head, media)))
            await self._configure(await pc.transceivers(), by_mid)
            answer = await pc.create_answer()
            await self._bind_codecs(answer.sdp)
            await pc.set_local_description(answer)
            await pc.set_bitrate(min_bps=MIN_BPS, start_bps=START_BPS, max_bps=MAX_BPS)
        except RuntimeError as error:
            raise RequestError(400, "invalid_sdp", f"The offer cannot be used: {error}.") from error
        self._answer = answer.sdp
        early, self._early = self._early or [], None
        for candidate in early:
            await self.add_candidate(candidate)
        return self._answer

    async def gathered(self, timeout: float) -> str:  # noqa: ASYNC109 - the port's word for a bound, not a cancel
        try:
            await asyncio.wait_for(self._gathering_done.wait(), timeout)
        except TimeoutError:
            log.debug("ICE gathering is not complete after %.1f s; answering with what is there", timeout)
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
        return sum(channel.buffered_amount() for channel in self._channels.values())

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
        if self._watch is not None:
            self._watch.cancel()
        for sender in self._senders.values():
            sender.open = False
        channels, self._channels = self._channels, {}
        for channel in channels.values():
            channel.close(0.0)
        # The engine closes a connection when its last reference goes; that waits for native threads, which may
        # wait for the GIL in a callback, so it happens off the loop.
        keep = [self._pc, channels, self._senders, self._transceivers, self._received]
        self._pc = None
        self._senders, self._transceivers, self._received = {}, {}, []
        await self._loop.run_in_executor(None, keep.clear)

    def _require(self) -> rw.PeerConnection:
        if self._pc is None:
            raise RequestError(409, "connection_closed", "This connection is closed; open a new one.")
        return self._pc

    async def _configure(
        self, transceivers: list[rw.Transceiver], sections: dict[str, Section]
    ) -> None:
        for transceiver in transceivers:
            section = sections.get(transceiver.mid() or "")
            if section is None:
                await transceiver.set_direction(rw.TransceiverDirection.Inactive)
                continue
            self._transceivers[section.mid] = transceiver
            if section.sends and section.kind == "video":
                sender = self._new_sender(section)
                await transceiver.set_track(sender.track)
                self._senders[section.mid] = sender
            await transceiver.set_direction(
                rw.TransceiverDirection.SendOnly if section.sends else rw.TransceiverDirection.RecvOnly
            )

    def _new_sender(self, section: Section) -> EncodedVideoSender:
        return EncodedVideoSender(
            section.mid,
            section.codecs[0],
            self._new_track(section.mid),
            lambda mid=section.mid: self._events.keyframe_requested(mid),  # type: ignore[misc]  # bound per loop
        )

    def _new_track(self, mid: str) -> rw.EncodedVideoTrack:
        track = self._factory.create_video_track_with_options(f"video-{mid}", pre_encoded=NOMINAL_SIZE)
        if not isinstance(track, rw.EncodedVideoTrack):
            raise TypeError("the engine made a raw track where an encoded one was asked for")

        def on_bitrate(bits_per_second: int) -> None:
            sender = self._senders.get(mid)
            if sender is not None and not self._closed:
                sender.gate.set_rate(bits_per_second)
                self._events.bitrate_changed(mid, bits_per_second)

        def on_keyframe() -> None:
            if not self._closed:
                self._events.keyframe_requested(mid)

        listen(track, on_keyframe, on_bitrate)
        return track

    async def _bind_codecs(self, answer: str) -> None:
        """Learn from the answer what each section sends; one without a codec of ours sends nothing."""
        _, media = sdp_text.parse(answer)
        for part in media:
            sender = self._senders.get(part.mid)
            if sender is None:
                continue
            name = part.codecs.get(part.payloads[0], "") if part.payloads else ""
            if part.rejected or name not in list(VideoCodec):
                log.warning("The client takes none of our codecs on section %s; no picture there", part.mid)
                del self._senders[part.mid]
                continue
            sender.codec = VideoCodec(name)
            # Otherwise libwebrtc caps the stream at 2 to 2.5 Mbit/s by its size and drops frames above.
            await self._transceivers[part.mid].set_send_bitrate(None, MAX_BPS)

    def _observer(self) -> rw.PeerConnectionObserver:
        observer = rw.PeerConnectionObserver()
        observer.on_connection_state_change = lambda state: self._post(self._on_state, _state(state))
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
        for sender in self._senders.values():
            sender.open = state is PeerState.CONNECTED
        if state is PeerState.CONNECTED and self._watch is None and self._senders:
            self._watch = self._loop.create_task(self._watch_lag())
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
        label = channel.label()
        channel.on_message(lambda data, binary: self._post(self._events.message_received, label, data, binary))
        channel.on_close(lambda: self._post(self._on_channel_closed, label))
        self._post(self._on_channel_opened, label, channel)

    def _on_channel_opened(self, label: str, channel: rw.DataChannel) -> None:
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

    async def _watch_lag(self) -> None:
        """Find frames that are stuck in the engine's queue (see `EncodedVideoSender`) and cure it."""
        suspicious: dict[str, int] = {}
        while not self._closed:
            await asyncio.sleep(LAG_CHECK_S)
            pushed = {mid: sender.pushed for mid, sender in self._senders.items()}
            encoded = {rtp.mid: rtp.frames_encoded for rtp in (await self._require().get_stats()).outbound_rtp}
            for mid, sender in self._senders.items():
                lag = pushed[mid] - sender.encoded_before - encoded.get(mid, 0)
                suspicious[mid] = suspicious.get(mid, 0) + 1 if lag > 0 else 0
                if suspicious[mid] >= LAG_CHECKS:
                    suspicious[mid] = 0
                    await self._renew(mid, sender, encoded.get(mid, 0), lag)

    async def _renew(self, mid: str, sender: EncodedVideoSender, encoded: int, lag: int) -> None:
        log.info("Section %s: %d frames were stuck in the engine; its track is renewed", mid, lag)
        track = self._new_track(mid)
        sender.replace(track, encoded)
        await self._transceivers[mid].set_track(track)
        self._events.keyframe_requested(mid)


def _state(state: rw.PeerConnectionState) -> PeerState:
    return next(ours for theirs, ours in _STATES if theirs == state)


def _configuration(config: PeerConfig) -> rw.RtcConfiguration:
    low, high = config.port_range or (0, 0)
    return rw.RtcConfiguration(
        ice_servers=[
            rw.IceServer(urls=list(server.urls), username=server.username, password=server.credential)
            for server in config.ice_servers
        ],
        ice_transport_type="relay" if config.relay_only else "all",
        bundle_policy=rw.BundlePolicy.MaxBundle,
        min_port=low,
        max_port=high,
        frame_metadata=False,
        dc_chunking=False,
    )


def _prepare(part: sdp_text.MediaSection, section: Section | None) -> None:
    """Order the offer's codecs by our wish; the engine answers in the order of the offer."""
    part.lines[:] = [line for line in part.lines if sdp_text.usable_line(line)]
    if section is None or part.kind != "video":
        return
    if section.sends:
        sdp_text.keep_h264_profile(part)
        sdp_text.prefer(part, [str(codec) for codec in section.codecs])
    else:
        # The engine decodes no H.264 on Linux.
        sdp_text.prefer(part, ["VP8", "VP9", "AV1"])
