"""What `reactor fleet` asks of a gateway: one request, with the standard library."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from reactor_runtime.errors import FleetError

WITHIN_S = 10.0
ANSWER_LIMIT = 4 * 1024 * 1024
"""Bytes of an answer."""


def ask(url: str, method: str, path: str, body: dict[str, Any] | None, token: str) -> dict[str, Any]:
    """The answer's JSON. Raises `FleetError` with the server's own sentence."""
    address = url.rstrip("/") + path
    if not address.startswith(("http://", "https://")):
        raise FleetError("url", f"{url} is no address; write it as http://127.0.0.1:8080.")
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=WITHIN_S) as response:
            return dict(json.loads(response.read(ANSWER_LIMIT)))
    except urllib.error.HTTPError as error:
        with error:
            raise FleetError("refused", _sentence(error.read(ANSWER_LIMIT), error.code, url)) from error
    except (OSError, ValueError) as error:
        raise FleetError(
            "unreachable", f"No fleet answers at {url}: {error}. Is `reactor serve` running?"
        ) from error


def _sentence(text: bytes, status: int, url: str) -> str:
    try:
        return str(json.loads(text)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{url} answered {status}; is it a `reactor serve`?"
