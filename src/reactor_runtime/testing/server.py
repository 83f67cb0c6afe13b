"""The whole HTTP runtime in this process: routes, session, model threads and encoders, without sockets.

::

    async with serve(MyModel) as server:
        client = await server.join()
        assert await client.command("set_prompt", prompt="rain") is None
        await client.wait_frames(10)
        await client.stop()
        assert client.end["reason"] == "stopped"
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from reactor_runtime.clients.options import ClientOptions
from reactor_runtime.clock import WALL, Clock
from reactor_runtime.errors import WeightsError
from reactor_runtime.media.encoders import VideoCodec
from reactor_runtime.project.loading import config_for
from reactor_runtime.project.project import Project
from reactor_runtime.runtimes.http.app import create_app
from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.session.states import State
from reactor_runtime.transports.memory import MemoryEngine, OfferedSection
from reactor_runtime.worker.worker import Worker

from .client import WITHIN_S, Client

if TYPE_CHECKING:
    import httpx

    from reactor_runtime.authoring.model import VideoModel

BASE_URL = "http://localhost:8080"
DIRECTIONS = {"out": "recvonly", "in": "sendonly"}
"""A track's direction, from the model's point of view to the client's."""


class FolderWeights:
    """Weights below one folder; none at all without it."""

    def __init__(self, root: Path | None = None) -> None:
        self._root = root

    def path(self, name: str) -> Path:
        if self._root is None:
            raise WeightsError(f"Weights {name!r} are asked for, but the test gave no folder of weights.")
        return self._root / name


class MemoryServer:
    """A running worker. `http` speaks to its routes.

    `worker` and `engine` are what stands behind them, for our own tests; they change without notice.
    """

    def __init__(self, worker: Worker, engine: MemoryEngine, http: httpx.AsyncClient) -> None:
        self.worker = worker
        self.engine = engine
        self.http = http
        self.status: int | None = None
        """What the process would have exited with; None while it runs."""

    def client(
        self,
        *,
        codecs: tuple[VideoCodec, ...] = (VideoCodec.VP8, VideoCodec.H264),
        channels: tuple[str, ...] = ("data",),
    ) -> Client:
        """A client that offers one section for each track of the model."""
        tracks = list(self.worker.model.tracks.values())
        sections = [OfferedSection(t.kind.value, DIRECTIONS[t.direction.value]) for t in tracks]
        wire = self.engine.client(sections, codecs=codecs, channels=channels)
        return Client(self.http, wire, [track.name for track in tracks])

    async def join(self, seed: int | None = None) -> Client:
        """Start a session and connect a client to it."""
        client = self.client()
        await client.start(seed)
        await client.connect()
        return client

    async def wait_state(self, state: State | str, within: float = WITHIN_S) -> None:
        """Return when the worker is in `state`, as "READY". Raises `TimeoutError`."""
        async with asyncio.timeout(within):
            while self.worker.life.state != state:  # noqa: ASYNC110 - a test may look at any state
                await asyncio.sleep(0.005)


@asynccontextmanager
async def serve(
    model_class: type[VideoModel],
    config: Any = None,
    *,
    weights: Path | None = None,
    options: HttpOptions | None = None,
    ready: bool = True,
    clock: Clock = WALL,
) -> AsyncIterator[MemoryServer]:
    """Run `model_class` as `reactor run` would. With `ready` it waits until the model has loaded.

    `config` is a mapping, or an instance of the class that `@model(config=…)` names; with a `LeapingClock`
    timeouts come when the test says so. Raises `ImportError` without the extra `testing`, `ConfigError`.
    """
    httpx = _httpx()

    project = Project(Path.cwd(), model_class, config_for(model_class, config), FolderWeights(weights))
    options = options or HttpOptions()
    engine = MemoryEngine()
    worker = Worker(project, options, engine, lambda status: _leave(server, status), clock)
    _count_nothing_by_address(worker)
    app = create_app(lambda: worker, options, clock=clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE_URL) as http:
        server = MemoryServer(worker, engine, http)
        worker.load()
        try:
            if ready:
                await server.wait_state(State.READY, within=30.0)
            yield server
        finally:
            await worker.close()


def _httpx() -> ModuleType:
    """A test's dependency, not the runtime's."""
    try:
        import httpx
    except ImportError as error:
        raise ImportError(
            "reactor_runtime.testing.serve needs httpx: pip install 'reactor-runtime[testing]'."
        ) from error
    return httpx


def _count_nothing_by_address(worker: Worker) -> None:
    """All clients of a test have one address, and no test is a flood unless it says so in its options."""
    signalling = worker.signalling
    signalling.lookups.per_minute = 0
    if signalling.offers.per_minute == ClientOptions.offers_per_minute:
        signalling.offers.per_minute = 0


def _leave(server: MemoryServer, status: int) -> None:
    server.status = status
