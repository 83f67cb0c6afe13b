"""The figures of a fleet, in Prometheus' text format."""

from __future__ import annotations

from collections import Counter as Counted
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from .records import SERVING, WorkerState

if TYPE_CHECKING:
    from .fleet import Fleet

WAITS_S = (1, 5, 15, 30, 60, 120, 300, 600, 1800)


class Figures(Collector):
    """What is there now is read when somebody asks."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.registry = CollectorRegistry()
        self._wait = Histogram(
            "reactor_fleet_wait_seconds",
            "From the ticket to its claim",
            buckets=WAITS_S,
            registry=self.registry,
        )
        self._grants = Counter("reactor_fleet_grants", "Leases that were granted", registry=self.registry)
        self._losses = Counter(
            "reactor_fleet_losses", "Workers that were lost, by cause", ["cause"], registry=self.registry
        )
        self._refusals = Counter(
            "reactor_fleet_refusals", "Tickets that were refused, by code", ["code"], registry=self.registry
        )
        self.registry.register(self)

    def granted(self, waited: float) -> None:
        self._grants.inc()
        self._wait.observe(max(0.0, waited))

    def lost(self, reason: str) -> None:
        causes = {"silent": "silent", "stopped": "stopped"}
        cause = "connection" if "connection" in reason else causes.get(reason, "ended")
        self._losses.labels(cause).inc()

    def refused(self, code: str) -> None:
        self._refusals.labels(code).inc()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        broker = self._fleet.broker
        yield GaugeMetricFamily("reactor_fleet_queue_length", "Tickets that wait", value=len(broker.line))
        workers = GaugeMetricFamily("reactor_fleet_workers", "Workers by state", labels=["state"])
        seen = Counted(WorkerState.DRAINING if w.draining else w.state for w in broker.workers.values())
        seen[WorkerState.DEAD] = len(self._fleet.failing)
        for state in WorkerState:
            workers.add_metric([state.value], seen[state])
        yield workers
        used = sum(w.state in SERVING for w in broker.workers.values())
        share = used / len(broker.workers) if broker.workers else 0.0
        yield GaugeMetricFamily("reactor_fleet_utilisation", "Share of workers that serve", value=share)

    def render(self) -> bytes:
        return generate_latest(self.registry)
