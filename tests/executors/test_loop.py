"""Async authors: one loop for a session, on which everything async of it lives, and nothing after it."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import time
from typing import Any

import numpy as np
import pytest

from reactor_runtime import CommandError, VideoModel, VideoOut, command, get_ctx, model
from reactor_runtime.executors.port import ModelOutcome
from reactor_runtime.executors.thread import watch

from .rig import WITHIN, rig, this_thread


class Async(VideoModel):
    def __init__(self) -> None:
        self.seen: list[Any] = []

    async def tick(self) -> None:
        while True:
            await asyncio.sleep(0.005)
            self.seen.append(get_ctx().session_id)

    @command("spawn")
    async def spawn(self) -> str:
        self.task = asyncio.create_task(self.tick())
        return this_thread()

    @command("count")
    def count(self) -> int:
        return len(self.seen)

    def reset(self) -> None:
        self.seen = []


@model("sync-session")
class SyncSession(Async):
    def start_session(self) -> None:
        while not get_ctx().wait_stop(0.01):
            pass


@model("async-session")
class AsyncSession(Async):
    async def start_session(self) -> None:
        self.queue: asyncio.Queue[str] = asyncio.Queue()
        while not get_ctx().should_stop():
            try:
                async with asyncio.timeout(0.01):
                    self.seen.append(await self.queue.get())
            except TimeoutError:
                continue

    @command("put")
    async def put(self, text: str) -> str:
        await self.queue.put(text)
        return this_thread()


@pytest.mark.parametrize(("cls", "thread"), [(SyncSession, "reactor-async"), (AsyncSession, "reactor-model")])
def test_a_task_of_a_command_goes_on_until_its_session_ends(cls: type[Async], thread: str) -> None:
    with rig(cls) as made:
        for number in ("s1", "s2"):
            session = made.begin()
            done = made.run(session)
            assert made.ask(session, "spawn") == thread
            deadline = time.monotonic() + WITHIN
            while made.ask(session, "count") < 5:
                assert time.monotonic() < deadline
            model = made.host._model
            assert isinstance(model, cls)
            assert set(model.seen) == {number}
            session.stop()
            assert done.result(WITHIN) == ModelOutcome()
            assert model.task.cancelled()
            assert model.seen == [], "reset had the last word"
            made.end(session)


def test_async_commands_and_an_async_session_share_queues() -> None:
    with rig(AsyncSession) as made:
        session = made.begin()
        early = made.command(session, "put", text="early")
        done = made.run(session)
        assert early.result(WITHIN).error is None
        made.ask(session, "put", text="b")
        deadline = time.monotonic() + WITHIN
        while made.ask(session, "count") < 2:
            assert time.monotonic() < deadline
        session.stop()
        assert done.result(WITHIN) == ModelOutcome()


@model("waiting")
class Waiting(VideoModel):
    order: list[str]

    def __init__(self) -> None:
        self.order = []

    async def start_session(self) -> None:
        while not get_ctx().should_stop():  # noqa: ASYNC110  # what authors write
            await asyncio.sleep(0.01)

    @command("slow")
    async def slow(self) -> None:
        self.order.append("slow begins")
        await asyncio.sleep(0.1)
        self.order.append("slow ends")

    @command("quick")
    def quick(self) -> None:
        self.order.append("quick")

    @command("never")
    async def never(self) -> None:
        await asyncio.Event().wait()

    @command("leave")
    async def leave(self) -> None:
        raise SystemExit(3)


def test_handlers_run_one_at_a_time_in_order_whatever_their_kind() -> None:
    with rig(Waiting) as made:
        session = made.begin()
        done = made.run(session)
        first, second = made.command(session, "slow"), made.command(session, "quick")
        assert first.result(WITHIN).error is None
        assert second.result(WITHIN).error is None
        assert made.host._model.order == ["slow begins", "slow ends", "quick"]  # type: ignore[union-attr]
        with pytest.raises(CommandError) as refused:
            made.ask(session, "leave")
        assert refused.value.code == "internal_error"
        made.ask(session, "quick")
        session.stop()
        done.result(WITHIN)


def test_a_handler_that_waits_for_ever_is_cancelled_at_the_end() -> None:
    with rig(Waiting) as made:
        session = made.begin()
        done = made.run(session)
        answer = made.command(session, "never")
        made.host.stacks()
        session.stop()
        outcome = answer.result(WITHIN)
        assert outcome.error is not None
        assert outcome.error.code == "session_ended"
        assert done.result(WITHIN) == ModelOutcome()


def test_a_task_that_ends_the_program_ends_the_session_only() -> None:
    @model("leaving")
    class Leaving(Async):
        async def start_session(self) -> None:
            async def leave() -> None:
                raise SystemExit(1)

            self.kept = asyncio.create_task(leave())
            await asyncio.sleep(WITHIN)

    with rig(Leaving) as made:
        for _ in range(2):
            assert isinstance(made.visit().error, SystemExit)
    del made, Leaving
    gc.collect()  # asyncio tells of the task's end when it goes; in no other test, please


def test_who_holds_the_loop_is_told_with_the_line(caplog: pytest.LogCaptureFixture) -> None:
    told = threading.Event()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "event loop has been held" in record.getMessage():
                told.set()

    @model("holding")
    class Holding(VideoModel):
        async def start_session(self) -> None:
            told.wait(WITHIN)  # the line

    listener = Listener()
    watch.log.addHandler(listener)
    try:
        with rig(Holding) as made:
            assert made.visit() == ModelOutcome()
    finally:
        watch.log.removeHandler(listener)
    [line] = [r.getMessage() for r in caplog.records if "event loop has been held" in r.getMessage()]
    assert "test_loop.py:" in line
    assert "told.wait(WITHIN)  # the line" in line


def test_emit_async_lets_the_loop_go_on() -> None:
    @model("emitting")
    class Emitting(VideoModel):
        main_video = VideoOut(rate=10)

        async def start_session(self) -> None:
            self.ticks = 0
            task = asyncio.create_task(self.tick())
            for _ in range(5):
                await get_ctx().get_track().emit_async(np.zeros((16, 16, 3), np.uint8))
            assert self.ticks > 5
            task.cancel()
            with pytest.raises(ValueError, match="emit"):
                await get_ctx().get_track().emit_async("no picture")

        async def tick(self) -> None:
            while True:
                await asyncio.sleep(0.005)
                self.ticks += 1

    with rig(Emitting) as made:
        assert made.visit() == ModelOutcome()


def test_the_place_where_a_model_hangs_is_told_in_few_lines_the_authors_first() -> None:
    release = threading.Event()

    @model("deep")
    class Deep(VideoModel):
        def start_session(self) -> None:
            self.dig(40)

        def dig(self, depth: int) -> None:
            if depth:
                self.dig(depth - 1)
            else:
                release.wait(WITHIN)  # the bottom

    with rig(Deep) as made:
        session = made.begin()
        done = made.run(session)
        deadline = time.monotonic() + WITHIN
        while "the bottom" not in made.host.stacks():
            assert time.monotonic() < deadline
        lines = made.host.stacks().splitlines()
        assert lines[0] == "Thread reactor-model:"
        assert "test_loop.py" in lines[1]
        assert "release.wait(WITHIN)  # the bottom" in lines[1]
        assert len(lines) <= 15
        release.set()
        done.result(WITHIN)
