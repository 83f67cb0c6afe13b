"""Pairs of sockets that a thread joins: nothing is lost, and nothing of it stays behind."""

from __future__ import annotations

import asyncio
import random
import select
import socket
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from reactor_runtime.runtimes.door import relay
from reactor_runtime.runtimes.door.relay import NEW_POLLER, Pair, Relay

WITHIN_S = 20


def at_work() -> bool:
    return any(thread.name == "reactor-splice" for thread in threading.enumerate())


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not true():  # noqa: ASYNC110 # a thread tells nobody
            await asyncio.sleep(0.005)


class Joined:
    """A pair, with what is outside of it: `client` in front and `engine` behind."""

    def __init__(self, relay: Relay, first: bytes = b"") -> None:
        self.ended: list[str | None] = []
        self.client, near = socket.socketpair()
        far, self.engine = socket.socketpair()
        for each in (self.client, near, far, self.engine):
            each.setblocking(False)
        self.pair: Pair = relay.join(near, far, first, self.ended.append)

    def close(self) -> None:
        self.client.close()
        self.engine.close()


@asynccontextmanager
async def joined(
    passed: Counter[str] | None = None, first: bytes = b"", poller: Callable[[], Any] = NEW_POLLER
) -> AsyncIterator[Joined]:
    one = Joined(Relay(Counter() if passed is None else passed, poller), first)
    try:
        yield one
    finally:
        one.close()
        await until(lambda: not at_work())


async def received(side: socket.socket, size: int) -> bytes:
    data = bytearray()
    async with asyncio.timeout(WITHIN_S):
        while len(data) < size:
            data += await asyncio.get_running_loop().sock_recv(side, size - len(data))
    return bytes(data)


@pytest.mark.parametrize("poller", ["epoll", "poll"])
async def test_all_of_it_arrives_in_order_both_ways(poller: str) -> None:
    loop, passed = asyncio.get_running_loop(), Counter[str]()
    there, back = (random.Random(seed).randbytes(900_000) for seed in (1, 2))
    async with joined(passed, there[:100], getattr(select, poller)) as one:
        sending = [loop.sock_sendall(one.client, there[100:]), loop.sock_sendall(one.engine, back)]
        sent = [asyncio.ensure_future(each) for each in sending]
        # Nobody reads until all has been sent: it waits, below the limit.
        await asyncio.gather(*sent)
        assert await received(one.client, len(back)) == back
        assert await received(one.engine, len(there)) == there
        assert passed == {"in": len(there), "out": len(back)}
        assert not one.ended


@pytest.mark.parametrize("side", ["client", "engine"])
async def test_who_leaves_takes_the_other_along(side: str) -> None:
    async with joined() as one:
        leaving: dict[str, Any] = {"client": one.engine, "engine": one.client}
        getattr(one, side).close()
        assert await asyncio.get_running_loop().sock_recv(leaving[side], 1) == b""
        await until(lambda: one.ended == [None])


async def test_a_side_that_reads_nothing_ends_the_pair_and_no_other() -> None:
    loop = asyncio.get_running_loop()
    both = Relay(Counter())
    stuck, well = Joined(both), Joined(both)
    try:
        with pytest.raises(ConnectionError):
            async with asyncio.timeout(WITHIN_S):
                await loop.sock_sendall(stuck.client, bytes(16 * relay.BACKLOG_LIMIT))
        await until(lambda: stuck.ended == ["backlog"])
        await loop.sock_sendall(well.client, b"hello")
        assert await received(well.engine, 5) == b"hello"
        assert not well.ended
    finally:
        stuck.close()
        well.close()
    await until(lambda: not at_work())


async def test_a_pair_is_dropped_once_and_nobody_is_told() -> None:
    both = Relay(Counter())
    one = Joined(both)
    both.drop(one.pair)
    assert await asyncio.get_running_loop().sock_recv(one.client, 1) == b""
    await until(lambda: not at_work())
    both.drop(one.pair)
    await until(lambda: not at_work())
    again = Joined(both, b"again")
    assert await received(again.engine, 5) == b"again"
    again.close()
    await until(lambda: not at_work() and again.ended == [None])
    one.close()
    assert not one.ended


async def test_orders_without_number_hold_nobody_while_the_thread_is_busy() -> None:
    both = Relay(Counter())
    one, busy, over = Joined(both), threading.Event(), threading.Event()
    both._order(lambda carrier: (busy.set(), over.wait(WITHIN_S)))
    await until(busy.is_set)
    many = threading.Thread(target=lambda: [both.drop(one.pair) for _ in range(5000)], daemon=True)
    many.start()
    await asyncio.to_thread(many.join, WITHIN_S)
    held = many.is_alive()
    over.set()
    await until(lambda: not at_work())
    one.close()
    assert not held


async def test_a_kernel_that_watches_no_more_ends_the_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __init__(self) -> None:
            self._poll = select.poll()

        def register(self, number: int, events: int) -> None:
            if self.registered:
                raise OSError("no space left")
            type(self).registered = True
            self._poll.register(number, events)

        registered = False

        def __getattr__(self, name: str) -> Any:
            return getattr(self._poll, name)

    async with joined(poller=Full) as one:
        await until(lambda: one.ended == [None])


def test_a_loop_that_is_over_is_told_nothing() -> None:
    async def leave() -> Joined:
        return Joined(Relay(Counter()))

    one = asyncio.run(leave())
    one.close()
    asyncio.run(until(lambda: not at_work()))
    assert not one.ended
