"""Secrets stay out of what is shown, logged and kept: in addresses, and in what libraries say."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from reactor_runtime.project import environment

MASK = "***"

_HARMLESS = {"version", "versionid", "revision", "rev", "ref", "download", "file", "filename", "format", "v"}
"""Parameters of an address that say which file is meant, and open nothing."""

_SECRET_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_SAS_KEY",
    "AZURE_CLIENT_SECRET",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
    "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
)
_SHORTEST_SECRET = 6
"""Characters: what is shorter would be found in ordinary words."""

_ADDRESS = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s\"'<>`)\]}]+")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}")
_ASSIGNED = re.compile(r"(?i)\b(x-amz-\w+|sig|signature|token|secret|password|key)=[^\s&\"'<>]+")


def masked(address: str) -> str:
    """`address` with `***` for passwords and for parameters that may open something."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return MASK
    netloc = parts.netloc
    if "@" in netloc and parts.scheme != "hf":
        user = netloc.rpartition("@")[0].partition(":")[0]
        host = netloc.rpartition("@")[2]
        netloc = f"{MASK}@{host}" if not user or ":" not in parts.netloc else f"{user}:{MASK}@{host}"
    query = "&".join(_parameter(each) for each in parts.query.split("&")) if parts.query else ""
    if netloc == parts.netloc and query == parts.query and not (parts.fragment and parts.scheme != "file"):
        return address
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))


def scrubbed(text: str) -> str:
    """What a library said, without the secrets that it may have put in."""
    for name in _SECRET_VARIABLES:
        value = environment.value(name)
        if len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, MASK)
    text = _ADDRESS.sub(lambda found: masked(found[0]), text)
    text = _BEARER.sub(lambda found: f"{found[1]} {MASK}", text)
    return _ASSIGNED.sub(lambda found: f"{found[1]}={MASK}", text)


def _parameter(text: str) -> str:
    key, equals, _ = text.partition("=")
    if not equals:
        return MASK if len(text) >= _SHORTEST_SECRET else text
    return text if key.lower() in _HARMLESS else f"{key}={MASK}"
