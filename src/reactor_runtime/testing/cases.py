"""What the suites share: what may block gets a thread of its own, so that a fault hangs no test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

WITHIN_S = 30.0
"""How long a case waits for one thing: what is tested may load something."""
STEP_S = 0.001
"""Between two calls of what is repeated."""

T = TypeVar("T")


async def beside(function: Callable[[], T], within: float = WITHIN_S) -> T:
    """Call what may block on a thread of its own. Raises what it raises, and `TimeoutError`."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def finish(take: Callable[[T], None] | Callable[[BaseException], None], value: object) -> None:
        if not done.done():
            take(value)  # type: ignore[arg-type]  # each is given its own kind

    def call() -> None:
        try:
            result = function()
        except BaseException as error:  # noqa: BLE001 - it is raised where `beside` was called
            loop.call_soon_threadsafe(finish, done.set_exception, error)
        else:
            loop.call_soon_threadsafe(finish, done.set_result, result)

    threading.Thread(target=call, name="reactor-case", daemon=True).start()
    async with asyncio.timeout(within):
        return await done


@contextmanager
def repeating(step: Callable[[], object]) -> Iterator[None]:
    """Something is called over and over meanwhile, on a thread of its own."""
    over = threading.Event()

    def call() -> None:
        while not over.wait(STEP_S):
            step()

    thread = threading.Thread(target=call, name="reactor-case", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(WITHIN_S)
