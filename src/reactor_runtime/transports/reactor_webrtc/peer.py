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

import reactor_webrtc as rw

from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.transports import sdp as sdp_text
from reactor_runtime.transports.candidates import CandidateGate
from reactor_runtime.transports.layout import Layout, arrange, untakeable
from reactor_runtime.transports.port import (
    CandidateFound,
    CandidatesRefused,
    IceCandidate,
    PeerConfig,
    Section,
    TrackRefused,
)
from reactor_runtime.transports.wire import Handle, PeerState, StateChanged

from . import sound
from .channels import Channels
from .inbound import Inbound
from .outbound import MAX_BPS, Outbound
from .refusals import engine_refused, refused_tracks
from .sender import InlineVideoSender
from .statistics import told
from .translation import inbound_codec, prepare_section, to_configuration, to_direction, to_state, unsendable

log = logging.getLogger(__name__)

START_BPS = 6_000_000
"""Where the bandwidth estimate begins: near steady state, so that the first seconds are not blurred."""
MIN_BPS = 300_000
GATHERING_QUIET_S = 0.01
"""Without STUN and TURN, our candidates are all there when none has come for this long."""
ATTEMPTS = 3
"""The engine says what it cannot take only in its answer; then it gets the offer again without that."""

Media = list[sdp_text.MediaSection]


