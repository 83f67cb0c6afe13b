"""`LocalEngine`: a worker is a `reactor run` process of this machine. Nothing has to be installed.

Every slot has a number and a GPU; a process that ends leaves its slot to the next one. A slot whose process
has ended by itself three times within five minutes is failing, and rests until the oldest of these is five
minutes ago.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from reactor_runtime.clock import WALL
from reactor_runtime.executors.thread.job_thread import JobThread
from reactor_runtime.project import environment

from . import upstream
from .engine import (
    Announced,
    Endpoint,
    Event,
    Failing,
    Freed,
    Heard,
    Lost,
    NoRoom,
    Refused,
    Started,
    Taken,
)
from .processes import WorkerProcess, to_stderr
from .readers import Readers
from .records import Lease

log = logging.getLogger(__name__)

FAILURES, FAILURE_WINDOW_S = 3, 300.0
"""So many ends within so long make a slot failing."""
STOP_S = 90.0
"""How long a worker that is stopped may take to end its session; a model that hangs is killed before."""
TIDY_S = 10.0
"""How long a process may stay whose connection has closed: it deletes its users' files."""
LISTENS_S = 600.0
"""How long a worker may take to listen; its model loads after that, and for as long as it likes."""


@dataclass
class Slot:
    number: int
    gpu: str | None
    taken: bool = False
    starts: int = 0
    ends: deque[float] = field(default_factory=lambda: deque(maxlen=FAILURES))

    def failing(self, now: float) -> bool:
        return len(self.ends) == FAILURES and now - self.ends[0] < FAILURE_WINDOW_S

    def next_name(self) -> str:
        self.starts += 1
        return f"w{self.number}" if self.starts == 1 else f"w{self.number}-{self.starts}"


