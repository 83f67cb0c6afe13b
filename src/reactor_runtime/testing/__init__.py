"""The test kit: for tests of models, of what stands behind our ports, and our own. See docs/testing.md.

`serve` runs the HTTP runtime in memory and needs `httpx`:
``pip install 'reactor-runtime[testing]'``.
"""

from reactor_runtime.media.decoding import decode
from reactor_runtime.runtimes.http.options import HttpOptions as Options

from .client import Client
from .clock import LeapingClock, VirtualClock
from .clocks import CLOCK_CASES, ClockRig, check_clock
from .engines import ENGINE_CASES, EngineRig, FakeEngine, check_case, check_engine
from .executors import EXECUTOR_CASES, check_executor
from .observers import OBSERVER_CASES, check_observer
from .server import MemoryServer, serve
from .wires import WIRE_CASES, WireRig, check_wire

__all__ = [
    "CLOCK_CASES",
    "ENGINE_CASES",
    "EXECUTOR_CASES",
    "OBSERVER_CASES",
    "WIRE_CASES",
    "Client",
    "ClockRig",
    "EngineRig",
    "FakeEngine",
    "LeapingClock",
    "MemoryServer",
    "Options",
    "VirtualClock",
    "WireRig",
    "check_case",
    "check_clock",
    "check_engine",
    "check_executor",
    "check_observer",
    "check_wire",
    "decode",
    "serve",
]
