"""One client of one session: its peer, its channel, its share of the media."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections import deque
from typing import TYPE_CHECKING

from reactor_runtime.protocol.codec import CONTROL, DATA, Codec, JsonCodec, Outgoing, Say, codec_for
from reactor_runtime.session.losses import Lost
from reactor_runtime.transports import sdp
from reactor_runtime.transports.port import AudioSender, IceCandidate, Peer, PeerState, Section

from .channels import CHANNEL_WAIT_S, NO_CHANNEL, Notice, notice
from .late import LateCalls
from .media_notices import MediaNotices
from .ratelimit import TokenBucket
from .sink import FrameSink

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reactor_runtime.media.encoders import EncodedFrame
    from reactor_runtime.media.encoding import Encoding
    from reactor_runtime.protocol.messages import CommandMessage
    from reactor_runtime.session.session import Session

    from .negotiation import Offer
    from .owner import ConnectionOwner

log = logging.getLogger(__name__)

NEGOTIATION_S = 30.0
"""An offer that has not become a connection by then is dropped."""
EARLY_MESSAGES = 64
"""Messages kept between the opening of the channel and the connection; what comes beyond them is refused."""
CODEC_WAIT_S = 2.0
"""How long messages are held for a client that has not shown its way of writing; then it gets JSON."""
CANDIDATES_LIMIT = 128
"""Candidates of one offer; browsers find 2 to 20. What comes after is ignored."""
HELD_MESSAGES = 256
"""Messages held at most; one more drops the oldest."""
PING_TIMEOUT_S = 20.0
"""Silence of a client that has pinged before; one that never pinged is not watched."""


class Connection:
    """Implements `PeerEvents`. `ready`: media could flow once. `live`: they do now."""

    def __init__(
        self,
        connection_id: int,
        session: Session,
        offer: Offer,
        owner: ConnectionOwner,
        codec: Codec | None = None,
        *,
        number: int = 0,
        address: str = "",
    ) -> None:
        """Without a `codec`, the first inbound frame decides."""
        self.id = connection_id
        """Its secret: nothing but the answers to this client may carry it."""
        self.number = number
        """What others call it: the log, the journal."""
        self.address = address
        self.session = session
        self.offer = offer
        self.peer: Peer | None = None
        self.ready = False
        self.live = False
        self.closed = False
        self.ready_once = False
        self.made_at = time.time()
        self.unanswered: dict[int, CommandMessage] = {}
        """Commands that the client waits for."""
        self.answer: asyncio.Task[str] | None = None
        self.limit = TokenBucket()
        self.late = LateCalls()
        self.last_ping: float | None = None
        self._owner = owner
        self._sections: dict[str, Section] = {section.mid: section for section in offer.sections}
        self._encodings: dict[str, Encoding] = {}
        self._sinks: dict[str, FrameSink] = {}
        self._sounds: list[AudioSender] = []
        self._state = PeerState.NEW
        self._channels: set[str] = set()
        self.notice: Notice | None = None if offer.has_channel else NO_CHANNEL
        """Why this client cannot be talked to; None when it can, or is still expected to."""
        self._channel_timer: asyncio.TimerHandle | None = None
        self._users = sdp.ice_users(offer.sdp)
        self._candidates = 0
        self.codec = codec
        self.watches_frames = False
        """Whether the client asked to be told when the frame of a command goes out."""
        self._held: deque[Say] = deque(maxlen=HELD_MESSAGES)
        self._told_size = False
        self._codec_timer: asyncio.TimerHandle | None = None
        self._early: deque[tuple[str, bytes, bool]] = deque()
        self._notices = MediaNotices(self)
        self._reaper = asyncio.get_running_loop().call_later(NEGOTIATION_S, self._reap)

    # --- PeerEvents, on the event loop ---

    def state_changed(self, state: PeerState) -> None:
        self._state = state
        if state is PeerState.CONNECTED and self.ready:
            self._set_live(True)
            for encoding in self._encodings.values():
                encoding.request_keyframe()
        elif state is PeerState.CONNECTED:
            self._check_ready()
        elif state is PeerState.DISCONNECTED and self.ready:
            # The network is silent. It may come back; the peer is kept until the engine gives up on it.
            self._set_live(False)
        elif state in (PeerState.FAILED, PeerState.CLOSED):
            self._lose(f"the peer connection is {state}")

    def candidate_found(self, candidate: IceCandidate) -> None:
        """The answer carries them; see `Peer.gathered`."""

    def channel_opened(self, label: str) -> None:
        self._channels.add(label)
        if label == DATA and self.ready and self.notice is not None:
            self.notice = None
            self._await_codec()
            self._owner.channel_came(self)
        self._say_held()
        self._check_ready()

    def channel_refused(self) -> None:
        if not self.session.lost.add(Lost.CHANNELS):
            log.warning("Connection %d opens more data channels than it may; they are closed", self.number)

    def channel_closed(self, label: str) -> None:
        self._channels.discard(label)
        if label == DATA:
            self._lose("the client closed its data channel")

    def message_received(self, label: str, data: bytes, binary: bool) -> None:
        if not self.ready:
            self._keep_early(label, data, binary)
            return
        if self.codec is None:
            self.settle(codec_for(data, binary))
        self._owner.message(self, label, data, binary)

    def track_refused(self, track: str, message: str) -> None:
        self._notices.track_refused(track, message)

    def candidates_refused(self, count: int) -> None:
        self.session.lost.add(Lost.CANDIDATES, count)

    # --- PeerEvents, on the engine's threads ---

    def picture_refused(self, mid: str, width: int, height: int) -> None:
        section = self._sections.get(mid)
        if section is not None and not self.closed:
            self._notices.picture_refused(section.back or section.track, width, height)

    def keyframe_requested(self, mid: str) -> None:
        encoding = self._encodings.get(mid)
        if encoding is not None:
            encoding.request_keyframe()

    def bitrate_changed(self, mid: str, bits_per_second: int) -> None:
        encoding, sink = self._encodings.get(mid), self._sinks.get(mid)
        if encoding is not None and sink is not None:
            encoding.set_estimate(sink, bits_per_second)

    def video_received(self, mid: str, rgb: NDArray[np.uint8]) -> None:
        section = self._sections.get(mid)
        if section is not None and not self.closed:
            self._owner.video(self, section.back or section.track, rgb)

    def audio_received(self, mid: str, block: NDArray[np.int16], rate: int) -> None:
        section = self._sections.get(mid)
        if section is not None and not self.closed:
            self._owner.sound(self, section.back or section.track, block, rate)

    # --- for the owner ---

    def expects(self, candidate: IceCandidate) -> bool:
        """Whether a candidate belongs to the offer that was answered, not to one that is still to come."""
        user = sdp.candidate_user(candidate.candidate)
        return not user or not self._users or user in self._users

    async def add_candidate(self, candidate: IceCandidate) -> None:
        """Hand a candidate to the engine."""
        self._candidates += 1
        if self.peer is not None and not self.closed and self._candidates <= CANDIDATES_LIMIT:
            await self.peer.add_candidate(candidate)

    async def renegotiated(self, offer: Offer) -> None:
        """The same peer has sent a further offer, and it was answered: tracks may have come or gone."""
        self.offer = offer
        self._users = sdp.ice_users(offer.sdp)
        self._candidates = 0
        self._sections = {section.mid: section for section in offer.sections}
        if self.ready and self.peer is not None:
            await self._unsubscribe_except(self.peer)
            self._subscribe()

    def say(self, say: Say) -> bool:
        """Tell the client something; False when it cannot be reached. Held while its codec is unknown, and
        until its channel is open."""
        if self.peer is None or self.closed or not self.offer.has_channel:
            return False
        if self.codec is None or DATA not in self._channels:
            if len(self._held) == HELD_MESSAGES:
                self.session.lost.add(Lost.UNSENT)
            self._held.append(say)
            return True
        outgoing = say(self.codec)
        return outgoing is None or self._send(self.peer, outgoing)

    def settle(self, codec: Codec) -> None:
        """Decide how this client writes, once, and send what was held."""
        if self.codec is not None:
            return
        self.codec = codec
        if self._codec_timer is not None:
            self._codec_timer.cancel()
        self._say_held()

    def _say_held(self) -> None:
        if self.codec is not None and DATA in self._channels:
            while self._held:
                self.say(self._held.popleft())

    def watch_frames(self) -> None:
        """From now on, tell the client when the frame of each of its commands goes out to it."""
        self.watches_frames = True

    def watch_frame(self, track: str, request: str | int, frame: int) -> None:
        """Tell the client when the frame of this index, or a later one, goes out to it."""
        loop = asyncio.get_running_loop()
        for mid, sink in self._sinks.items():
            if self._sections[mid].track == track:
                sink.watch(frame, functools.partial(self._frame_out, loop, mid, request))

    def _frame_out(
        self, loop: asyncio.AbstractEventLoop, mid: str, request: str | int, frame: EncodedFrame
    ) -> None:
        """Encoder thread."""
        loop.call_soon_threadsafe(self._tell_frame, mid, request, frame.index, frame.timestamp)

    def _tell_frame(self, mid: str, request: str | int, index: int, timestamp: int) -> None:
        sender = next((s for s in self.peer.senders if s.mid == mid), None) if self.peer else None
        rtp = None if sender is None else sender.rtp_timestamp(timestamp)
        if rtp is None:
            return
        data = {"id": request, "track": self._sections[mid].track, "frame": index, "rtp_timestamp": rtp}
        self.say(lambda codec: codec.runtime("frameTime", data))

    def pause(self, track: str, paused: bool) -> None:
        """Stop or resume sending an output track to this client alone."""
        for mid, sink in self._sinks.items():
            if self._sections[mid].track == track:
                sink.pause(paused)
                if not paused:
                    self.keyframe_requested(mid)

    def buffered(self) -> int:
        return 0 if self.peer is None or self.closed else self.peer.buffered()

    def count_losses(self) -> None:
        """Tell the session which frames the network has not carried since the last time."""
        for sink in self._sinks.values():
            self.session.lost.add(Lost.NETWORK, sink.newly_dropped())

    def silent(self) -> bool:
        """Whether a client that pings has stopped doing so."""
        return self.last_ping is not None and time.monotonic() - self.last_ping > PING_TIMEOUT_S

    async def close(self) -> None:
        """End everything of this client. May be called twice."""
        if self.closed:
            return
        self.closed = True
        self.ready = self.live = False
        self._reaper.cancel()
        for timer in (self._codec_timer, self._channel_timer):
            if timer is not None:
                timer.cancel()
        self._held.clear()
        self.unanswered.clear()
        if self.answer is not None:
            self.answer.cancel()
        await self._unsubscribe_except(None)
        if self.peer is not None:
            try:
                await self.peer.close()
            # Whatever an engine raises here must not keep the session's slot, nor the other connections.
            except Exception:
                log.exception("Connection %d could not be closed; the others go on", self.number)

    def _send(self, peer: Peer, outgoing: Outgoing) -> bool:
        size, limit = len(outgoing.data), self.offer.message_limit
        if size <= limit and peer.send(outgoing.label, outgoing.data, binary=outgoing.binary):
            return True
        self.session.lost.add(Lost.UNSENT)
        if size > limit and not self._told_size:
            self._told_size = True
            log.warning(
                "Connection %d takes messages of %d bytes at most; one of %d was dropped. Said once for each "
                "client.",
                self.number,
                limit,
                size,
            )
        return False

    def _keep_early(self, label: str, data: bytes, binary: bool) -> None:
        if len(self._early) < EARLY_MESSAGES:
            self._early.append((label, data, binary))
            return
        if not self.session.lost.add(Lost.EARLY):
            log.warning("Connection %d sends a lot before it is up; the rest is refused", self.number)
        # Its channel is open, so it hears that; how it writes is in what came first.
        self.settle(codec_for(*self._early[0][1:]))
        self._owner.message(self, label, data, binary)

    def _check_ready(self) -> None:
        if self.ready or self.closed or self._state is not PeerState.CONNECTED:
            return
        if DATA not in self._channels and self.notice is None:
            if self._channel_timer is None:
                loop = asyncio.get_running_loop()
                self._channel_timer = loop.call_later(CHANNEL_WAIT_S, self._go_without_channel)
            return
        self.ready = self.ready_once = True
        self._reaper.cancel()
        self._subscribe()
        self._owner.connection_ready(self)
        self._set_live(True)
        if self.notice is None:
            self._await_codec()
        while self._early:
            self.message_received(*self._early.popleft())

    def _await_codec(self) -> None:
        if self.codec is None:
            loop = asyncio.get_running_loop()
            self._codec_timer = loop.call_later(CODEC_WAIT_S, self.settle, JsonCodec())

    def _go_without_channel(self) -> None:
        """The client is connected and cannot be talked to: let it look on, and have it told."""
        if self.ready or self.closed or DATA in self._channels:
            return
        others = sorted(self._channels - {DATA, CONTROL})
        if others:
            log.warning("Connection %d opened the channel %r, not 'data'", self.number, others[0][:40])
        self.notice = notice(offered=True, opened=bool(others))
        self._check_ready()

    def _set_live(self, live: bool) -> None:
        self.live = live
        self._owner.presence_changed(self)

    def _subscribe(self) -> None:
        if self.peer is None:
            return
        for sender in self.peer.senders:
            if sender.mid in self._sinks:
                continue
            section = self._sections[sender.mid]
            sink = FrameSink(sender)
            self._sinks[sender.mid] = sink
            self._encodings[sender.mid] = self.session.plane.subscribe(section.track, sender.codec, sink)
        for audio in self.peer.audio_senders:
            if audio not in self._sounds:
                self._sounds.append(audio)
                self.session.sound.subscribe(self._sections[audio.mid].track, audio)

    async def _unsubscribe_except(self, peer: Peer | None) -> None:
        """End what goes to senders that `peer` does not have any more; all without a peer."""
        left = list(peer.senders) if peer else []
        self.count_losses()
        loop = asyncio.get_running_loop()
        for mid, sink in list(self._sinks.items()):
            if sink.sender not in left:
                # Ending an encoding joins its thread, which may be in native code for a frame's time.
                await loop.run_in_executor(None, self.session.plane.unsubscribe, sink)
                self.session.lost.add(Lost.NETWORK, sink.newly_dropped())
                self._sinks.pop(mid, None)
                self._encodings.pop(mid, None)
        heard = list(peer.audio_senders) if peer else []
        for audio in [each for each in self._sounds if each not in heard]:
            self.session.sound.unsubscribe(audio)
            self._sounds.remove(audio)

    def _reap(self) -> None:
        self._lose(f"it did not connect within {NEGOTIATION_S:g} s")

    def _lose(self, why: str) -> None:
        if not self.closed:
            self._owner.connection_lost(self, why)
