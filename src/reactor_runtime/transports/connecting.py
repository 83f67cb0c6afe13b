"""How far clients come with connecting: each step by its outcome, for /metrics. Event loop only."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any, cast

from prometheus_client.core import CounterMetricFamily, Metric

from reactor_runtime.errors import RefusedError
from reactor_runtime.protocol.message_format import DATA
from reactor_runtime.transports.port import Engine, Peer, PeerConfig, PeerEvent, Section
from reactor_runtime.transports.wire import Handle, Opened, PeerState, StateChanged

LOOKS_S = (0.2, 0.3, 0.5, 1.0, 3.0)
"""Between two looks whether a picture has left; after the last one, none has."""


class Step(StrEnum):
    OFFER = "offer"
    ICE = "ice"
    DTLS = "dtls"
    """The engine tells of both together: what fails here is counted as ICE."""
    CHANNEL = "channel"
    FIRST_FRAME = "first_frame"


class Outcome(StrEnum):
    OK = "ok"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    FAILED = "failed"


class Connecting:
    """Counts. For a registry of Prometheus."""

    def __init__(self, looks: Sequence[float] = LOOKS_S) -> None:
        self.looks = looks
        """Seconds between looks at whether a picture leaves."""
        self.counts: Counter[tuple[Step, Outcome]] = Counter()

    def add(self, step: Step, outcome: Outcome) -> None:
        self.counts[step, outcome] += 1

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(
            "reactor_connecting", "Steps of connecting, by outcome", labels=["step", "outcome"]
        )
        for (step, outcome), number in sorted(self.counts.items()):
            family.add_metric([step, outcome], number)
        yield family


def _not_yet() -> None:
    """A peer connects after its answer, and by then there is one to look at."""


class CountedEngine:
    """Implements `transports.port.Engine` around another one, and counts."""

    def __init__(self, engine: Engine, connecting: Connecting) -> None:
        self.name = engine.name
        self.descriptors_per_peer = engine.descriptors_per_peer
        self._engine = engine
        self._connecting = connecting

    async def create_peer(self, config: PeerConfig, handle: Handle) -> Peer:
        heard = _Heard(handle, self._connecting)
        return cast("Peer", _CountedPeer(await self._engine.create_peer(config, heard.handle), heard))

    def close(self) -> None:
        self._engine.close()


class _Heard:
    """Passes on what a peer reports, and counts the steps among it."""

    def __init__(self, outer: Handle, connecting: Connecting) -> None:
        self._outer = outer
        self.connecting = connecting
        self.connected = False
        self.answered = False
        self.opened = False
        self.look: Callable[[], None] = _not_yet
        """Begins to look whether a picture leaves."""

    def handle(self, event: PeerEvent) -> None:
        if isinstance(event, StateChanged):
            self._state_changed(event.state)
        elif isinstance(event, Opened) and event.label == DATA and not self.opened:
            self.opened = True
            self.connecting.add(Step.CHANNEL, Outcome.OK)
        self._outer(event)

    def _state_changed(self, state: PeerState) -> None:
        if state is PeerState.CONNECTED and not self.connected:
            self.connected = True
            self.connecting.add(Step.ICE, Outcome.OK)
            self.connecting.add(Step.DTLS, Outcome.OK)
            self.look()
        elif state is PeerState.FAILED and not self.connected:
            self.connected = self.opened = True
            self.connecting.add(Step.ICE, Outcome.FAILED)


class _CountedPeer:
    def __init__(self, peer: Peer, heard: _Heard) -> None:
        self._peer = peer
        self._heard = heard
        heard.look = self._look
        self._looking: asyncio.Task[None] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._peer, name)

    async def answer(self, offer: str, sections: Sequence[Section]) -> str:
        try:
            answer = await self._peer.answer(offer, sections)
        except RefusedError:
            raise  # counted where all refused offers are, most of which come no further than the routes
        except Exception:
            self._heard.connecting.add(Step.OFFER, Outcome.FAILED)
            raise
        self._heard.answered = True
        self._heard.connecting.add(Step.OFFER, Outcome.OK)
        return answer

    async def close(self) -> None:
        heard = self._heard
        if self._looking is not None:
            self._looking.cancel()
        if heard.answered and not heard.connected:
            heard.connected = True
            heard.connecting.add(Step.ICE, Outcome.TIMEOUT)
        elif heard.answered and not heard.opened:
            heard.opened = True
            heard.connecting.add(Step.CHANNEL, Outcome.TIMEOUT)
        await self._peer.close()

    def _look(self) -> None:
        """The connection is up: does a picture leave?"""
        if self._peer.video_senders:
            self._looking = asyncio.ensure_future(self._first_frame())

    async def _first_frame(self) -> None:
        for pause in self._heard.connecting.looks:
            await asyncio.sleep(pause)
            report = await self._peer.stats()
            if any(each.get("frames_sent") for each in report["outbound"]):
                self._heard.connecting.add(Step.FIRST_FRAME, Outcome.OK)
                return
        self._heard.connecting.add(Step.FIRST_FRAME, Outcome.TIMEOUT)
