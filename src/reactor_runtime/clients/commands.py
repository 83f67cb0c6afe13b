"""What one client asks of the model: how fast, and which answers it waits for. Event loop only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .late import LateCalls
from .ratelimit import TokenBucket

if TYPE_CHECKING:
    from reactor_runtime.protocol.messages import CommandMessage


class ClientCommands:
    """Of one connection; they end with it."""

    def __init__(self) -> None:
        self.limit = TokenBucket()
        """Of messages of all kinds."""
        self.late = LateCalls()
        self.unanswered: dict[int, CommandMessage] = {}
        """Commands that the client waits for."""
        self.watches_frames = False
        """Whether the client asked to be told when the frame of a command goes out."""
