"""Where weights come from, as a person writes it in `reactor.toml` or on the command line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from reactor_runtime.errors import WeightsError

from .masking import masked

BUCKETS = {"s3": "S3", "gs": "Google Cloud Storage", "az": "Azure Blob Storage"}
SCHEMES = ("hf", *BUCKETS, "https", "http", "file")

FORMS = "hf://org/repo@revision, s3://bucket/prefix, gs://…, az://…, https://…, or file:DIR"

_REPOSITORY = re.compile(
    r"(?:(?P<kind>datasets|spaces|models)/)?"
    r"(?P<repo>[\w.-]+(?:/[\w.-]+)?)"
    r"(?:@(?P<revision>refs/[\w.-]+/[\w.%-]+|[^/@]+))?"
    r"(?:/(?P<folder>[^@]+?))?/?"
)


@dataclass(frozen=True)
class Source:
    """`text` is as written and may hold a secret; `shown` holds none."""

    text: str
    scheme: str
    base: Path
    """What `file:` is relative to."""

    @property
    def shown(self) -> str:
        if self.scheme == "file":
            return f"file:{self.folder}"
        return masked(self.text)

    @property
    def is_remote(self) -> bool:
        return self.scheme != "file"

    @property
    def folder(self) -> Path:
        """Of a `file:` source, absolute."""
        rest = self.text.partition(":")[2]
        if rest.startswith("//"):
            rest = unquote(rest[2:].removeprefix("localhost"))
        return Path(self.base, Path(rest).expanduser()).absolute().resolve()

    @property
    def bucket(self) -> tuple[str, str]:
        """The bucket and the prefix, without slashes at its ends."""
        parts = urlsplit(self.text)
        return parts.netloc, unquote(parts.path).strip("/")

    @property
    def repository(self) -> Repository:
        found = _REPOSITORY.fullmatch(self.text.removeprefix("hf://"))
        assert found is not None  # `parse_source` has looked
        return Repository(
            kind=(found["kind"] or "models").removesuffix("s"),
            name=found["repo"],
            revision=unquote(found["revision"] or "main"),
            folder=(found["folder"] or "").strip("/"),
        )


@dataclass(frozen=True)
class Repository:
    kind: str
    name: str
    revision: str
    folder: str


def parse_source(text: str, base: Path) -> Source:
    """Raises `WeightsError` with a sentence that shows no secret."""
    stripped = text.strip()
    scheme, colon, rest = stripped.partition(":")
    scheme = scheme.lower()
    shown = masked(stripped)
    if not colon or scheme not in SCHEMES:
        raise WeightsError(f"{shown!r} is no source of weights; write {FORMS}.")
    if scheme == "file":
        if not rest.strip("/ "):
            raise WeightsError(f"{shown!r} names no folder; write file:DIR.")
        return Source(stripped, scheme, base)
    stripped = f"{scheme}:{rest}"
    if not rest.startswith("//") or not rest.strip("/"):
        raise WeightsError(f"{shown!r} names no place; write {FORMS}.")
    _check_rest(stripped, scheme, shown)
    return Source(stripped, scheme, base)


def _check_rest(text: str, scheme: str, shown: str) -> None:
    if not text.isprintable() or " " in text:
        raise WeightsError(f"{shown!r} holds spaces or characters that no address has; write them as %20.")
    if scheme == "hf":
        if not _REPOSITORY.fullmatch(text.removeprefix("hf://")):
            raise WeightsError(f"{shown!r} is no repository; write hf://org/repo@revision.")
        return
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise WeightsError(f"{shown!r} is no address; write {FORMS}.") from None
    if not parts.netloc or (scheme in ("http", "https") and not parts.hostname):
        raise WeightsError(
            f"{shown!r} names no {'bucket' if scheme in BUCKETS else 'server'}; write {FORMS}."
        )
