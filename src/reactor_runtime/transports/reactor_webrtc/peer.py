"""One peer: its offers and answers, its candidates, and the engine's connection behind them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import reactor_webrtc as rw

from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.transports import sdp as sdp_text
from reactor_runtime.transports.layout import Layout, arrange, untakeable
from reactor_runtime.transports.port import IceCandidate, PeerConfig, Section, TrackRefused
from reactor_runtime.transports.wire import Handle, PeerState, StateChanged

from . import sound
from .connection import Answer, EngineConnection, Media, closed_error
from .gathering import Gathered, LocalCandidates
from .refusals import engine_refused, refused_tracks
from .remote import RemoteCandidates
from .sender import InlineVideoSender
from .translation import prepare_section, unsendable

log = logging.getLogger(__name__)

ATTEMPTS = 3
"""The engine says what it cannot take only in its answer; then it gets the offer again without that."""


class ReactorWebRtcPeer:
    """Implements `transports.port.Peer`. Methods run on the event loop, except `send` and the senders'
    `push`.
    """

    def __init__(
        self,
        factory: rw.PeerConnectionFactory,
        slots: asyncio.Lock,
        config: PeerConfig,
        handle: Handle,
        gathered: Gathered,
    ) -> None:
        self._factory = factory
        self._slots = slots
        self._config = config
        self._handle = handle
        self._closed = False
        self._state = PeerState.NEW
        self._remote = RemoteCandidates(handle, config.from_loopback)
        self._candidates = LocalCandidates(handle, bool(config.ice_servers), gathered)
        self._engine = self._engine_connection()
        self._layout: Layout | None = None
        self._answer = ""
        self._binding: asyncio.Task[None] | None = None
        self._told: set[tuple[str, str]] = set()
        """Tracks without media that the client has heard of, each with its section."""

    @property
    def video_senders(self) -> Sequence[InlineVideoSender]:
        return tuple(self._engine.outbound.senders.values())

    @property
    def audio_senders(self) -> Sequence[sound.PcmSender]:
        return tuple(self._engine.outbound.audio.values())

    async def answer(self, offer: str, sections: Sequence[Section]) -> str:
        by_mid = {section.mid: section for section in sections}
        head, media, offered = self._read(offer, by_mid)
        async with self._slots:
            layout, answer = await self._first_answer(head, media, by_mid)
        self._accept(layout, answer, offered, by_mid)
        for candidate in self._remote.take_early():
            await self.add_candidate(candidate)
        return self._answer

    async def restart(self, offer: str, sections: Sequence[Section]) -> str:
        self._engine.check_open()
        by_mid = {section.mid: section for section in sections}
        head, media, offered = self._read(offer, by_mid)
        async with self._slots:
            refused = untakeable(media) | unsendable(media, by_mid)
            layout = arrange(head, media, refused, self._layout)
            answer = await self._further_answer(layout, by_mid, media)
        self._accept(layout, answer, offered, by_mid)
        if self._state is PeerState.CONNECTED:
            self._bind_rest()
        return self._answer

    async def gathered(self, within: float) -> str:
        await self._candidates.wait(within)
        return self._candidates.in_answer(self._answer)

    async def add_candidate(self, candidate: IceCandidate) -> None:
        # An empty one says that there are no more.
        if self._remote.keep(candidate) or not candidate.candidate:
            return
        admitted = self._remote.admit(candidate)
        placed = self._layout.place(admitted) if self._layout and admitted else None
        if placed is not None:
            await self._engine.add_candidate(placed)

    def send(self, label: str, data: bytes, *, binary: bool = False) -> bool:
        return self._engine.channels.send(label, data, binary=binary)

    def buffered(self) -> int:
        return self._engine.channels.buffered() + sum(sender.nudge() for sender in self.video_senders)

    async def stats(self) -> dict[str, Any]:
        return await self._engine.stats()

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._engine.end()
        binding, self._binding = self._binding, None
        if binding is not None and not binding.done():
            # It lets go of everything itself, before another connection gets an encoder.
            binding.cancel()
            await asyncio.wait({binding})
        await self._let_go()

    async def _let_go(self) -> None:
        """Close the engine's connection; returns when it is gone. May be called twice."""
        self._closed = True
        await self._engine.release()

    def _engine_connection(self) -> EngineConnection:
        return EngineConnection(self._factory, self._config, self._handle, self._candidates, self._on_state)

    # --- offers and answers ---

    def _read(self, offer: str, sections: dict[str, Section]) -> tuple[list[str], Media, Media]:
        """The offer as the engine may see it, and its sections as the client wrote them."""
        head, media = self._remote.read(offer)
        offered = [part.copy() for part in media]
        for part in media:
            prepare_section(part, sections.get(part.mid), self._config.sender_turns)
        sound.prepare_offer(media, sections)
        return head, media, offered

    async def _first_answer(
        self, head: list[str], media: Media, sections: dict[str, Section]
    ) -> tuple[Layout, Answer]:
        """Make the connection and the answer. Under the lock of the engine's encoder slots."""
        refused = untakeable(media) | unsendable(media, sections)
        for _ in range(ATTEMPTS):
            layout = arrange(head, media, refused)
            if self._closed:
                raise closed_error()
            self._engine.open(layout.bundled, sections.values())
            try:
                answer = await self._engine.negotiate(layout, sections, media)
                rejected = {part.mid for part in answer.media if part.rejected}
                if not rejected:
                    # Together: each waits for the engine's threads most of its time.
                    await asyncio.gather(self._engine.apply(answer, sections), self._engine.set_bitrate())
                    return layout, answer
            except (RuntimeError, ValueError) as error:
                raise engine_refused(error) from error
            # It fails to apply such an answer where the first section of a bundle is rejected.
            refused |= rejected
            await self._engine.release()
            self._engine = self._engine_connection()
        raise RefusedError(
            Refusal.INVALID, "no_usable_section", "The offer has no media section that can be answered."
        )

    async def _further_answer(self, layout: Layout, sections: dict[str, Section], media: Media) -> Answer:
        """Take a further offer; one that the engine refuses changes nothing."""
        try:
            answer = await self._engine.negotiate(layout, sections, media)
        except (RuntimeError, ValueError) as error:
            await self._engine.roll_back()
            raise engine_refused(error) from error
        except RefusedError:
            await self._engine.roll_back()
            raise
        if sdp_text.ice_users(answer.text) != sdp_text.ice_users(self._answer):
            self._candidates.begin()
        try:
            await self._engine.apply(answer, sections)
        except (RuntimeError, ValueError) as error:
            await self._engine.roll_back()
            raise engine_refused(error) from error
        return answer

    def _accept(self, layout: Layout, answer: Answer, offered: Media, sections: dict[str, Section]) -> None:
        """Keep what was negotiated, and tell which tracks have no codec in common."""
        self._layout, self._answer = layout, answer.restored
        for refused in refused_tracks(offered, answer.media, sections):
            if (refused.mid, refused.track) not in self._told:
                self._told.add((refused.mid, refused.track))
                self._handle(TrackRefused(refused.track, refused.message))

    # --- the encoders ---

    async def _bind(self) -> None:
        """Give the senders their encoders; then report."""
        bound = False
        async with self._slots:
            try:
                bound = await self._engine.outbound.bind()
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
        if not running and self._engine.outbound.incomplete():
            self._binding = asyncio.create_task(self._bind())

    def _on_state(self, state: PeerState) -> None:
        self._state = state
        if state is not PeerState.CONNECTED:
            self._handle(StateChanged(state))
        elif self._binding is None or (self._binding.done() and self._engine.outbound.incomplete()):
            self._binding = asyncio.create_task(self._bind())
        elif self._binding.done():
            self._handle(StateChanged(state))
