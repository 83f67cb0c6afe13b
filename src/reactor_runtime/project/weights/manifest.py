"""What a folder of weights is: its files with sizes and checksums, and where they came from."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reactor_runtime.errors import WeightsError

from .names import MANIFEST, check_tree, safe_path

FORMAT = "reactor-weights/1"
MAX_BYTES = 64 * 2**20
"""Of a manifest; one entry has some two hundred."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Entry:
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """`sources` shows no secret: where it came from and, where that was another, what the project names.
    `projects` are the folders that asked for it; `complete` is false while an upload goes on.
    """

    name: str
    revision: str
    files: Mapping[str, Entry]
    sources: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    complete: bool = True
    identities: Mapping[str, str] = field(default_factory=dict)
    """What the remote called each file: an ETag, a checksum."""

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.files.values())

    def text(self) -> str:
        files = {
            path: {"size": entry.size, "sha256": entry.sha256} for path, entry in sorted(self.files.items())
        }
        document: dict[str, Any] = {"format": FORMAT, "name": self.name, "complete": self.complete}
        document["revision"] = self.revision
        if self.sources:
            document["sources"] = list(self.sources)
        if self.projects:
            document["projects"] = list(self.projects)
        if self.identities:
            document["identities"] = dict(sorted(self.identities.items()))
        return json.dumps({**document, "files": files}, indent=1) + "\n"


def parse_manifest(data: bytes, where: str) -> Manifest:
    """From bytes that anybody may have written. Raises `WeightsError`, which names `where`."""
    if len(data) > MAX_BYTES:
        raise WeightsError(f"{where} is larger than a manifest may be ({MAX_BYTES >> 20} MiB).")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise WeightsError(f"{where} is no JSON, so no manifest; was it made by `reactor upload`?") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise WeightsError(f'{where} is no manifest of this kind: its "format" must be "{FORMAT}".')
    files = document.get("files")
    if not isinstance(files, dict):
        raise WeightsError(f'{where} has no table "files".')
    entries = {safe_path(path, where): _entry(path, value, where) for path, value in files.items()}
    check_tree(entries, where)
    return Manifest(
        name=_text(document.get("name")),
        revision=_text(document.get("revision")),
        files=entries,
        sources=_texts(document.get("sources")),
        projects=_texts(document.get("projects")),
        complete=document.get("complete") is True,
        identities=_identities(document.get("identities")),
    )


def read_manifest(folder: Path) -> Manifest | None:
    """Of a folder on this machine; None where it has none that can be read."""
    file = folder / MANIFEST
    try:
        data = file.read_bytes()
    except OSError:
        return None
    try:
        return parse_manifest(data, str(file))
    except WeightsError:
        return None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Whole or not at all. Raises `OSError`."""
    write_whole(folder / MANIFEST, manifest.text().encode())


def write_whole(file: Path, data: bytes) -> None:
    """A reader sees what was there before or all of `data`, also after a power failure."""
    new = file.with_name(f"{file.name}.{os.getpid()}.new")
    try:
        with new.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def _entry(path: str, value: Any, where: str) -> Entry:
    size = value.get("size") if isinstance(value, dict) else None
    digest = value.get("sha256") if isinstance(value, dict) else None
    if type(size) is not int or size < 0 or not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        raise WeightsError(
            f'{where}: {path!r} needs a "size" in bytes and a "sha256" of 64 small hex digits.'
        )
    return Entry(size, digest)


def _text(value: Any) -> str:
    return value[:1_000] if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _identities(value: Any) -> dict[str, str]:
    pairs = value.items() if isinstance(value, dict) else ()
    return {key: each for key, each in pairs if isinstance(each, str)}
