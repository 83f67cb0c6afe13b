"""No secret in any log: a net under all that might write one, uvicorn's lines and tracebacks included."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import quote

from .credentials import encoded

HIDDEN = "…"
SHORTEST = 6
"""Characters; shorter secrets stand in innocent words too."""
_CARRIED = re.compile(
    r"(?P<path>/t/)[^/\s?#\"']+|(?P<query>[?&](?:token|signature)=)[^&\s\"']+"
    r"|(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"
)
"""Tokens by where they stand, and by how a JWT begins. Nothing is looked at twice."""


class Redaction(logging.Filter):
    """Of a handler: takes out the secrets, as they are and as addresses have them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        forms = {form for secret in secrets for form in (secret, quote(encoded(secret), safe=""))}
        self._secrets = sorted((form for form in forms if len(form) >= SHORTEST), key=len, reverse=True)

    def clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return _CARRIED.sub(lambda found: f"{found['path'] or found['query'] or ''}{HIDDEN}", text)

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if (cleaned := self.clean(text)) != text:
            record.msg, record.args = cleaned, None
        if record.exc_info and not record.exc_text:
            # Formatters take what stands here already.
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self.clean(record.exc_text)
        return True


@contextmanager
def redacted(secrets: Iterable[str]) -> Iterator[None]:
    """While this lasts, whatever the root's handlers write has no secret in it."""
    net = Redaction(secrets)
    handlers = list(logging.getLogger().handlers)
    for handler in handlers:
        handler.addFilter(net)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(net)
