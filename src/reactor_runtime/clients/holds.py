"""What clients hold down: the last call of each state, until its client goes. Event loop only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reactor_runtime.authoring.neutral import neutral_of

if TYPE_CHECKING:
    from reactor_runtime.authoring.command import CommandSpec

    from .connection import Connection


@dataclass
class _Held:
    """Of one state: who called it last, and with what."""

    connection: Connection
    newest: Mapping[str, Any]
    accepted: Mapping[str, Any] = field(default_factory=dict)
    """Of the last call that was not refused."""


class Holds:
    """One entry for each state of the model, whatever clients send."""

    def __init__(self, commands: Mapping[str, CommandSpec]) -> None:
        self._commands = commands
        self._neutral: dict[str, dict[str, Any]] = {}
        self._held: dict[str, _Held] = {}

    def note(self, connection: Connection, name: str, arguments: Any) -> None:
        """A client calls a state."""
        if not isinstance(arguments, Mapping | None) or not self._neutral_of(name):
            return
        before = self._held.get(name)
        accepted = before.accepted if before is not None else {}
        self._held[name] = _Held(connection, arguments or {}, accepted)

    def accept(self, connection: Connection, name: str, arguments: Any) -> None:
        """A call of a state was not refused."""
        held = self._held.get(name)
        if held is not None and held.connection is connection and isinstance(arguments, Mapping):
            held.accepted = arguments

    def let_go(self, connection: Connection) -> dict[str, list[dict[str, Any]]]:
        """Forget a client. State → the arguments that release it, to be tried in this order."""
        mine = [name for name, held in self._held.items() if held.connection is connection]
        released = {name: self._releases(name, self._held.pop(name)) for name in mine}
        return {name: tries for name, tries in released.items() if tries}

    def clear(self) -> None:
        """Another session begins."""
        self._held.clear()

    def _releases(self, name: str, held: _Held) -> list[dict[str, Any]]:
        neutral = self._neutral_of(name)
        known = self._commands[name].flat_schema()
        tries: list[dict[str, Any]] = []
        for arguments in (held.newest, held.accepted):
            if any(arguments.get(parameter, value) != value for parameter, value in neutral.items()):
                rest = {key: value for key, value in arguments.items() if key in known}
                tries.append({**rest, **neutral})
        return tries

    def _neutral_of(self, name: str) -> dict[str, Any]:
        spec = self._commands.get(name)
        if spec is None or not spec.coalesce:
            return {}
        if name not in self._neutral:
            self._neutral[name] = neutral_of(spec.flat_schema())
        return self._neutral[name]
