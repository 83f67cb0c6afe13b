"""Who controls a session that several clients view. Event loop only; `publishes` on any thread."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from reactor_runtime.errors import CommandError, Refusal, RefusedError

if TYPE_CHECKING:
    from .connection import Connection

PEERS_LIMIT = 64
"""Connections of one session, whatever `--viewers` says."""


class Role(StrEnum):
    CONTROLLER = "controller"
    VIEWER = "viewer"


class NotControllerError(CommandError):
    def __init__(self) -> None:
        super().__init__(
            "not_controller", "Another client controls this session; ask for it with takeControl."
        )


class ViewOnlyError(CommandError):
    def __init__(self) -> None:
        super().__init__("view_only", "This client's token is for watching.")


class PublisherTakenError(CommandError):
    """The code is the one that clients know."""

    def __init__(self, track: str) -> None:
        super().__init__("PUBLISHER_SLOT_TAKEN", f"Another client publishes the track {track!r}.")


class Roles:
    """The controller, the viewers and the publishers of one session."""

    def __init__(self, viewers: int, shared_control: bool) -> None:
        self._viewers = viewers
        self._shared = shared_control
        self._controller: Connection | None = None
        self._publishers: dict[str, Connection] = {}

    @property
    def controller(self) -> Connection | None:
        return self._controller

    def role_of(self, connection: Connection) -> Role:
        return Role.CONTROLLER if connection is self._controller else Role.VIEWER

    def admit(self, others: int) -> None:
        """Raises `RefusedError` when a further client finds no place beside `others`."""
        if others > min(self._viewers, PEERS_LIMIT - 1):
            raise RefusedError(
                Refusal.BUSY,
                "too_many_viewers",
                f"{others} clients are connected already; the server admits one controller and "
                f"{self._viewers} viewers (--viewers).",
                retry_after=10,
            )

    def join(self, connection: Connection, *, speaks: bool = True) -> Role:
        """Place a client that has connected: it controls if nobody does, it may, and it can say anything."""
        vacant = self._controller is None or self._controller.presence.closed
        if vacant and speaks and connection.offer.may_control:
            self._controller = connection
            if not self._shared:
                # The camera of one that views gives way.
                self._publishers = {t: c for t, c in self._publishers.items() if c is connection}
        return self.role_of(connection)

    def leave(self, connection: Connection) -> bool:
        """Forget a client; True when it controlled and now nobody does."""
        vacant = self._controller is connection
        if vacant:
            self._controller = None
        self._publishers = {t: c for t, c in self._publishers.items() if c is not connection}
        return vacant

    def take(self, connection: Connection) -> Connection | None:
        """Make `connection` the controller; returns who lost that, if somebody did. Raises `CommandError`."""
        if not connection.offer.may_control:
            raise ViewOnlyError
        before, self._controller = self._controller, connection
        if before is connection:
            return None
        if not self._shared:
            # What a viewer's camera sees never reaches the model.
            self._publishers = {t: c for t, c in self._publishers.items() if c is not before}
        return before

    def replace(self, old: Connection, new: Connection) -> None:
        """`new` is the same client as `old`, on another connection."""
        if not new.offer.may_control:
            self.leave(old)
            return
        if self._controller is old:
            self._controller = new
        self._publishers = {t: new if c is old else c for t, c in self._publishers.items()}

    def may_command(self, connection: Connection) -> bool:
        return connection.offer.may_control and (self._shared or connection is self._controller)

    @staticmethod
    def refusal(connection: Connection) -> CommandError:
        """Why a client may not command."""
        return NotControllerError() if connection.offer.may_control else ViewOnlyError()

    def publish(self, connection: Connection, track: str) -> None:
        """Let `connection` feed the input `track`. Raises `CommandError`."""
        if not self.may_command(connection) and not self._alone(connection):
            raise self.refusal(connection)
        holder = self._publishers.get(track)
        if holder is not None and holder is not connection and not holder.presence.closed:
            raise PublisherTakenError(track)
        self._publishers = {**self._publishers, track: connection}

    def _alone(self, connection: Connection) -> bool:
        """Whether this client cannot ask for control, and nobody else has it."""
        return connection.conversation.notice is not None and self._controller is None

    def unpublish(self, connection: Connection, track: str) -> None:
        if self._publishers.get(track) is connection:
            self._publishers = {t: c for t, c in self._publishers.items() if t != track}

    def publishes(self, connection: Connection, track: str) -> bool:
        return self._publishers.get(track) is connection
