"""A place that has weights: it lists its files and gives ranges of them."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Protocol

from reactor_runtime.errors import WeightsError

Piece = bytes | memoryview

CHUNK = 128 * 1024
"""Bytes that are asked of a connection at once."""


class RemoteChangedError(WeightsError):
    """What is there now is not what was listed; what has arrived of it belongs to nothing any more."""


class DamagedError(WeightsError):
    """A file arrived whole, but is not what its checksum says."""


class TransientError(WeightsError):
    """A connection or a server failed in a way that may be over soon."""

    def __init__(self, message: str, *, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True)
class RemoteFile:
    """`identity` changes when the content does: an ETag, a checksum. Empty where the place says nothing
    of the kind; then nothing that arrived before may be added to.
    """

    path: str
    size: int | None
    identity: str
    address: str
    """What the remote calls it."""
    sha256: str = ""
    git_sha1: str = ""
    ranged: bool = True
    """Whether ranges can be asked for."""

    @property
    def has_checksum(self) -> bool:
        return bool(self.sha256 or self.git_sha1)

    @property
    def resumable(self) -> bool:
        return self.ranged and self.size is not None and bool(self.identity)


@dataclass(frozen=True)
class Listing:
    """`pinned` says that `revision` can only ever mean these files."""

    revision: str
    files: tuple[RemoteFile, ...]
    pinned: bool = False
    archive: bool = False
    """Whether the one file is to be unpacked."""


class Remote(Protocol):
    """Called from several threads. Raises `WeightsError`, `TransientError` or `RemoteChangedError`."""

    def listing(self) -> Listing: ...

    def read(self, file: RemoteFile, start: int, end: int | None) -> Generator[Piece]:
        """The bytes from `start` up to `end` (None: all there are), in pieces; close it when done early.

        A piece is good until the next one is asked for.
        """
        ...


def digest_of(files: Iterable[RemoteFile]) -> str:
    """A revision for a place that has none of its own."""
    told = hashlib.sha256()
    for file in sorted(files, key=lambda each: each.path):
        told.update(f"{file.path}\0{file.size}\0{file.sha256 or file.identity}\n".encode())
    return told.hexdigest()[:16]
