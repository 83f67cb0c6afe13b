"""Addresses of uploads that open by themselves: published SDKs send a file's bytes without any credential."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from urllib.parse import urlencode

from reactor_runtime.clock import WALL
from reactor_runtime.errors import Refusal, RefusedError

from .carriers import Scope, parameters

UPLOADS = "/uploads/"
"""The paths below which files are sent."""
VALID_S = 600.0
"""How long an address opens. The body may take longer: it is looked at when the request begins."""


class UploadUrls:
    """Signs with a key of this process, in which uploads live and die."""

    def __init__(self, clock: Callable[[], float] = WALL.unix) -> None:
        self._key = secrets.token_bytes(32)
        self._clock = clock

    def query(self, upload_id: str) -> str:
        """What follows the question mark of an upload's address."""
        expires = str(int(self._clock() + VALID_S))
        return urlencode({"expires": expires, "signature": self._signature(upload_id, expires)})

    def opens(self, scope: Scope) -> bool:
        """Whether a request's own address lets it in. Raises `RefusedError` when it did lately."""
        if scope["method"] != "PUT" or not scope["path"].startswith(UPLOADS):
            return False
        expires, signature = parameters(scope, "expires"), parameters(scope, "signature")
        if len(expires) != 1 or len(signature) != 1 or not expires[0].isdigit() or len(expires[0]) > 12:
            return False
        wanted = self._signature(scope["path"].removeprefix(UPLOADS), expires[0].decode())
        if not hmac.compare_digest(signature[0], wanted.encode()):
            return False
        if int(expires[0]) <= self._clock():
            raise RefusedError(
                Refusal.UNAUTHENTICATED,
                "upload_expired",
                "This address has expired; announce the file again.",
            )
        return True

    def _signature(self, upload_id: str, expires: str) -> str:
        text = f"{expires} {upload_id}".encode("utf-8", "replace")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()
