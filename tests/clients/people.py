"""Clients as the rules of this room see them: no wire, no loop, no thread."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from reactor_runtime.clients.channels import Notice
from reactor_runtime.clients.commands import ClientCommands
from reactor_runtime.clients.connection import Connection
from reactor_runtime.clients.negotiation import Offer
from reactor_runtime.protocol.message_format import JsonFormat, MessageFormat, Write
from reactor_runtime.testing import VirtualClock

_numbers = itertools.count(1)


@dataclass
class Conversation:
    """Keeps what the client is told, as JSON."""

    notice: Notice | None
    format: MessageFormat | None
    told: list[dict[str, Any]] = field(default_factory=list)

    def send(self, write: Write) -> bool:
        outgoing = write(self.format or JsonFormat())
        if outgoing is not None:
            self.told.append(json.loads(outgoing.data)["data"])
        return True


@dataclass(eq=False)
class Person:
    """What is read of a `Connection`."""

    offer: Offer
    session: Any
    id: int = 0
    number: int = 0
    address: str = ""
    made_at: float = 0.0
    presence: Any = None
    conversation: Any = None
    commands: ClientCommands = field(default_factory=ClientCommands)


def sdp(peer: str = "", session: str = "1") -> str:
    """An offer's text of the peer with this fingerprint; without one it tells nothing of who sent it."""
    about = f"a=fingerprint:sha-256 {peer}\r\n" if peer else ""
    return f"v=0\r\no=- {session} 2 IN IP4 127.0.0.1\r\n{about}"


def offer(peer: str = "", *, may_control: bool = True, session: str = "1") -> Offer:
    return Offer(sdp(peer, session), (), has_channel=True, message_limit=65536, may_control=may_control)


def person(
    peer: str = "",
    *,
    may_control: bool = True,
    clock: VirtualClock | None = None,
    ready: bool = True,
    live: bool = True,
    closed: bool = False,
    notice: Notice | None = None,
    message_format: MessageFormat | None = None,
    **facts: Any,
) -> Connection:
    """A client that is there and may control, unless the facts say otherwise."""
    number = next(_numbers)
    session = SimpleNamespace(number=1, clock=clock or VirtualClock(), next_frame=lambda: 0)
    presence = SimpleNamespace(ready=ready, live=live, closed=closed)
    conversation = Conversation(notice, message_format)
    given = {"id": number, "number": number, "presence": presence, "conversation": conversation, **facts}
    return cast("Connection", Person(offer(peer, may_control=may_control), session, **given))
