"""The test kit: for tests of models, of engines of a fleet, and our own. docs/testing.md explains it.

`serve` runs the HTTP runtime in memory and needs `httpx`:
``pip install 'reactor-runtime[testing]'``.
"""

from reactor_runtime.media.decoding import decode
from reactor_runtime.runtimes.http.options import HttpOptions as Options

from .client import Client
from .clock import LeapingClock, VirtualClock
from .engines import ENGINE_CASES, EngineRig, FakeEngine, check_case, check_engine
from .server import MemoryServer, serve

__all__ = [
    "ENGINE_CASES",
    "Client",
    "EngineRig",
    "FakeEngine",
    "LeapingClock",
    "MemoryServer",
    "Options",
    "VirtualClock",
    "check_case",
    "check_engine",
    "decode",
    "serve",
]
