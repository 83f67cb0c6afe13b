"""Calls of states that came faster than a client may send: the newest of each waits, so that no release is
lost to the limit. Sans-IO."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reactor_runtime.protocol.messages import CommandMessage

LATE_S = 0.05
"""How often what waits is tried again."""


class LateCalls:
    """Of one connection: as many as the model has states, at most."""

    def __init__(self) -> None:
        self._calls: dict[str, CommandMessage] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def put(self, message: CommandMessage) -> CommandMessage | None:
        """Returns the call that this one replaces."""
        before = self._calls.pop(message.name, None)
        self._calls[message.name] = message
        return before

    def take(self, name: str | None = None) -> CommandMessage | None:
        """The one of this state; the oldest where none is named."""
        if name is None:
            name = next(iter(self._calls), "")
        return self._calls.pop(name, None)
