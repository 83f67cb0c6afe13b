"""Where a request may carry a credential: a header, a cookie, the path, the query. Linear in what came."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes

Scope = MutableMapping[str, Any]

BELOW = b"t"
"""The first segment of a base URL that holds a token: ``http://host:8080/t/TOKEN``."""
SAME_NAME_LIMIT = 8
"""Cookies or parameters of one name that are looked at: paths and domains may make a few."""


@dataclass(frozen=True)
class PathToken:
    """A token that came as the beginning of the path, and how to get back above it."""

    credential: bytes
    above: str


def below_token(scope: Scope) -> tuple[Scope, PathToken | None]:
    """Take ``/t/TOKEN`` from the front of the path: what is below it is the whole server.

    The bytes as they were sent are looked at, because a token may hold a slash (``%2F``).
    """
    raw = scope.get("raw_path") or b""
    if not raw.startswith(b"/"):
        raw = quote(scope["path"]).encode()
    parts = raw.split(b"/", 3)
    if len(parts) < 3 or parts[1] != BELOW or not parts[2]:
        return scope, None
    rest = b"/" + (parts[3] if len(parts) == 4 else b"")
    token = PathToken(unquote_to_bytes(parts[2]), "../../" if len(parts) == 4 else "../")
    return {**scope, "path": unquote(rest.decode("latin-1")), "raw_path": rest}, token


def bearer(authorization: str) -> bytes:
    """The credential of an Authorization header; empty when it has none."""
    scheme, _, credential = authorization.partition(" ")
    return credential.strip().encode("latin-1", "replace") if scheme.lower() == "bearer" else b""


def cookies(header: str, name: str) -> list[str]:
    """The values of the cookies of this name. Ours need no quoting, so that none is undone.

    Not `http.cookies`: its time grows with the square of a quoted value (CVE-2024-7592, before 3.11.10 and
    3.12.6).
    """
    found: list[str] = []
    start = 0
    while start <= len(header) and len(found) < SAME_NAME_LIMIT:
        end = header.find(";", start)
        end = len(header) if end < 0 else end
        key, _, value = header[start:end].partition("=")
        if key.strip() == name:
            found.append(value.strip())
        start = end + 1
    return found


def parameters(scope: Scope, name: str) -> list[bytes]:
    """The values of the query's parameters of this name, as bytes: a token may be in any encoding."""
    found = [value for key, value in _pairs(scope) if key == name.encode()]
    return [unquote_to_bytes(value.replace(b"+", b" ")) for value in found[:SAME_NAME_LIMIT]]


def query_without(scope: Scope, name: str) -> str:
    """The query without the parameters of this name, with its question mark; empty when nothing is left."""
    kept = [key + b"=" + value for key, value in _pairs(scope) if key and key != name.encode()]
    return "?" + quote(b"&".join(kept), safe="&=%+;,:/?@!$'()*~") if kept else ""


def _pairs(scope: Scope) -> Iterator[tuple[bytes, bytes]]:
    for pair in scope.get("query_string", b"").split(b"&"):
        key, _, value = pair.partition(b"=")
        yield key, value
