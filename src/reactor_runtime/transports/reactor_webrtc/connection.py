"""One connection of the engine, with its channels and its tracks.

Every callback of the engine arrives on a native thread that holds the GIL. Events go to the event loop;
decoded media and encoder feedback are handed on where they are, because they are frequent and their receivers
are quick.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import reactor_webrtc as rw

from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.transports import sdp
from reactor_runtime.transports.layout import Layout
from reactor_runtime.transports.port import IceCandidate, PeerConfig, Section
from reactor_runtime.transports.tcp_media import is_tcp
from reactor_runtime.transports.wire import Handle, PeerState

from . import sound
from .channels import Channels
from .gathering import LocalCandidates
from .inbound import Inbound
from .outbound import MAX_BPS, Outbound
from .statistics import told
from .translation import inbound_codec, to_configuration, to_direction, to_state

log = logging.getLogger(__name__)

START_BPS = 6_000_000
"""Where the bandwidth estimate begins: near steady state, so that the first seconds are not blurred."""
MIN_BPS = 300_000

Media = list[sdp.MediaSection]


def _unheard(state: PeerState) -> None:
    """Of a connection that has ended."""


def closed_error() -> RefusedError:
    return RefusedError(Refusal.CONFLICT, "connection_closed", "This connection is closed; open a new one.")


@dataclass(frozen=True)
class Answer:
    """To one offer; nothing parses it again."""

    text: str
    """As the engine applies it."""
    media: Media
    restored: str
    """As the client gets it, with a section for each that it offered; without candidates."""


class EngineConnection:
    """The engine fails some offers for good; then the peer goes on with another connection. What this one
    reports after its end is dropped. Methods run on the event loop."""

    def __init__(
        self,
        factory: rw.PeerConnectionFactory,
        config: PeerConfig,
        handle: Handle,
        candidates: LocalCandidates,
        on_state: Callable[[PeerState], None],
    ) -> None:
        self.channels = Channels(handle, self._post)
        self.outbound = Outbound(factory, handle, config.reveal_timestamps)
        self.ended = False
        self._inbound = Inbound(handle)
        self._factory = factory
        self._config = config
        self._candidates = candidates
        self._on_state = on_state
        self._loop = asyncio.get_running_loop()
        self._pc: rw.PeerConnection | None = None
        self._directions: dict[str, rw.TransceiverDirection] = {}

    def open(self, bundled: bool, sections: Iterable[Section]) -> None:
        """Make the engine's object. Under the lock of the engine's encoder slots."""
        self.outbound.prepare(sections)
        self._pc = self._factory.create_peer_connection(
            to_configuration(self._config, bundled), self._observer()
        )

    def check_open(self) -> None:
        """Raises `RefusedError` when there is no connection, or none any more."""
        self._require()

    async def negotiate(self, layout: Layout, sections: dict[str, Section], media: Media) -> Answer:
        """Give the engine the offer and get its answer, which is not applied yet."""
        pc = self._require()
        parts = {part.mid: part for part in media}
        self._inbound.expect([parts[mid] for mid in layout.engine_mids()])
        await pc.set_remote_description(rw.SessionDescription("offer", layout.offer))
        for transceiver in await pc.transceivers():
            mid = transceiver.mid() or ""
            section, part = sections.get(mid), parts.get(mid)
            if part is None or part.rejected:
                continue
            if section is not None:
                await self.outbound.offer_track(section, transceiver)
                self._inbound.watch(mid, transceiver)
            # Setting what is set already makes the engine take a new encoder, and that one has no track.
            direction = to_direction(section, inbound_codec(part) is not None)
            if direction != self._directions.get(mid):
                self._directions[mid] = direction
                await transceiver.set_direction(direction)
        head, answered = sdp.parse_answer((await pc.create_answer()).sdp)
        sound.complete_answer(answered, sections)
        # One that is too large is refused here, before anything is applied.
        return Answer(sdp.join(head, answered), answered, layout.restore(head, answered))

    async def apply(self, answer: Answer, sections: dict[str, Section]) -> None:
        await self._require().set_local_description(rw.SessionDescription("answer", answer.text))
        self._inbound.settle()
        self.outbound.settle(answer.media, sections)

    async def set_bitrate(self) -> None:
        """Let the engine's estimate begin near what it will come to."""
        await self._require().set_bitrate(min_bps=MIN_BPS, start_bps=START_BPS, max_bps=MAX_BPS)

    async def roll_back(self) -> None:
        """Back to what was negotiated before the offer."""
        try:
            await self._require().set_remote_description(rw.SessionDescription("rollback", ""))
        except RuntimeError as error:
            log.debug("The engine has nothing to go back from: %s", error)

    async def add_candidate(self, candidate: IceCandidate) -> None:
        try:
            await self._require().add_ice_candidate(
                rw.IceCandidate(candidate.candidate, candidate.sdp_mid, candidate.sdp_mline_index)
            )
        except RuntimeError as error:
            log.debug("A candidate was ignored: %s", error)

    async def stats(self) -> dict[str, Any]:
        return told(await self._require().get_stats())

    def end(self) -> None:
        """From now on nothing is reported."""
        self.ended = True

    async def release(self) -> None:
        """Let go of the engine's object and of what belongs to it. May be called twice."""
        self.end()
        # The engine closes a connection when its last reference goes; that waits for native threads, which
        # may wait for the GIL in a callback, so it happens off the loop.
        keep: list[object] = [
            self._pc,
            *self.channels.release(),
            *self.outbound.release(),
            *self._inbound.release(),
        ]
        self._pc = None
        # The peer is not to be kept from ending, nor the engine's factory with it, until somebody collects.
        self._on_state = _unheard
        await self._loop.run_in_executor(None, keep.clear)

    def _require(self) -> rw.PeerConnection:
        if self._pc is None:
            raise closed_error()
        return self._pc

    # --- events of the engine ---

    def _observer(self) -> rw.PeerConnectionObserver:
        post = self._post
        observer = rw.PeerConnectionObserver()
        observer.on_connection_state_change = lambda state: post(self._on_state, to_state(state))
        observer.on_ice_gathering_change = lambda state: post(self._on_gathering, state)
        observer.on_ice_candidate = lambda candidate: post(self._on_candidate, candidate)
        observer.on_track = self._inbound.on_track
        observer.on_data_channel = self.channels.announce
        return observer

    def _post(self, handler: Callable[..., None], *args: object) -> None:
        """Engine thread."""
        if self.ended:
            return
        try:
            self._loop.call_soon_threadsafe(self._deliver, handler, args)
        except RuntimeError:
            log.debug("An engine event arrived after the event loop had ended")

    def _deliver(self, handler: Callable[..., None], args: tuple[object, ...]) -> None:
        if not self.ended:
            handler(*args)

    def _on_gathering(self, state: rw.IceGatheringState) -> None:
        if state == rw.IceGatheringState.Complete:
            self._candidates.complete()

    def _on_candidate(self, candidate: rw.IceCandidate) -> None:
        # It listens on TCP ports, and names them after 100 ms, whatever `tcp_candidate_policy` says.
        if is_tcp(candidate.candidate) and not self._config.tcp:
            return
        self._candidates.add(IceCandidate(candidate.candidate, candidate.sdp_mid, candidate.sdp_mline_index))
