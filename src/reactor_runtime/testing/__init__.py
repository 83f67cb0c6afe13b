"""For tests of models, and our own: whole sessions in one process, without sockets, GPUs or waiting.

`serve` runs the HTTP runtime in memory and needs `httpx`:
``pip install 'reactor-runtime[testing]'``.
"""

from .client import Client
from .clock import VirtualClock
from .decode import decode
from .server import MemoryServer, serve

__all__ = ["Client", "MemoryServer", "VirtualClock", "decode", "serve"]
