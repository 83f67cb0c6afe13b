"""For tests of models, and our own: whole sessions in one process, without sockets, GPUs or waiting.

`serve` runs the HTTP runtime in memory and needs `httpx`:
``pip install 'reactor-runtime[testing]'``.

`ENGINE_CASES` is what every engine of a fleet must do; `FakeEngine` is one of memory.
"""

from .client import Client
from .clock import VirtualClock
from .decode import decode
from .engines import ENGINE_CASES, EngineRig, FakeEngine, check_engine
from .server import MemoryServer, serve

__all__ = [
    "ENGINE_CASES",
    "Client",
    "EngineRig",
    "FakeEngine",
    "MemoryServer",
    "VirtualClock",
    "check_engine",
    "decode",
    "serve",
]
