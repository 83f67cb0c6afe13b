"""What operators count, for Prometheus. Labels come from bounded sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from reactor_runtime._version import __version__
from reactor_runtime.clients.outcomes import KNOWN_CODES
from reactor_runtime.session.states import EndReason, State

from .media_counts import media_counts
from .rates import RateMetrics

if TYPE_CHECKING:
    from reactor_runtime.session.session import Session

    from .worker import Worker

REASONS = frozenset(reason.value for reason in EndReason)


class Metrics:
    """One registry per worker. Event loop only."""

    def __init__(self, model: str) -> None:
        self.registry = registry = CollectorRegistry()
        Gauge("reactor_info", "This worker", ["version", "model"], registry=registry).labels(
            __version__, model
        ).set(1)
        self._state = Gauge("reactor_session_state", "1 for the present state", ["state"], registry=registry)
        self._clients = Gauge("reactor_clients", "Clients whose media can flow", registry=registry)
        self._sessions = Counter("reactor_sessions", "Sessions that ended", ["reason"], registry=registry)
        self._duration = Histogram(
            "reactor_session_duration_seconds",
            "From the start of a session to its end",
            buckets=(1, 5, 15, 60, 300, 900, 3600),
            registry=registry,
        )
        self._commands = Counter("reactor_commands", "Commands", ["command", "outcome"], registry=registry)
        self._frames = Counter("reactor_frames_emitted", "Frames of the default track", registry=registry)
        self._dropped = Counter("reactor_dropped", "What was lost, by place", ["place"], registry=registry)
        self._silence = Counter(
            "reactor_silence_seconds", "Silence put where no sound was", ["direction"], registry=registry
        )
        self._media = Counter("reactor_media", "What the media of sessions did", ["what"], registry=registry)
        self._leaks = Counter(
            "reactor_leaks", "What sessions left to the next, by the audit", registry=registry
        )
        self._rates = RateMetrics(registry)
        self._seen_session = 0
        self._seen: dict[str, float] = {}
        """What was counted of the running session already."""

    def command(self, name: str, outcome: str) -> None:
        self._commands.labels(name, outcome if outcome in KNOWN_CODES else "refused").inc()

    def session_ended(self, reason: str, session: Session) -> None:
        """A `reason` that is no `EndReason` counts as `other`: labels are bounded."""
        self.collect(session)
        self._sessions.labels(reason if reason in REASONS else "other").inc()
        self._duration.observe(session.timeline.lasted())

    def leaked(self, count: int) -> None:
        self._leaks.inc(count)

    def render(self, worker: Worker) -> bytes:
        """The exposition text, after a look at what is only known when asked."""
        for state in State:
            self._state.labels(state.value).set(state is worker.life.state)
        connections = worker.clients.connections.values()
        self._clients.set(sum(1 for connection in connections if connection.presence.live))
        if worker.session is not None:
            worker.clients.count_losses()
            self.collect(worker.session)
        self._rates.show(connections)
        return generate_latest(self.registry)

    def collect(self, session: Session) -> None:
        """Take over what the session has counted since the last time."""
        if session.number != self._seen_session:
            self._seen_session = session.number
            self._seen.clear()
        self._count(self._frames, "frames", session.next_frame())
        for place, number in session.losses().items():
            self._count(self._dropped.labels(place), place, number)
        for what, count in media_counts(session).items():
            self._count(self._media.labels(what), f"media {what}", count)
        for direction, seconds in session.media.silences().items():
            self._count(self._silence.labels(direction), f"silence {direction}", seconds)
        self._rates.collect(session, self._count)

    def _count(self, counter: Counter, key: str, total: float) -> None:
        counter.inc(max(0.0, total - self._seen.get(key, 0.0)))
        self._seen[key] = max(total, self._seen.get(key, 0.0))
