"""Worker processes of one machine: started, spoken to over loopback or its own address, heard, and ended.

It knows no slots: its engine, here or on another machine, says what a worker is called.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from reactor_runtime.clock import WALL
from reactor_runtime.process.job_thread import JobThread
from reactor_runtime.project import environment

from . import upstream
from .engine import (
    Announced,
    Endpoint,
    Event,
    Freed,
    Heard,
    Lost,
    Refused,
    Started,
    Taken,
)
from .known import Known
from .processes import WorkerProcess, to_stderr
from .records import Lease
from .tasks import Tasks

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
STOP_S = 90.0
"""How long a worker that is stopped may take to end its session; a model that hangs is killed before."""
TIDY_S = 10.0
"""How long a process may stay whose connection has closed: it deletes its users' files."""
LISTENS_S = 600.0
"""How long a worker may take to listen; its model loads after that, and for as long as it likes."""


@dataclass
class Hosted:
    process: WorkerProcess
    known: Known
    endpoint: Endpoint | None = None
    asked_to_stop: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Messages to it leave in the order in which they were given."""


@dataclass(frozen=True)
class Ended:
    """A process is gone. `by_itself` when nobody had asked it to go."""

    name: str
    by_itself: bool
    lines: tuple[str, ...]


class Hosting:
    """Event loop only. `command` runs a worker on a port of its own; that it listens at `host` is added."""

    def __init__(
        self,
        command: Sequence[str],
        tell: Callable[[Event], None],
        ended: Callable[[Ended], None],
        *,
        host: str = LOOPBACK,
        proxies: str = LOOPBACK,
        variables: Mapping[str, str] | None = None,
        on_line: Callable[[str, str], None] = to_stderr,
        clock: Callable[[], float] = WALL.time,
    ) -> None:
        """`proxies` are the addresses whose word about clients' addresses the workers take: the gateway's."""
        self._command = [*command, "--host", host]
        self._tell = tell
        self._told_end = ended
        self._host = host
        self._proxies = proxies
        self._secret = secrets.token_urlsafe(24)
        self._variables = dict(environment.inherited() if variables is None else variables)
        self._on_line = on_line
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._workers: dict[str, Hosted] = {}
        self._tasks = Tasks("What was told to a worker, or heard of it, failed")
        self._gone = asyncio.Event()
        """A process has ended; a new one is put here for the next."""
        # The kernel ends workers with the thread that forked them: this one lives as long as this object.
        self._spawner = JobThread("reactor-engine")
        self._closing = False

    async def start(self, name: str, gpu: str | None = None) -> int:
        """Returns its process id. Raises `OSError`."""
        process = await asyncio.wrap_future(self._spawner.submit(lambda: self._fork(name, gpu)))
        self._workers[name] = Hosted(process, Known(name, process.pid))
        self._tell(Started(name, process.pid))
        self._loop.call_later(LISTENS_S, self._kill_if_deaf, name)
        return process.pid

    def stop(self, name: str, *, at_once: bool = False) -> None:
        worker = self._workers.get(name)
        if worker is None:
            return
        # One that went by itself did not go because it is told to.
        worker.asked_to_stop = worker.asked_to_stop or not worker.known.lost
        if at_once:
            worker.process.kill()
        else:
            worker.process.terminate()
            self._loop.call_later(STOP_S, self._kill_if_there, name)

    def grant(self, lease: Lease) -> None:
        body = {"epoch": lease.epoch, "ticket": lease.ticket, "address": lease.address}
        self._tasks.spawn(self._grant(lease, {**body, "seconds": float(lease.seconds), "seed": lease.seed}))

    def revoke(self, name: str, epoch: int, reason: str) -> None:
        self._tasks.spawn(self._revoke(name, {"epoch": epoch, "reason": reason}))

    def present(self) -> list[Event]:
        """What is to be said of the workers that are there."""
        now = self._clock()
        return [w.known.present(now) for w in self._workers.values() if not w.known.lost]

    @property
    def leaving(self) -> bool:
        """Whether a process is about to go."""
        return any(worker.asked_to_stop or worker.known.lost for worker in self._workers.values())

    async def close(self, within: float) -> None:
        """Ask every process to go, and end those that do not; none is `by_itself` any more."""
        self._closing = True
        for worker in self._workers.values():
            worker.process.terminate()
        try:
            async with asyncio.timeout(within):
                while self._workers:
                    await self._gone.wait()
        except TimeoutError:
            self.kill_all()
        await self._tasks.end()
        await self._loop.run_in_executor(None, self._spawner.close)

    def kill_all(self) -> None:
        """End everything at once. Also when the loop does not run any more."""
        for worker in list(self._workers.values()):
            worker.process.kill()

    # --- inside: processes ---

    def _fork(self, name: str, gpu: str | None) -> WorkerProcess:
        variables = {**self._variables, environment.TOKEN: self._secret}
        variables[environment.TRUSTED_PROXIES] = self._proxies
        if gpu is not None:
            variables["CUDA_VISIBLE_DEVICES"] = gpu

        def call(function: Callable[..., None], *arguments: object) -> None:
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(function, name, *arguments)

        return WorkerProcess(
            name,
            self._command,
            variables,
            lambda port: call(self._listening, port),
            lambda status: call(self._ended, status),
            self._on_line,
        )

    def _listening(self, name: str, port: int) -> None:
        worker = self._workers.get(name)
        if worker is None and not self._closing:
            # The watcher was faster than the spawner's answer: it is here in the next round.
            self._loop.call_soon(self._listening, name, port)
        if worker is None:
            return
        worker.endpoint = Endpoint(self._host, port, self._secret)
        self._tasks.spawn(self._listen(name, worker.endpoint))

    def _ended(self, name: str, status: int) -> None:
        worker = self._workers.get(name)
        if worker is None:
            self._loop.call_soon(self._ended, name, status)
            return
        self._lost(name, "stopped" if worker.asked_to_stop else f"ended with status {status}")
        del self._workers[name]
        self._gone.set()
        self._gone = asyncio.Event()
        by_itself = not (worker.asked_to_stop or self._closing)
        if by_itself:
            log.warning("Worker %s ended with status %d", name, status)
        self._told_end(Ended(name, by_itself, tuple(worker.process.lines)))

    def _kill_if_there(self, name: str) -> None:
        if name in self._workers:
            self._workers[name].process.kill()

    def _kill_if_deaf(self, name: str) -> None:
        worker = self._workers.get(name)
        if worker is not None and worker.endpoint is None:
            log.error("Worker %s did not listen within %g s and is ended", name, LISTENS_S)
            worker.process.kill()

    # --- inside: messages ---

    async def _listen(self, name: str, endpoint: Endpoint) -> None:
        try:
            async with aclosing(upstream.lines(endpoint, "/worker/reports")) as reports:
                async for report in reports:
                    event = _event(name, endpoint, report)
                    if event is not None:
                        self._hear(name, event)
        except upstream.UpstreamError as error:
            self._lost(name, f"its connection closed ({error})")
        # Whoever closes its socket serves nobody any more; it may tidy up.
        self._loop.call_later(TIDY_S, self._kill_if_there, name)

    async def _grant(self, lease: Lease, body: dict[str, Any]) -> None:
        reason = "unknown_worker"
        worker = self._workers.get(lease.worker)
        if worker is not None and worker.endpoint is not None:
            worker.known.granted(lease)
            async with worker.turn:
                try:
                    status, answer = await upstream.call(worker.endpoint, "/worker/grant", body)
                except upstream.UpstreamError as error:
                    status, answer = 0, {"code": f"unreachable: {error}"}
            if status == 200:
                return
            reason = str(answer.get("code", status))
        refused = Refused(lease.worker, lease.epoch, reason)
        if worker is not None:
            worker.known.hear(refused, self._clock())
        self._tell(refused)

    async def _revoke(self, name: str, body: dict[str, Any]) -> None:
        worker = self._workers.get(name)
        if worker is None or worker.endpoint is None:
            return
        async with worker.turn:
            try:
                await upstream.call(worker.endpoint, "/worker/revoke", body)
            except upstream.UpstreamError as error:
                log.warning("Worker %s was not told to end its session: %s", name, error)

    def _hear(self, name: str, event: Event) -> None:
        worker = self._workers.get(name)
        if worker is not None and not worker.known.lost:
            worker.known.hear(event, self._clock())
            self._tell(event)

    def _lost(self, name: str, reason: str) -> None:
        """Said once."""
        worker = self._workers.get(name)
        if worker is not None and not worker.known.lost:
            worker.known.lost = True
            self._tell(Lost(name, reason))


def _event(name: str, endpoint: Endpoint, report: dict[str, Any]) -> Event | None:
    match report:
        case {"type": "announced", "epoch": epoch, "ticket": ticket, "session": session}:
            address, left = report.get("address", ""), report.get("left", 0.0)
            model = report.get("model", "")
            return Announced(name, endpoint, epoch, ticket, session, address, left, model=model)
        case {"type": "heartbeat"}:
            return Heard(name)
        case {"type": "taken", "epoch": epoch, "session": session}:
            return Taken(name, epoch, session)
        case {"type": "freed", "epoch": epoch}:
            return Freed(name, epoch, report.get("reason", ""), report.get("message", ""))
    return None