class ReactorWebRtcPeer:
    """Implements `transports.port.Peer`. Methods run on the event loop, except `send` and the senders'
    `push`.
    """

    def __init__(
        self, factory: rw.PeerConnectionFactory, slots: asyncio.Lock, config: PeerConfig, handle: Handle
    ) -> None:
        self._factory = factory
        self._slots = slots
        self._config = config
        self._handle = handle
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._state = PeerState.NEW
        self._pc: rw.PeerConnection | None = None
        self._layout: Layout | None = None
        self._gate = CandidateGate(config.from_loopback)
        self._users: frozenset[str] = frozenset()
        self._channels = Channels(handle, self._post)
        self._inbound = Inbound(handle)
        self._outbound = Outbound(factory, handle, config.reveal_timestamps)
        self._candidates: list[IceCandidate] = []
        self._early: list[IceCandidate] | None = []
        self._gathering_done = asyncio.Event()
        self._answer = ""
        self._binding: asyncio.Task[None] | None = None
        self._attempt = 0
        """Which of the engine's connections of this peer is meant; what those before it report is late."""
        self._directions: dict[str, rw.TransceiverDirection] = {}
        self._told: set[tuple[str, str]] = set()
        """Tracks without media that the client has heard of, each with its section."""

    @property
    def video_senders(self) -> Sequence[InlineVideoSender]:
        return tuple(self._outbound.senders.values())

    @property
    def audio_senders(self) -> Sequence[sound.PcmSender]:
        return tuple(self._outbound.audio.values())

    async def answer(self, offer: str, sections: Sequence[Section]) -> str:
        by_mid = {section.mid: section for section in sections}
        head, media, offered = self._read(offer, by_mid)
        async with self._slots:
            layout, text = await self._first_answer(head, media, by_mid)
        self._accept(layout, text, offered, by_mid)
        early, self._early = self._early or [], None
        for candidate in early:
            await self.add_candidate(candidate)
        return self._answer

    async def restart(self, offer: str, sections: Sequence[Section]) -> str:
        pc = self._require()
        by_mid = {section.mid: section for section in sections}
        head, media, offered = self._read(offer, by_mid)
        async with self._slots:
            refused = untakeable(media) | unsendable(media, by_mid)
            layout = arrange(head, media, refused, self._layout)
            text = await self._further_answer(pc, layout, by_mid, media)
        self._accept(layout, text, offered, by_mid)
        if self._state is PeerState.CONNECTED:
            self._bind_rest()
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
        if not candidate.candidate:  # there are no more
            return
        text = self._gate.admit(candidate.candidate)
        if text is None:
            self._handle(CandidatesRefused(1))
            return
        named = IceCandidate(text, candidate.sdp_mid, candidate.sdp_mline_index)
        placed = self._layout.place(named) if self._layout else None
        if placed is None:
            return
        try:
            await self._require().add_ice_candidate(
                rw.IceCandidate(placed.candidate, placed.sdp_mid, placed.sdp_mline_index)
            )
        except RuntimeError as error:
            log.debug("A candidate was ignored: %s", error)

    def send(self, label: str, data: bytes, *, binary: bool = False) -> bool:
        return self._channels.send(label, data, binary=binary)

    def buffered(self) -> int:
        return self._channels.buffered() + sum(sender.urge() for sender in self.video_senders)

    async def stats(self) -> dict[str, Any]:
        return told(await self._require().get_stats())

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
        await self._release()

    async def _release(self) -> None:
        """Let go of the engine's connection and of what belongs to it."""
        # The engine closes a connection when its last reference goes; that waits for native threads, which
        # may wait for the GIL in a callback, so it happens off the loop.
        keep: list[object] = [
            self._pc,
            *self._channels.release(),
            *self._outbound.release(),
            *self._inbound.release(),
        ]
        self._pc = None
        await self._loop.run_in_executor(None, keep.clear)

    def _require(self) -> rw.PeerConnection:
        if self._pc is None:
            raise RefusedError(
                Refusal.CONFLICT, "connection_closed", "This connection is closed; open a new one."
            )
        return self._pc

    # --- offers and answers ---

    def _read(self, offer: str, sections: dict[str, Section]) -> tuple[list[str], Media, Media]:
        """The offer as the engine may see it, and its sections as the client wrote them."""
        head, media = sdp_text.parse(offer)
        _, offered = sdp_text.parse(offer)
        users = sdp_text.ice_users(offer)
        if users != self._users:
            self._gate.begin()
            self._users = users
        refused = self._gate.refused
        head = self._gate.filter(head)
        for part in media:
            part.lines[:] = self._gate.filter(part.lines)
            prepare_section(part, sections.get(part.mid), self._config.sender_turns)
        if self._gate.refused > refused:
            self._handle(CandidatesRefused(self._gate.refused - refused))
        sound.prepare_offer(media, sections)
        return head, media, offered

    async def _first_answer(
        self, head: list[str], media: Media, sections: dict[str, Section]
    ) -> tuple[Layout, str]:
        """Make the connection and the answer. Under the lock of the engine's encoder slots."""
        refused = untakeable(media) | unsendable(media, sections)
        for _ in range(ATTEMPTS):
            layout = arrange(head, media, refused)
            if self._closed:
                self._require()
            self._outbound.prepare(sections.values())
            self._pc = pc = self._factory.create_peer_connection(
                to_configuration(self._config, layout.bundled), self._observer()
            )
            try:
                text = await self._negotiate(pc, layout, sections, media)
                _, answered = sdp_text.parse_answer(text)
                rejected = {part.mid for part in answered if part.rejected}
                if not rejected:
                    await self._apply(pc, text, sections)
                    await pc.set_bitrate(min_bps=MIN_BPS, start_bps=START_BPS, max_bps=MAX_BPS)
                    return layout, text
            except (RuntimeError, ValueError) as error:
                raise engine_refused(error) from error
            # It fails to apply such an answer where the first section of a bundle is rejected.
            refused |= rejected
            await self._begin_again()
        raise RefusedError(
            Refusal.INVALID, "no_usable_section", "The offer has no media section that can be answered."
        )

    async def _begin_again(self) -> None:
        self._attempt += 1
        self._directions.clear()
        await self._release()
        self._channels = Channels(self._handle, self._post)
        self._inbound = Inbound(self._handle)
        self._outbound = Outbound(self._factory, self._handle, self._config.reveal_timestamps)

    async def _further_answer(
        self, pc: rw.PeerConnection, layout: Layout, sections: dict[str, Section], media: Media
    ) -> str:
        """Take a further offer; one that the engine refuses changes nothing."""
        try:
            text = await self._negotiate(pc, layout, sections, media)
        except (RuntimeError, ValueError) as error:
            await _roll_back(pc)
            raise engine_refused(error) from error
        except RefusedError:
            await _roll_back(pc)
            raise
        if sdp_text.ice_users(text) != sdp_text.ice_users(self._answer):
            self._candidates.clear()
            self._gathering_done.clear()
        try:
            await self._apply(pc, text, sections)
        except (RuntimeError, ValueError) as error:
            await _roll_back(pc)
            raise engine_refused(error) from error
        return text

    async def _negotiate(
        self, pc: rw.PeerConnection, layout: Layout, sections: dict[str, Section], media: Media
    ) -> str:
        """Give the engine the offer and get its answer, which is not applied yet."""
        parts = {part.mid: part for part in media}
        self._inbound.expect([parts[mid] for mid in layout.engine_mids()])
        await pc.set_remote_description(rw.SessionDescription("offer", layout.offer))
        for transceiver in await pc.transceivers():
            mid = transceiver.mid() or ""
            section, part = sections.get(mid), parts.get(mid)
            if part is None or part.rejected:
                continue
            if section is not None:
                await self._outbound.offer_track(section, transceiver)
                self._inbound.watch(mid, transceiver)
            # Setting what is set already makes the engine take a new encoder, and that one has no track.
            direction = to_direction(section, inbound_codec(part) is not None)
            if direction != self._directions.get(mid):
                self._directions[mid] = direction
                await transceiver.set_direction(direction)
        text = sound.complete_answer((await pc.create_answer()).sdp, sections)
        layout.restore(text)  # one that is too large is refused before anything is applied
        return text

    async def _apply(self, pc: rw.PeerConnection, answer: str, sections: dict[str, Section]) -> None:
        await pc.set_local_description(rw.SessionDescription("answer", answer))
        self._inbound.settle()
        self._outbound.settle(answer, sections)

    def _accept(self, layout: Layout, answer: str, offered: Media, sections: dict[str, Section]) -> None:
        """Keep what was negotiated, and tell which tracks have no codec in common."""
        self._layout, self._answer = layout, layout.restore(answer)
        for refused in refused_tracks(offered, self._answer, sections):
            if (refused.mid, refused.track) not in self._told:
                self._told.add((refused.mid, refused.track))
                self._handle(TrackRefused(refused.track, refused.message))

    # --- the encoders ---

    async def _bind(self) -> None:
        """Give the senders their encoders; then report."""
        bound = False
        async with self._slots:
            try:
                bound = await self._outbound.bind()
            except Exception:
                log.exception("The engine could not give a connection its tracks; the connection ends")
            finally:
                if not bound:
                    # Under the lock: a track that is left without its encoder takes that of the next
                    # connection, and so on for ever, until the engine has let it go.
                    await asyncio.shield(self._let_go())
        self._handle(StateChanged(PeerState.CONNECTED if bound else PeerState.FAILED))

    def _bind_rest(self) -> None:
        """Bind what a further offer has brought; a binding that goes on finds it by itself."""
        running = self._binding is not None and not self._binding.done()
        if not running and self._outbound.incomplete():
            self._binding = self._loop.create_task(self._bind())

    # --- events of the engine ---

    def _observer(self) -> rw.PeerConnectionObserver:
        post = functools.partial(self._post, self._deliver_of, self._attempt)
        observer = rw.PeerConnectionObserver()
        observer.on_connection_state_change = lambda state: post(self._on_state, to_state(state))
        observer.on_ice_gathering_change = lambda state: post(self._on_gathering, state)
        observer.on_ice_candidate = lambda candidate: post(self._on_candidate, candidate)
        observer.on_track = self._inbound.on_track
        observer.on_data_channel = self._channels.announce
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

    def _deliver_of(self, attempt: int, handler: Callable[..., None], *args: object) -> None:
        if attempt == self._attempt:
            handler(*args)

    def _on_state(self, state: PeerState) -> None:
        self._state = state
        if state is not PeerState.CONNECTED:
            self._handle(StateChanged(state))
        elif self._binding is None or (self._binding.done() and self._outbound.incomplete()):
            self._binding = self._loop.create_task(self._bind())
        elif self._binding.done():
            self._handle(StateChanged(state))

    def _on_gathering(self, state: rw.IceGatheringState) -> None:
        if state == rw.IceGatheringState.Complete:
            self._gathering_done.set()

    def _on_candidate(self, candidate: rw.IceCandidate) -> None:
        found = IceCandidate(candidate.candidate, candidate.sdp_mid, candidate.sdp_mline_index)
        self._candidates.append(found)
        self._handle(CandidateFound(found))


async def _roll_back(pc: rw.PeerConnection) -> None:
    """Back to what was negotiated before the offer."""
    try:
        await pc.set_remote_description(rw.SessionDescription("rollback", ""))
    except RuntimeError as error:
        log.debug("The engine has nothing to go back from: %s", error)
