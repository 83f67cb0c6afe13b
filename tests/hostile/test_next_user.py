"""What an author left running in one session never reaches the user of the next one."""

from __future__ import annotations

import _thread
import asyncio
import ctypes
import multiprocessing.pool
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.executors.rig import WITHIN, rig

from reactor_runtime import VideoModel, command, get_ctx, model
from reactor_runtime.errors import NoSessionError
from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.session.states import State
from reactor_runtime.testing import serve

Note = Callable[[], None]
Going = Callable[[], bool]
"""What was started goes on for as long as this says so: however long the first session takes to end."""


def timer(note: Note, going: Going) -> None:
    def tick() -> None:
        if going():
            threading.Timer(0.02, tick).start()
        note()

    threading.Timer(0.02, tick).start()


def chained(note: Note, going: Going) -> None:
    def link() -> None:
        time.sleep(0.02)
        if going():
            threading.Thread(target=link, daemon=True).start()
        note()

    threading.Thread(target=link, daemon=True).start()


def chained_below_threading(note: Note, going: Going) -> None:
    def link() -> None:
        time.sleep(0.02)
        if going():
            _thread.start_new_thread(link, ())
        note()

    _thread.start_new_thread(link, ())


def growing_pool(note: Note, going: Going) -> None:
    pool = ThreadPoolExecutor(8)

    def work() -> None:
        time.sleep(0.02)
        if going():
            pool.submit(work)
            pool.submit(note)
        note()

    pool.submit(work)


def thread_pool(note: Note, going: Going) -> None:
    pool = multiprocessing.pool.ThreadPool(2)

    def work(_: int) -> None:
        if going():
            time.sleep(0.02)
            note()

    pool.map_async(work, range(4000))
    pool.close()


def loop_in_a_thread(note: Note, going: Going) -> None:
    async def tick() -> None:
        while going():
            await asyncio.sleep(0.02)
            note()
            await asyncio.get_running_loop().run_in_executor(None, note)

    threading.Thread(target=lambda: asyncio.run(tick()), daemon=True).start()


LEAVINGS = [timer, chained, chained_below_threading, growing_pool, thread_pool, loop_in_a_thread]


@pytest.mark.parametrize("leave", LEAVINGS)
def test_what_was_started_in_a_session_stays_in_it(leave: Callable[[Note, Going], None]) -> None:
    refused, over = threading.Event(), threading.Event()
    heard: list[str] = []

    @model("leaving")
    class Leaving(VideoModel):
        def start_session(self) -> None:
            ctx = get_ctx()
            if ctx.session_id == "s1":
                leave(self.note, lambda: not over.is_set())
                assert self.wait(lambda: bool(heard))
            else:
                refused.clear()
                assert self.wait(refused.is_set)

        def note(self) -> None:
            try:
                heard.append(get_ctx().session_id)
            except NoSessionError:
                refused.set()

        @staticmethod
        def wait(condition: Callable[[], bool]) -> bool:
            deadline = time.monotonic() + WITHIN
            while not condition() and time.monotonic() < deadline:
                time.sleep(0.005)
            return condition()

    try:
        with rig(Leaving) as made:
            assert made.visit().error is None
            assert made.visit().error is None
    finally:
        over.set()
    assert set(heard) == {"s1"}


def test_work_belongs_to_who_gave_it_also_in_a_pool_of_the_models() -> None:
    """The pool's threads were there before every session; the work was not."""
    late: list[Any] = []

    @model("pooled")
    class Pooled(VideoModel):
        def __init__(self) -> None:
            self.pool = ThreadPoolExecutor(1)
            self.pool.submit(lambda: None).result(WITHIN)
            self.second = threading.Event()

        def start_session(self) -> None:
            if get_ctx().session_id == "s1":
                late.append(self.pool.submit(self.where))
            else:
                self.second.set()
                late.append(self.pool.submit(lambda: get_ctx().session_id).result(WITHIN))
                self.pool.shutdown()

        def where(self) -> str:
            self.second.wait(WITHIN)
            return get_ctx().session_id

    with rig(Pooled) as made:
        assert made.visit().error is None
        assert made.visit().error is None
    assert isinstance(late[0].exception(WITHIN), NoSessionError)
    assert late[1] == "s2"


