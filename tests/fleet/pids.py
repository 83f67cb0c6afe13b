"""The processes behind the workers of an engine, as its events tell them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from reactor_runtime.fleet.engine import Announced, Engine, Event, Started


class Pids(dict[str, int]):
    """By worker. Notes what whoever reads the engine's events is told; make it before anybody does."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._events = engine.events
        engine.events = self._noted  # type: ignore[method-assign]  # a rig looks over a reader's shoulder

    def _noted(self) -> AsyncGenerator[Event]:
        return self._note(self._events())

    async def _note(self, events: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Started | Announced) and event.pid:
                    self[event.worker] = event.pid
                yield event
