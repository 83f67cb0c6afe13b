"""One client of one session: its wire, its channel, its share of the media."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reactor_runtime.protocol.codec import CONTROL, DATA, Codec, JsonCodec, Outgoing, Say, codec_for
from reactor_runtime.session.losses import Lost
from reactor_runtime.transports.port import CandidatesRefused, PeerEvent, TrackRefused
from reactor_runtime.transports.wire import (
    AudioReceived,
    ChannelRefused,
    Closed,
    KeyframeRequested,
    MessageReceived,
    Opened,
    PeerState,
    PictureRefused,
    RateEstimated,
    StateChanged,
    VideoReceived,
)

from .channels import CHANNEL_WAIT_S, NO_CHANNEL, Notice, notice
from .late import LateCalls
from .media_notices import MediaNotices
from .media_share import MediaShare, OutboundRate
from .ratelimit import TokenBucket

if TYPE_CHECKING:
    from reactor_runtime.protocol.messages import CommandMessage
    from reactor_runtime.session.session import Session
    from reactor_runtime.transports.wire import Wire

    from .link import Link
    from .negotiation import Offer
    from .owner import ConnectionOwner

log = logging.getLogger(__name__)

NEGOTIATION_S = 30.0
"""An offer that has not become a connection by then is dropped."""
EARLY_MESSAGES = 64
"""Messages kept between the opening of the channel and the connection; what comes beyond them is refused."""
CODEC_WAIT_S = 2.0
"""How long messages are held for a client that has not shown its way of writing; then it gets JSON."""
HELD_MESSAGES = 256
"""Messages held at most; one more drops the oldest."""
PING_TIMEOUT_S = 20.0
"""Silence of a client that has pinged before; one that never pinged is not watched."""


class Connection:
    """`ready`: media could flow once. `live`: they do now. What its wire reports arrives at `handle`."""

    def __init__(
        self,
        connection_id: int,
        session: Session,
        offer: Offer,
        owner: ConnectionOwner,
        link: Link,
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
        self.link = link
        self.wire: Wire = link.wire
        self.ready = False
        self.live = False
        self.closed = False
        self.ready_once = False
        self.made_at = session.clock.unix()
        self.unanswered: dict[int, CommandMessage] = {}
        """Commands that the client waits for."""
        self.limit = TokenBucket()
        self.late = LateCalls()
        self.last_ping: float | None = None
        self._owner = owner
        self._media = MediaShare(session, self.wire, offer.sections)
        self._state = PeerState.NEW
        self._channels: set[str] = set()
        self.notice: Notice | None = None if offer.has_channel else NO_CHANNEL
        """Why this client cannot be talked to; None when it can, or is still expected to."""
        self._channel_timer: asyncio.TimerHandle | None = None
        self.codec = codec
        self.watches_frames = False
        """Whether the client asked to be told when the frame of a command goes out."""
        self._held: deque[Say] = deque(maxlen=HELD_MESSAGES)
        self._told_size = False
        self._codec_timer: asyncio.TimerHandle | None = None
        self._early: deque[MessageReceived] = deque()
        self._notices = MediaNotices(self)
        self._reaper = asyncio.get_running_loop().call_later(NEGOTIATION_S, self._reap)

    # --- what the wire reports ---

    def handle(self, event: PeerEvent) -> None:
        """The one door; see each event for the thread it comes on."""
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event)

    def _on_state(self, event: StateChanged) -> None:
        self._state = event.state
        if event.state is PeerState.CONNECTED and self.ready:
            self._set_live(True)
            self._media.request_keyframes()
        elif event.state is PeerState.CONNECTED:
            self._check_ready()
        elif event.state is PeerState.DISCONNECTED and self.ready:
            # The network is silent. It may come back; the wire is kept until the engine gives up on it.
            self._set_live(False)
        elif event.state in (PeerState.FAILED, PeerState.CLOSED):
            self._lose(f"the peer connection is {event.state}")

    def _on_opened(self, event: Opened) -> None:
        self._channels.add(event.label)
        if event.label == DATA and self.ready and self.notice is not None:
            self.notice = None
            self._await_codec()
            self._owner.channel_came(self)
        self._say_held()
        self._check_ready()

    def _on_channel_refused(self, event: ChannelRefused) -> None:
        del event
        if not self.session.lost.add(Lost.CHANNELS):
            log.warning("Connection %d opens more data channels than it may; they are closed", self.number)

    def _on_closed(self, event: Closed) -> None:
        self._channels.discard(event.label)
        if event.label == DATA:
            self._lose("the client closed its data channel")

    def _on_message(self, event: MessageReceived) -> None:
        if not self.ready:
            self._keep_early(event)
            return
        if self.codec is None:
            self.settle(codec_for(event.data, event.binary))
        self._owner.message(self, event.label, event.data, event.binary)

    def _on_track_refused(self, event: TrackRefused) -> None:
        self._notices.track_refused(event.track, event.message)

    def _on_candidates_refused(self, event: CandidatesRefused) -> None:
        self.session.lost.add(Lost.CANDIDATES, event.count)

    def _on_picture_refused(self, event: PictureRefused) -> None:
        track = self._input(event.mid)
        if track is not None:
            self._notices.picture_refused(track, event.width, event.height)

    def _on_keyframe(self, event: KeyframeRequested) -> None:
        self._media.request_keyframe(event.mid)

    def _on_rate(self, event: RateEstimated) -> None:
        self._media.set_estimate(event.mid, event.bits_per_second)

    def _on_video(self, event: VideoReceived) -> None:
        track = self._input(event.mid)
        if track is not None:
            self._owner.video(self, track, event.rgb)

    def _on_audio(self, event: AudioReceived) -> None:
        track = self._input(event.mid)
        if track is not None:
            self._owner.sound(self, track, event.block, event.rate)

    def _input(self, mid: str) -> str | None:
        """The model's track that the client sends on a section; None when nobody takes it."""
        return None if self.closed else self._media.input(mid)

    # --- for the owner ---

    async def renegotiated(self, offer: Offer) -> None:
        """The same peer has sent a further offer, and it was answered: tracks may have come or gone."""
        self.offer = offer
        self._media.replace(offer.sections)
        if self.ready:
            await self._media.follow()

    def say(self, say: Say) -> bool:
        """Tell the client something; False when it cannot be reached. Held while its codec is unknown, and
        until its channel is open."""
        if self.closed or not self.offer.has_channel:
            return False
        if self.codec is None or DATA not in self._channels:
            if len(self._held) == HELD_MESSAGES:
                self.session.lost.add(Lost.UNSENT)
            self._held.append(say)
            return True
        outgoing = say(self.codec)
        return outgoing is None or self._send(outgoing)

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
        self._media.watch_frame(track, request, frame, self._tell_frame)

    def _tell_frame(self, track: str, request: str | int, index: int, rtp: int) -> None:
        data = {"id": request, "track": track, "frame": index, "rtp_timestamp": rtp}
        self.say(lambda codec: codec.runtime("frameTime", data))

    def pause(self, track: str, paused: bool) -> None:
        """Stop or resume sending an output track to this client alone."""
        self._media.pause(track, paused)

    def buffered(self) -> int:
        return 0 if self.closed else self.wire.buffered()

    def rates(self) -> list[OutboundRate]:
        """What is sent to this client; see `MediaShare.rates`."""
        return self._media.rates()

    def count_losses(self) -> None:
        """Tell the session which frames the network has not carried since the last time."""
        self._media.count_losses()

    def silent(self) -> bool:
        """Whether a client that pings has stopped doing so."""
        return self.last_ping is not None and self.session.clock.time() - self.last_ping > PING_TIMEOUT_S

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
        self.link.close()
        await self._media.end()
        try:
            await self.wire.close()
        # Whatever an engine raises here must not keep the session's slot, nor the other connections.
        except Exception:
            log.exception("Connection %d could not be closed; the others go on", self.number)

    def _send(self, outgoing: Outgoing) -> bool:
        size, limit = len(outgoing.data), self.offer.message_limit
        if size <= limit and self.wire.send(outgoing.label, outgoing.data, binary=outgoing.binary):
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

    def _keep_early(self, event: MessageReceived) -> None:
        if len(self._early) < EARLY_MESSAGES:
            self._early.append(event)
            return
        if not self.session.lost.add(Lost.EARLY):
            log.warning("Connection %d sends a lot before it is up; the rest is refused", self.number)
        # Its channel is open, so it hears that; how it writes is in what came first.
        self.settle(codec_for(self._early[0].data, self._early[0].binary))
        self._owner.message(self, event.label, event.data, event.binary)

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
        self._media.subscribe()
        self._owner.connection_ready(self)
        self._set_live(True)
        if self.notice is None:
            self._await_codec()
        while self._early:
            self._on_message(self._early.popleft())

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

    def _reap(self) -> None:
        self._lose(f"it did not connect within {NEGOTIATION_S:g} s")

    def _lose(self, why: str) -> None:
        if not self.closed:
            self._owner.connection_lost(self, why)


_HANDLERS: Mapping[type, Callable[[Connection, Any], None]] = {
    StateChanged: Connection._on_state,
    Opened: Connection._on_opened,
    Closed: Connection._on_closed,
    ChannelRefused: Connection._on_channel_refused,
    MessageReceived: Connection._on_message,
    KeyframeRequested: Connection._on_keyframe,
    RateEstimated: Connection._on_rate,
    VideoReceived: Connection._on_video,
    AudioReceived: Connection._on_audio,
    PictureRefused: Connection._on_picture_refused,
    TrackRefused: Connection._on_track_refused,
    CandidatesRefused: Connection._on_candidates_refused,
}
"""What else is reported, nobody here needs."""