def test_a_thread_of_the_model_may_join_each_session_and_so_may_those_it_starts() -> None:
    @model("helped")
    class Helped(VideoModel):
        def __init__(self) -> None:
            self.asked, self.answers = threading.Semaphore(0), list[str]()
            threading.Thread(target=self.help, daemon=True).start()

        def help(self) -> None:
            for _ in range(2):
                self.asked.acquire(timeout=WITHIN)
                thread = threading.Thread(target=lambda: self.answers.append(get_ctx().session_id))
                thread.start()
                thread.join(WITHIN)

        def start_session(self) -> None:
            before = len(self.answers)
            self.asked.release()
            deadline = time.monotonic() + WITHIN
            while len(self.answers) == before and time.monotonic() < deadline:
                time.sleep(0.005)
            assert self.answers[-1] == get_ctx().session_id

    with rig(Helped) as made:
        assert made.visit().error is None
        assert made.visit().error is None


class NativeThread:
    """A thread that Python did not start and that calls Python, as those of sound and camera libraries do."""

    def __init__(self, function: Callable[[], None]) -> None:
        kind = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)

        def run(_: int) -> int:
            function()
            return 0

        self._entry = kind(run)
        self._libc = ctypes.CDLL(None)
        self._handle = ctypes.c_ulong()
        assert self._libc.pthread_create(ctypes.byref(self._handle), None, self._entry, None) == 0

    def join(self) -> None:
        self._libc.pthread_join(self._handle, None)


def test_a_native_thread_reaches_the_session_it_was_born_in_only() -> None:
    outcomes: list[Any] = []
    threads: list[NativeThread] = []
    first, second = threading.Event(), threading.Event()

    def call_back() -> None:
        outcomes.append(get_ctx().session_id)
        first.set()
        second.wait(WITHIN)
        try:
            outcomes.append(get_ctx().session_id)
        except NoSessionError as error:
            outcomes.append(error)

    @model("native")
    class Native(VideoModel):
        def start_session(self) -> None:
            if get_ctx().session_id == "s1":
                threads.append(NativeThread(call_back))
                assert first.wait(WITHIN)
            else:
                second.set()
                threads[0].join()

    with rig(Native) as made:
        assert made.visit().error is None
        assert made.visit().error is None
    assert outcomes[0] == "s1"
    assert isinstance(outcomes[1], NoSessionError)


@model("dirty")
class Dirty(VideoModel):
    built = 0

    def __init__(self) -> None:
        type(self).built += 1
        self.prompt = ""

    @command("set_prompt")
    def set_prompt(self, text: str) -> None:
        self.prompt = text

    @command("show")
    def show(self) -> str:
        return self.prompt

    def start_session(self) -> None:
        while not get_ctx().wait_stop(0.02):
            pass

    def reset(self) -> None:
        if self.prompt:
            raise RuntimeError("out of memory")


async def test_nobody_meets_a_model_that_could_not_be_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    may_build = threading.Event()
    build = Dirty.__init__

    def slow(self: Dirty) -> None:
        if Dirty.built:
            may_build.wait(WITHIN)
        build(self)

    monkeypatch.setattr(Dirty, "built", 0)
    monkeypatch.setattr(Dirty, "__init__", slow)
    async with serve(Dirty) as server:
        first = await server.join()
        await first.command("set_prompt", text="a secret")
        await first.stop()
        health = await server.http.get("/health")
        assert health.status_code == 503
        assert health.json()["status"] == "failing"
        assert health.json()["errors_in_a_row"] == 1
        refused = await server.http.post("/start_session", json={})
        assert (refused.status_code, refused.json()["code"]) == (503, "model_failing")
        may_build.set()
        await server.wait_state(State.READY)
        second = await server.join()
        assert await second.command("show") == ""
        await second.stop()
    assert Dirty.built == 2


async def test_a_server_may_end_instead_after_its_client_was_told() -> None:
    async with serve(Dirty, options=HttpOptions(on_reset_error="exit")) as server:
        first = await server.join()
        await first.command("set_prompt", text="a secret")
        await server.http.post("/stop_session")
        await first.wait_end()
        await server.wait_state(State.TERMINATED)
        assert server.status == 1
