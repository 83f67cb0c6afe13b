"""A bad network for this process alone: what `--impair` puts between the engine and its clients.

No root, no kernel: a relay on a UDP port of ours stands in every answer where the engine's own port would,
and what passes it is lost, delayed and queued as the author asked. `shaper` decides (sans-IO), `relay`
forwards, `engine` wraps any engine behind the port.
"""

from .engine import ImpairedEngine
from .shaper import Impairment

__all__ = ["ImpairedEngine", "Impairment"]
