"""One client of one session: its wire, its channel, its share of the media."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reactor_runtime.protocol.message_format import DATA, MessageFormat, format_for
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

from .commands import ClientCommands
from .conversation import Conversation
from .media_notices import MediaNotices
from .media_share import MediaShare
from .presence import Presence

if TYPE_CHECKING:
    from reactor_runtime.media.encoders import EncodedFrame
    from reactor_runtime.session.session import Session
    from reactor_runtime.transports.wire import Wire

    from .link import Link
    from .negotiation import Offer
    from .owner import ConnectionOwner

log = logging.getLogger(__name__)

EARLY_MESSAGES = 64
"""Messages kept between the opening of the channel and the connection; what comes beyond them is refused."""


class Connection:
    """What its wire reports arrives at `handle`."""

    def __init__(
        self,
        connection_id: int,
        session: Session,
        offer: Offer,
        owner: ConnectionOwner,
        link: Link,
        message_format: MessageFormat | None = None,
        *,
        number: int = 0,
        address: str = "",
    ) -> None:
        """Without a `message_format`, the first inbound message decides."""
        self.id = connection_id
        """Its secret: nothing but the answers to this client may carry it."""
        self.number = number
        """What others call it: the log, the journal."""
        self.address = address
        self.made_at = session.clock.unix()
        self.session = session
        self.offer = offer
        self.link = link
        self.presence = Presence(session.clock, self._lose)
        self.conversation = Conversation(
            link.wire, offer, message_format, session.lost, number, session.clock
        )
        self.commands = ClientCommands()
        self.media = MediaShare(session, link.wire, offer.sections)
        self._owner = owner
        self._early: deque[MessageReceived] = deque()
        self._notices = MediaNotices(self)

    @property
    def wire(self) -> Wire:
        return self.link.wire

    # --- what the wire reports ---

    def handle(self, event: PeerEvent) -> None:
        """The one door; see each event for the thread it comes on."""
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event)

    def _on_state(self, event: StateChanged) -> None:
        self.presence.state = event.state
        if event.state is PeerState.CONNECTED and self.presence.ready:
            self._set_live(True)
            self.media.request_keyframes()
        elif event.state is PeerState.CONNECTED:
            self._check_ready()
        elif event.state is PeerState.DISCONNECTED and self.presence.ready:
            # The network is silent. It may come back; the wire is kept until the engine gives up on it.
            self._set_live(False)
        elif event.state in (PeerState.FAILED, PeerState.CLOSED):
            self._lose(f"the peer connection is {event.state}")

    def _on_opened(self, event: Opened) -> None:
        late = event.label == DATA and self.presence.ready and self.conversation.notice is not None
        if late:
            self.conversation.notice = None
        self.conversation.opened(event.label)
        if late:
            self.conversation.await_format()
            self._owner.channel_came(self)
        self._check_ready()

    def _on_channel_refused(self, event: ChannelRefused) -> None:
        del event
        if not self.session.lost.add(Lost.CHANNELS):
            log.warning("Connection %d opens more data channels than it may; they are closed", self.number)

    def _on_closed(self, event: Closed) -> None:
        self.conversation.ended(event.label)
        if event.label != DATA or self.presence.closed:
            return
        if self.offer.from_page:
            # An SDK may close a connection and make another; a page does so when it is closed or reloaded.
            # What it says of that comes after this, or never: Firefox ends one page in three before.
            self._owner.page_closed(self)
        else:
            self._lose("the client closed its data channel")

    def _on_message(self, event: MessageReceived) -> None:
        if not self.presence.ready:
            self._keep_early(event)
            return
        self.conversation.heard(event.data, event.binary)
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
        self.media.request_keyframe(event.mid)

    def _on_rate(self, event: RateEstimated) -> None:
        self.media.set_estimate(event.mid, event.bits_per_second)

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
        return None if self.presence.closed else self.media.input(mid)

    # --- for the owner ---

    async def renegotiated(self, offer: Offer) -> None:
        """The same peer has sent a further offer, and it was answered: tracks may have come or gone."""
        self.offer = offer
        self.conversation.renegotiated(offer)
        self.media.replace(offer.sections)
        if self.presence.ready:
            await self.media.follow()

    def watch_frame(self, track: str, request: str | int, frame: int) -> None:
        """Tell the client when the frame of this index, or a later one, goes out to it."""
        self.media.watch_frame(track, request, frame, self._tell_frame)

    def _tell_frame(self, track: str, request: str | int, frame: EncodedFrame, rtp: int) -> None:
        data = {"id": request, "track": track, "frame": frame.index, "rtp_timestamp": rtp}
        took = {"queue_ms": round(1000 * frame.queue_s, 1), "encode_ms": round(1000 * frame.encode_s, 1)}
        self.conversation.send(lambda form: form.runtime("frameTime", data | took))

    def buffered(self) -> int:
        return 0 if self.presence.closed else self.wire.buffered()

    async def close(self) -> None:
        """End everything of this client. May be called twice."""
        if not self.presence.end():
            return
        self.conversation.close()
        self.commands.unanswered.clear()
        self.link.close()
        await self.media.end()
        try:
            await self.wire.close()
        # Whatever an engine raises here must not keep the session's slot, nor the other connections.
        except Exception:
            log.exception("Connection %d could not be closed; the others go on", self.number)

    def _keep_early(self, event: MessageReceived) -> None:
        if len(self._early) < EARLY_MESSAGES:
            self._early.append(event)
            return
        if not self.session.lost.add(Lost.EARLY):
            log.warning("Connection %d sends a lot before it is up; the rest is refused", self.number)
        # Its channel is open, so it hears that; how it writes is in what came first.
        self.conversation.settle(format_for(self._early[0].data, self._early[0].binary))
        self._owner.message(self, event.label, event.data, event.binary)

    def _check_ready(self) -> None:
        presence, conversation = self.presence, self.conversation
        if presence.ready or presence.closed or presence.state is not PeerState.CONNECTED:
            return
        if not conversation.open and conversation.notice is None:
            # Once it is known that none comes, the client may view, and has it told.
            conversation.await_channel(self._check_ready)
            return
        presence.begin()
        self.media.subscribe()
        self._owner.connection_ready(self)
        self._set_live(True)
        if conversation.notice is None:
            conversation.await_format()
        while self._early:
            self._on_message(self._early.popleft())

    def _set_live(self, live: bool) -> None:
        self.presence.live = live
        self._owner.presence_changed(self)

    def _lose(self, why: str) -> None:
        if not self.presence.closed:
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
