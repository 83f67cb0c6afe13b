"""Pairs of connected sockets, on a thread of its own: what comes from one goes to the other.

Packets of media come one by one, hundreds in a second. On an event loop each costs a turn of the loop, which
is more than reading and writing it; here it costs a call of the kernel's poll and two of the socket's.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

BACKLOG_LIMIT = 2**20
"""Bytes that wait for one side. More is a network that does not carry it: the pair ends."""
PIECE = 65536
"""Bytes that one reading takes at most; the buffer is the same for all pairs."""
NEW_POLLER = getattr(select, "epoll", select.poll)
"""Both know the same words."""
_Order = Callable[["_Carrier"], object]


class Relay:
    """All pairs of one server. The thread runs while there is a pair."""

    def __init__(self, passed: Counter[str], new_poller: Callable[[], Any] = NEW_POLLER) -> None:
        """`passed` counts bytes: `in` from a near side and `out` to it. The thread alone counts."""
        self._new_poller = new_poller
        self._lock = threading.Lock()
        """Guards the orders, and whose they are: no carrier, no thread."""
        self._orders: list[_Order] = []
        self._carrier: _Carrier | None = None
        self._passed = passed

    def join(
        self, near: socket.socket, far: socket.socket, first: bytes, ended: Callable[[str | None], None]
    ) -> Pair:
        """From now on both sockets, which do not block, are the pair's own. `first` goes to the far side.

        `ended` is called on the running event loop when the pair has ended by itself: with `backlog`, or with
        None where a side has left. Raises OSError where no descriptor is free for the thread's own use.
        """
        pair = Pair(near, far, asyncio.get_running_loop(), ended)
        self._order(lambda carrier: carrier.add(pair, first))
        return pair

    def drop(self, pair: Pair) -> None:
        """Ends a pair; nobody is told. One that has ended already is left alone."""
        self._order(lambda carrier: carrier.remove(pair))

    def _order(self, order: _Order) -> None:
        with self._lock:
            if self._carrier is None:
                self._carrier = carrier = _Carrier(self._passed, self._new_poller())
                threading.Thread(
                    target=self._run, args=(carrier,), name="reactor-splice", daemon=True
                ).start()
            self._orders.append(order)
            if len(self._orders) == 1:  # the first of those that the thread takes at once
                self._carrier.wake()

    def _run(self, carrier: _Carrier) -> None:
        while carrier.ends or not self._finished(carrier):
            if carrier.carry():
                self._obey(carrier)

    def _obey(self, carrier: _Carrier) -> None:
        with self._lock:
            orders, self._orders = self._orders, []
        for order in orders:
            order(carrier)

    def _finished(self, carrier: _Carrier) -> bool:
        with self._lock:
            if self._orders:
                return False
            self._carrier = None
        carrier.close()
        return True


class Pair:
    """Two sockets, and who is told of their end."""

    def __init__(
        self,
        near: socket.socket,
        far: socket.socket,
        loop: asyncio.AbstractEventLoop,
        ended: Callable[[str | None], None],
    ) -> None:
        self.sides = (near, far)
        self._loop = loop
        self._ended = ended

    def tell(self, reason: str | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is over, and everybody on it
            self._loop.call_soon_threadsafe(self._ended, reason)


class _End:
    """One socket of a pair, and what waits for it."""

    __slots__ = ("direction", "other", "pair", "socket", "waiting")

    other: _End

    def __init__(self, pair: Pair, side: socket.socket, direction: str) -> None:
        self.pair = pair
        self.socket = side
        self.direction = direction
        self.waiting = bytearray()


class _Carrier:
    """What the thread does. Its own alone."""

    def __init__(self, passed: Counter[str], poller: Any) -> None:
        """Raises OSError."""
        self.ends: dict[int, _End] = {}
        """By descriptor."""
        self._passed = passed
        self._buffer = memoryview(bytearray(PIECE))
        self._poller = poller
        self._woken, self._waker = socket.socketpair()
        self._poller.register(self._woken.fileno(), select.POLLIN)

    def wake(self) -> None:
        """There is an order. One byte at a time: a pipe that is full would hold who writes."""
        self._waker.send(b"!")

    def carry(self) -> bool:
        """One turn. Says whether there are orders."""
        woken = False
        for number, event in self._poller.poll():
            end = self.ends.get(number)
            if end is None:
                woken = woken or (number == self._woken.fileno() and bool(self._woken.recv(PIECE)))
            elif event & select.POLLOUT and not self._write(end):
                continue
            elif event & ~select.POLLOUT:
                self._read(end)
        return woken

    def add(self, pair: Pair, first: bytes) -> None:
        near, far = (_End(pair, side, way) for side, way in zip(pair.sides, ("in", "out"), strict=True))
        near.other, far.other = far, near
        try:
            for end in (near, far):
                self.ends[end.socket.fileno()] = end
                self._poller.register(end.socket.fileno(), select.POLLIN)
        except OSError:  # the kernel watches no more of them
            self._end(pair, None)
            return
        self._passed["in"] += len(first)
        self._pass(far, memoryview(first))

    def remove(self, pair: Pair) -> bool:
        """False where it has gone already."""
        for side in pair.sides:
            number = side.fileno()
            if number < 0:
                return False
            self.ends.pop(number, None)
            with contextlib.suppress(OSError, KeyError):  # `add` did not get so far
                self._poller.unregister(number)
            side.close()
        return True

    def close(self) -> None:
        self._woken.close()
        self._waker.close()

    def _read(self, end: _End) -> None:
        try:
            size = end.socket.recv_into(self._buffer)
        except BlockingIOError:
            return  # the event was of a socket that had this number before
        except OSError:
            size = 0
        if not size:
            self._end(end.pair, None)
            return
        self._passed[end.direction] += size
        self._pass(end.other, self._buffer[:size])

    def _pass(self, end: _End, data: memoryview) -> None:
        if not end.waiting:
            try:
                sent = end.socket.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._end(end.pair, None)
                return
            if sent == len(data):
                return
            data = data[sent:]
            self._poller.modify(end.socket.fileno(), select.POLLIN | select.POLLOUT)
        end.waiting += data
        if len(end.waiting) > BACKLOG_LIMIT:
            self._end(end.pair, "backlog")

    def _write(self, end: _End) -> bool:
        """What waits. False where the pair has ended over it."""
        try:
            del end.waiting[: end.socket.send(end.waiting)]
        except BlockingIOError:
            return True
        except OSError:
            self._end(end.pair, None)
            return False
        if not end.waiting:
            self._poller.modify(end.socket.fileno(), select.POLLIN)
        return True

    def _end(self, pair: Pair, reason: str | None) -> None:
        if self.remove(pair):
            pair.tell(reason)
