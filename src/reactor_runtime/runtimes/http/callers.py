"""Who asks, for limits that count by address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reactor_runtime.runtimes.door.addresses import network_of

if TYPE_CHECKING:
    from fastapi import Request


def address_of(request: Request) -> str:
    """The address that a request came from; of an IPv6 one, its network."""
    return network_of(request.client.host) if request.client else ""
