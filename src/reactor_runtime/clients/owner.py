"""What clients need of the worker that they are clients of: one port, whatever the worker is."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reactor_runtime.authoring.description import ModelDescription
    from reactor_runtime.executors.port import Answer
    from reactor_runtime.session.session import Session

    from .clients import Clients
    from .connection import Connection


class ConnectionOwner(Protocol):
    """Who is told what a connection does. All on the event loop."""

    def presence_changed(self, connection: Connection) -> None:
        """The client came, went silent, or came back: see `Presence.live`."""

    def connection_lost(self, connection: Connection, why: str) -> None: ...

    def page_closed(self, connection: Connection) -> None:
        """The client was our page, and has ended the connection itself."""

    def message(self, connection: Connection, label: str, data: bytes, binary: bool) -> None: ...

    def video(self, connection: Connection, track: str, rgb: NDArray[np.uint8]) -> None:
        """Engine thread."""

    def connection_ready(self, connection: Connection) -> None:
        """Media can flow for the first time, and messages unless there is a `notice`; comes before
        `presence_changed`."""

    def channel_came(self, connection: Connection) -> None:
        """Messages can flow after all."""

    def sound(self, connection: Connection, track: str, block: NDArray[np.int16], rate: int) -> None:
        """Engine thread."""


class ClientsOwner(Protocol):
    def presence(self, session: Session, present: bool) -> None:
        """Whether any client of the session is there has changed, or may have."""

    def left(self, session: Session) -> None:
        """The client that controlled it has gone and meant to."""

    def let_go(self, connection: Connection) -> None:
        """A client has gone, or may not control any more: what it held is released."""

    def message(self, connection: Connection, label: str, data: bytes, binary: bool) -> None: ...

    def video(self, session: Session, track: str, rgb: NDArray[np.uint8]) -> None:
        """Engine thread."""

    def sound(
        self, session: Session, track: str, block: NDArray[np.int16], rate: int, source: object
    ) -> None:
        """Engine thread. `source` tells the clients apart."""

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None: ...

    def note(self, kind: str, **data: object) -> None:
        """Tell the journal."""


class DispatchOwner(Protocol):
    """What answers to messages are made from."""

    @property
    def model(self) -> ModelDescription: ...

    @property
    def clients(self) -> Clients: ...

    @property
    def session(self) -> Session | None: ...

    def command(self, session: Session, name: str, arguments: Any, answer: Answer) -> None:
        """Queue a command; `answer` is called once, on any thread. Raises `NoSessionError`."""

    def call(self, function: Callable[..., None], *args: object) -> None:
        """Run `function` on the event loop, from any thread."""

    def note(self, kind: str, **data: object) -> None:
        """Tell the journal."""

    def count_command(self, name: str, code: str) -> None:
        """Tell the metrics; `name` is a known one, or "unknown"."""
