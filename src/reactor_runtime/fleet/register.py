"""Whose tickets there are: by id, by user, and how many an address has."""

from __future__ import annotations

from collections import Counter

from reactor_runtime.errors import FleetError

from .records import Ticket, TicketState


class Register:
    """The tickets, those that have ended included until they are forgotten."""

    def __init__(self) -> None:
        self.tickets: dict[str, Ticket] = {}
        self.changed: set[str] = set()
        """Tickets that a store has not seen yet as they are now; the broker's owner empties it."""
        self._users: dict[str, str] = {}
        self._per_address: Counter[str] = Counter()

    def require(self, ticket_id: str) -> Ticket:
        """Raises `FleetError` (`unknown_ticket`)."""
        ticket = self.tickets.get(ticket_id)
        if ticket is None:
            raise FleetError("unknown_ticket", "This ticket is not known; ask for a new one.")
        return ticket

    def of_user(self, user: str) -> Ticket | None:
        """The place that a user has already; nobody without a name has one."""
        return self.tickets.get(self._users.get(user, ""))

    def held_by(self, address: str) -> int:
        """How many places an address has."""
        return self._per_address[address]

    def add(self, ticket: Ticket) -> None:
        self.tickets[ticket.id] = ticket
        self._per_address[ticket.address] += 1
        if ticket.user:
            self._users[ticket.user] = ticket.id
        self.changed.add(ticket.id)

    def move(self, ticket: Ticket, state: TicketState) -> None:
        ticket.state = state
        self.changed.add(ticket.id)

    def release(self, ticket: Ticket) -> None:
        """A ticket has ended: its user and its address may have another."""
        self._per_address[ticket.address] -= 1
        if not self._per_address[ticket.address]:
            del self._per_address[ticket.address]
        if self._users.get(ticket.user) == ticket.id:
            del self._users[ticket.user]

    def forget(self, ticket_id: str) -> None:
        self.tickets.pop(ticket_id, None)
        self.changed.add(ticket_id)