@dataclass
class Worker:
    slot: Slot
    process: WorkerProcess
    endpoint: Endpoint | None = None
    announced: bool = False
    epoch: int = 0
    lease: Lease | None = None
    """The one it was granted last; served while `session` is set."""
    session: str = ""
    taken_at: float = 0.0
    asked_to_stop: bool = False
    lost: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Messages to it leave in the order in which they were given."""


class LocalEngine:
    """Event loop only. `command` runs a worker that listens on a port of its own."""

    def __init__(
        self,
        command: Sequence[str],
        slots: int,
        gpus: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
        on_line: Callable[[str, str], None] = to_stderr,
        clock: Callable[[], float] = WALL.time,
    ) -> None:
        self._command = command
        self._slots = [Slot(n + 1, gpus[n % len(gpus)] if gpus else None) for n in range(slots)]
        self._secret = secrets.token_urlsafe(24)
        self._variables = dict(environment.inherited() if variables is None else variables)
        self._on_line = on_line
        self._clock = clock
        self._workers: dict[str, Worker] = {}
        self._readers = Readers()
        self._tasks: set[asyncio.Task[None]] = set()
        self._slot_freed = asyncio.Condition()
        # The kernel ends workers with the thread that forked them: this one lives as long as the engine.
        self._spawner = JobThread("reactor-engine")
        self.closed = asyncio.Event()
        """No worker is left, and none will be."""
        self._closing = False
        self._model = ""

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        self._spawn(self._start())

    def stop(self, worker: str, *, at_once: bool = False) -> None:
        known = self._workers.get(worker)
        if known is None:
            return
        # One that went by itself did not go because it is told to.
        known.asked_to_stop = known.asked_to_stop or not known.lost
        if at_once:
            known.process.kill()
        else:
            known.process.terminate()
            self._loop.call_later(STOP_S, self._kill_if_there, worker)

    def grant(self, lease: Lease) -> None:
        body = {"epoch": lease.epoch, "ticket": lease.ticket, "address": lease.address}
        self._spawn(self._grant(lease, {**body, "seconds": float(lease.seconds)}))

    def revoke(self, worker: str, epoch: int, reason: str) -> None:
        self._spawn(self._revoke(worker, {"epoch": epoch, "reason": reason}))

    def events(self) -> AsyncGenerator[Event]:
        return self._readers.read([self._present(name) for name, w in self._workers.items() if not w.lost])

    def pid_of(self, worker: str) -> int:
        """Raises `KeyError`."""
        return self._workers[worker].process.pid

    async def close(self) -> None:
        self._closing = True
        for worker in self._workers.values():
            worker.process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await self._until(lambda: not self._workers)
        except TimeoutError:
            self.kill_all()
        self.closed.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._loop.run_in_executor(None, self._spawner.close)

    def kill_all(self) -> None:
        """End everything at once. Also when the loop does not run any more."""
        for worker in list(self._workers.values()):
            worker.process.kill()

    # --- inside: processes ---

    async def _start(self) -> None:
        """A slot that is being emptied is waited for: its worker is told to end, and does."""
        slot = self._free_slot()
        if slot is None and any(w.asked_to_stop or w.lost for w in self._workers.values()):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_S):
                    await self._until(lambda: self._free_slot() is not None)
            slot = self._free_slot()
        if slot is None or self._closing:
            self._readers.put(NoRoom(self._why_no_room()))
            return
        name = slot.next_name()
        slot.taken = True
        try:
            process = await asyncio.wrap_future(self._spawner.submit(lambda: self._fork(name, slot)))
        except OSError as error:
            slot.taken = False
            self._readers.put(NoRoom(f"A worker cannot be started: {error.strerror or error}."))
            return
        self._workers[name] = Worker(slot, process)
        self._readers.put(Started(name, process.pid))
        self._loop.call_later(LISTENS_S, self._kill_if_deaf, name)

    def _fork(self, name: str, slot: Slot) -> WorkerProcess:
        variables = {**self._variables, environment.TOKEN: self._secret}
        variables[environment.TRUSTED_PROXIES] = "127.0.0.1"
        if slot.gpu is not None:
            variables["CUDA_VISIBLE_DEVICES"] = slot.gpu

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

    def _free_slot(self) -> Slot | None:
        now = self._clock()
        return next((s for s in self._slots if not s.taken and not s.failing(now)), None)

    def _why_no_room(self) -> str:
        failing = sum(slot.failing(self._clock()) for slot in self._slots)
        return f"{failing} of {len(self._slots)} slots are failing" if failing else "every slot is taken"

    def _listening(self, name: str, port: int) -> None:
        worker = self._workers.get(name)
        if worker is None and not self._closing:
            # The watcher was faster than the spawner's answer: it is here in the next round.
            self._loop.call_soon(self._listening, name, port)
        if worker is None:
            return
        worker.endpoint = Endpoint("127.0.0.1", port, self._secret)
        self._spawn(self._listen(name, worker.endpoint))

    def _ended(self, name: str, status: int) -> None:
        worker = self._workers.get(name)
        if worker is None:
            self._loop.call_soon(self._ended, name, status)
            return
        slot = worker.slot
        slot.taken = False
        self._lost(name, "stopped" if worker.asked_to_stop else f"ended with status {status}")
        del self._workers[name]
        if not (worker.asked_to_stop or self._closing):
            slot.ends.append(self._clock())
            log.warning("Worker %s ended with status %d", name, status)
            if slot.failing(self._clock()):
                log.error("Slot %d fails: its worker ended %d times within minutes", slot.number, FAILURES)
                self._readers.put(Failing(f"w{slot.number}", tuple(worker.process.lines)))
        self._spawn(self._notify())

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
            worker.lease = lease
            async with worker.turn:
                try:
                    status, answer = await upstream.call(worker.endpoint, "/worker/grant", body)
                except upstream.UpstreamError as error:
                    status, answer = 0, {"code": f"unreachable: {error}"}
            if status == 200:
                return
            reason = str(answer.get("code", status))
        self._readers.put(Refused(lease.worker, lease.epoch, reason))

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
        if worker is None or worker.lost:
            return
        match event:
            case Announced():
                worker.announced, worker.epoch = True, max(worker.epoch, event.epoch)
                self._model = event.model
            case Taken():
                worker.epoch, worker.session, worker.taken_at = event.epoch, event.session, self._clock()
            case Freed():
                worker.session = ""
        self._readers.put(event)

    def _present(self, name: str) -> Event:
        """What a new reader hears of a worker."""
        worker = self._workers[name]
        pid = worker.process.pid
        if not worker.announced or worker.endpoint is None:
            return Started(name, pid)
        lease = worker.lease
        if lease is None or not worker.session:
            return Announced(name, worker.endpoint, worker.epoch, pid=pid, model=self._model)
        over = self._clock() - worker.taken_at
        left = max(0.1, lease.seconds - over) if lease.seconds else 0.0
        return Announced(
            name,
            worker.endpoint,
            worker.epoch,
            lease.ticket,
            worker.session,
            lease.address,
            left,
            pid,
            self._model,
        )

    def _lost(self, name: str, reason: str) -> None:
        """Said once."""
        worker = self._workers.get(name)
        if worker is not None and not worker.lost:
            worker.lost = True
            self._readers.put(Lost(name, reason))

    # --- inside: tasks ---

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("The engine failed at a worker", exc_info=error)

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with self._slot_freed:
            await self._slot_freed.wait_for(condition)

    async def _notify(self) -> None:
        async with self._slot_freed:
            self._slot_freed.notify_all()


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
