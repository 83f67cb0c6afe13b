"""STUN and TURN as the operator configured them; nothing is contacted that is not named."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

from reactor_runtime.errors import ReactorError
from reactor_runtime.transports.port import IceServer

CREDENTIALS_S = 3600
"""How long an ephemeral TURN credential is valid."""
EPHEMERAL_USER = "reactor"

_HOST_AND_PORT = r"(?:\[[0-9A-Fa-f:.]+\]|[^\s,;?/:@\[\]]+)(?::(?P<port>[0-9]{1,5}))?"
_STUN = re.compile(rf"stuns?:{_HOST_AND_PORT}")
_TURN = re.compile(rf"turns?:{_HOST_AND_PORT}(?:\?transport=(?:udp|tcp))?")
_BARE_ENTRY = re.compile(r"turns?:[^\s,;]+(?=[\s,]|$)")
_WHOLE_ENTRY = re.compile(r"([^;]+);([^;]+);\s*([^\s,;]+)")
_MAX_PORT = 65535
_SEPARATORS = ", \t\r\n"


class IceConfigError(ReactorError):
    code = "ice_config"


@dataclass(frozen=True)
class IceSettings:
    """`turn` holds ``username;credential;url``, the form of 1.7, or a bare URL when there is a `secret`."""

    stun: tuple[str, ...] = ()
    turn: tuple[str, ...] = ()
    secret: str = ""

    def __post_init__(self) -> None:
        for url in self.stun:
            if not _is_url(_STUN, url):
                hint = ", without the //" if "//" in url else ""
                raise IceConfigError(
                    f"--stun-server {url!r} is no STUN URL; write it as stun:host:3478{hint}."
                )
        for entry in self.turn:
            self._split(entry)

    def servers(self, now: float) -> list[IceServer]:
        """What client and server use at Unix time `now`: ephemeral credentials are made for this moment."""
        servers = [IceServer((url,)) for url in self.stun]
        for entry in self.turn:
            username, credential, url = self._split(entry)
            if not username:
                username, credential = ephemeral_credential(self.secret, now + CREDENTIALS_S)
            servers.append(IceServer((url,), username, credential))
        return servers

    def _split(self, entry: str) -> tuple[str, str, str]:
        parts = entry.split(";")
        if len(parts) == 3 and parts[0] and parts[1] and _is_url(_TURN, parts[2]):
            return parts[0], parts[1], parts[2]
        if len(parts) == 1 and _is_url(_TURN, entry):
            if not self.secret:
                raise IceConfigError(
                    "--turn-server with a bare URL needs --turn-secret; or write "
                    "username;credential;turn:host:3478."
                )
            return "", "", entry
        # The entry may hold a password, so it is not repeated.
        number = self.turn.index(entry) + 1
        raise IceConfigError(
            "--turn-server must be username;credential;turn:host:3478, or turn:host:3478 with --turn-secret; "
            f"several go with commas between them. Entry {number} is neither."
        )


def stun_entries(text: str) -> list[str]:
    """The URLs of a list with commas, as in ``STUN_SERVERS``; spaces divide too."""
    return text.replace(",", " ").split()


def turn_entries(text: str) -> list[str]:
    """The entries of a list with commas, as in ``TURN_SERVERS``.

    An entry ends where its URL ends, so that a password may hold commas and spaces.
    """
    entries: list[str] = []
    rest = text.strip(_SEPARATORS)
    while rest:
        found = _BARE_ENTRY.match(rest) or _WHOLE_ENTRY.match(rest)
        if found is None:
            return [*entries, rest]  # `IceSettings` says what is wrong with it
        entries.append(";".join(found.groups()) or found[0])
        rest = rest[found.end() :].lstrip(_SEPARATORS)
    return entries


def _is_url(pattern: re.Pattern[str], url: str) -> bool:
    found = pattern.fullmatch(url)
    return found is not None and int(found["port"] or 1) in range(1, _MAX_PORT + 1)


def ephemeral_credential(secret: str, expires: float) -> tuple[str, str]:
    """A username and password that a TURN server with the same secret accepts until `expires`.

    The scheme is draft-uberti-behave-turn-rest-00, `use-auth-secret` of coturn.
    """
    username = f"{int(expires)}:{EPHEMERAL_USER}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode()


def wire_form(servers: Sequence[IceServer]) -> list[dict[str, object]]:
    """As the published SDKs read it."""
    entries: list[dict[str, object]] = []
    for server in servers:
        entry: dict[str, object] = {"uris": list(server.urls)}
        if server.username:
            entry["credentials"] = {"username": server.username, "password": server.credential}
        entries.append(entry)
    return entries
