"""Media over TCP on the gateway's port: which worker has the peer that a client's first frame names.

The gateway reads that from the answers that pass it. So it holds for sessions of this gateway: after another
one has taken over, clients offer again, as they do whenever a connection of theirs ends.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from reactor_runtime.clients.reach import reached
from reactor_runtime.fleet.engine import Endpoint
from reactor_runtime.fleet.fleet import Fleet
from reactor_runtime.runtimes.door.asgi import Scope
from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.transports import sdp

USERS_LIMIT = 4096
"""Ufrags that are remembered; the oldest is forgotten."""


@dataclass(frozen=True)
class _At:
    """As `transports.tcp_media.Place`: the worker's own port takes it from here."""

    endpoint: Endpoint

    async def address(self) -> tuple[str, int]:
        return self.endpoint.host, self.endpoint.port


class Users:
    """The sessions behind the ufrags of answers. Event loop only."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._sessions: dict[str, str] = {}

    def answered(self, body: bytes, session: str) -> None:
        """What a worker answered to an offer. A ufrag stays with the session that had it first."""
        for user in sdp.ice_users(_sdp_in(body)):
            known = self._sessions.get(user)
            if known is None or known not in self._fleet.serving:
                self._sessions[user] = session
        while len(self._sessions) > USERS_LIMIT:
            del self._sessions[next(iter(self._sessions))]

    def find(self, user: str) -> _At | None:
        serving = self._fleet.serving.get(self._sessions.get(user, ""))
        return None if serving is None else _At(serving.endpoint)


def is_answer(path: str) -> bool:
    return path.endswith("/sdp_params")


def reached_at(scope: Scope, options: HttpOptions) -> bytes:
    """How a worker is told where its client reached the gateway; empty where nobody can tell."""
    host = next((v.decode("latin-1") for n, v in scope["headers"] if n.lower() == b"host"), "")
    names = [name.lower() for name, _ in scope["headers"]]
    found = reached(host, scope.get("scheme", "http"), names, scope.get("server"), options)
    return f"{found[0]} {found[1]}".encode() if found and options.takes_tcp_media else b""


def _sdp_in(body: bytes) -> str:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(found, dict):
        return ""
    return "\n".join(value for value in found.values() if isinstance(value, str))
