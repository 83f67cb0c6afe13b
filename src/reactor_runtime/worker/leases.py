"""A worker of a fleet: it serves whom it is told to, for as long as it is told, and says when it is free.

A grant has an epoch, and none that is older than the newest seen is taken: whoever sent it was too late. The
worker keeps the deadline itself, on its own clock. `freed` is said when the model has returned, and reset and
audit have run. Event loop only.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reactor_runtime.clock import Timer, timeout
from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.session.states import IN_SESSION, EndReason, State

if TYPE_CHECKING:
    from .worker import Worker

log = logging.getLogger(__name__)

HEARTBEAT_S = 2.0
REPORTS_LIMIT = 64
"""Reports that a stream may be behind; a reader that is slower begins again with what is now."""
REASONS = {
    "drained": (EndReason.SHUTDOWN, "This worker is taken out of service."),
    "kicked": (EndReason.STOPPED, "The operator ended the session."),
    "left": (EndReason.STOPPED, "The client ended the session."),
}
"""Words of a fleet's reasons, for clients; what is not among them is the operator's."""


@dataclass
class Held:
    """The lease that this worker serves, or served last."""

    epoch: int = 0
    ticket: str = ""
    address: str = ""
    session: str = ""
    until: float | None = None


class Leases:
    """What `/worker/…` is about."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._clock = worker.clock
        self._held = Held()
        self._timer: Timer | None = None
        self._streams: set[asyncio.Queue[dict[str, Any]]] = set()
        self._loaded = worker.life.state is State.READY
        worker.standing.listener = self.changed

    async def grant(
        self, epoch: int, ticket: str, address: str, seconds: float, seed: int | None = None
    ) -> str:
        """Begin the session of a lease; returns its id. Raises `RefusedError`."""
        held = self._held
        if epoch <= held.epoch:
            raise RefusedError(
                Refusal.CONFLICT,
                "stale_grant",
                f"Lease {epoch} is not newer than {held.epoch}, which this worker saw.",
            )
        if held.session or self._worker.life.state is not State.READY:
            raise RefusedError(Refusal.CONFLICT, "not_free", f"This worker is {self._worker.life.state}.")
        self._held = held = Held(epoch, ticket, address)
        descriptor = await self._worker.start_session(address, seed)
        held.session = descriptor["session_id"]
        if seconds > 0:
            held.until = self._clock.time() + seconds
            self._timer = self._clock.call_later(seconds, self._over, epoch, seconds)
        self._tell(type="taken", epoch=epoch, session=held.session)
        return held.session

    def revoke(self, epoch: int, reason: str) -> None:
        """The lease is over. About another one than that which is served, this does nothing."""
        if epoch == self._held.epoch and self._held.session:
            self._end(*REASONS.get(reason, (EndReason.STOPPED, "The operator ended the session.")))

    def changed(self) -> None:
        """The worker is in another state."""
        if self._worker.life.state is not State.READY:
            return
        if not self._loaded:
            self._loaded = True
            self._tell(**self.announcement())
        elif self._held.session:
            self._held.session, self._held.ticket = "", ""
            if self._timer is not None:
                self._timer.cancel()
            end = self._worker.standing.last_end
            reason, message = (end.reason.value, end.message) if end is not None else ("", "")
            self._tell(type="freed", epoch=self._held.epoch, reason=reason, message=message)

    def announcement(self) -> dict[str, Any]:
        held = self._held
        until = held.until if held.session else None
        left = max(0.1, until - self._clock.time()) if until is not None else 0.0
        return {
            "type": "announced",
            "epoch": held.epoch,
            "ticket": held.ticket,
            "session": held.session,
            "address": held.address if held.session else "",
            "left": left,
            "model": self._worker.model.name,
        }

    async def reports(self) -> AsyncGenerator[dict[str, Any]]:
        """What is, then what happens, and a heartbeat in every silence of two seconds. Never ends."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(REPORTS_LIMIT)
        self._streams.add(queue)
        try:
            yield {"type": "hello", "pid": os.getpid()}
            if self._loaded:
                yield self.announcement()
            while queue in self._streams or not queue.empty():
                try:
                    async with timeout(self._clock, HEARTBEAT_S):
                        report = await queue.get()
                except TimeoutError:
                    report = {"type": "heartbeat"}
                yield report
        finally:
            self._streams.discard(queue)

    def close(self) -> None:
        """End the streams, so that a shutdown waits for none of them."""
        self._tell(type="leaving")
        self._streams.clear()

    def _tell(self, **report: Any) -> None:
        for queue in list(self._streams):
            try:
                queue.put_nowait(report)
            except asyncio.QueueFull:
                self._streams.discard(queue)

    def _over(self, epoch: int, seconds: float) -> None:
        if epoch == self._held.epoch:
            self._end(EndReason.TIME_CAP, f"The session reached its limit of {seconds:g} s.")

    def _end(self, reason: EndReason, message: str) -> None:
        if self._worker.life.state in IN_SESSION:
            log.info("The lease is over: %s", message)
            self._worker.end_session(reason, message)
