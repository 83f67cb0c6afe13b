"""The waiting line: first come, first served, with a way back to the head."""

from __future__ import annotations

from bisect import bisect_left, insort


class Line:
    """Order numbers of the tickets that wait, and whose they are. A place is found in logarithmic time."""

    def __init__(self) -> None:
        self._orders: list[int] = []
        self._ids: dict[int, str] = {}
        self._first = 0
        self._next = 1

    def __len__(self) -> int:
        return len(self._orders)

    @property
    def head(self) -> str | None:
        return self._ids[self._orders[0]] if self._orders else None

    def join(self, ticket: str) -> int:
        """Stand at the end; returns the order number."""
        order, self._next = self._next, self._next + 1
        self._stand(ticket, order)
        return order

    def join_at_head(self, ticket: str) -> int:
        """Stand before everybody, because a worker was lost under this ticket."""
        order, self._first = self._first, self._first - 1
        self._stand(ticket, order)
        return order

    def remember(self, ticket: str, order: int, *, waits: bool) -> int:
        """Take over what a store remembers of a ticket; returns its order number.

        That is given to nobody else, also when its ticket does not wait any more: it may go back to the line.
        """
        if order in self._ids:
            order = self._next  # two with one number, as restarted gateways once gave them
        self._first = min(self._first, order - 1)
        self._next = max(self._next, order + 1)
        if waits:
            self._stand(ticket, order)
        return order

    def leave(self, ticket: str, order: int) -> None:
        """Nothing happens to anybody else, whatever `order` is."""
        if self._ids.get(order) == ticket:
            del self._ids[order]
            del self._orders[bisect_left(self._orders, order)]

    def position(self, order: int) -> int:
        """1 for the head; 0 for who does not stand in line."""
        return bisect_left(self._orders, order) + 1 if order in self._ids else 0

    def _stand(self, ticket: str, order: int) -> None:
        insort(self._orders, order)
        self._ids[order] = ticket
