"""The files that clients upload during one session, in a folder that goes with it."""

from __future__ import annotations

import logging
import secrets
import threading
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from reactor_runtime.authoring.uploads import UploadedFile
from reactor_runtime.errors import Refusal, RefusedError

from . import folders

log = logging.getLogger(__name__)

MIB = 2**20
UPLOADS_LIMIT = 256
"""Files of one session, announced ones included."""
TOTAL_FACTOR = 4
"""All files of a session together may be so many times as large as one."""
NAME_LIMIT = 255
"""Characters of a name: what file systems take."""


class _Stage(Enum):
    ANNOUNCED = auto()
    ARRIVING = auto()
    COMPLETE = auto()


@dataclass
class Upload:
    """One file: announced, arriving or complete. `size`, in bytes, is what was announced."""

    id: str
    name: str
    mime_type: str
    size: int
    stage: _Stage = _Stage.ANNOUNCED


class Uploads:
    """Any thread. What a client gives is never part of a path: files are named after ids of ours."""

    def __init__(self, limit_mib: int) -> None:
        """`limit_mib` bounds one file; 0 means that none is taken."""
        self._limit = limit_mib * MIB
        self._lock = threading.Lock()
        """Guards everything here. Nothing else is taken meanwhile."""
        self._uploads: dict[str, Upload] = {}
        self._folder: Path | None = None
        self._closed = False

    def announce(self, name: str, size: int, mime_type: str) -> Upload:
        """Make room for a file of `size` bytes. Raises `RefusedError`."""
        if size > self._limit:
            raise RefusedError(Refusal.TOO_LARGE, "upload_too_large", self._too_large())
        with self._lock:
            if self._closed:
                raise _ended()
            if not self._make_room(size):
                raise RefusedError(
                    Refusal.TOO_LARGE,
                    "uploads_full",
                    f"A session keeps {UPLOADS_LIMIT} files and {TOTAL_FACTOR * self._limit // MIB} MiB at "
                    "most, until it ends.",
                )
            upload = Upload(secrets.token_urlsafe(16), display_name(name), mime_type, size)
            self._uploads[upload.id] = upload
            return upload

    def open(self, upload_id: str) -> Incoming:
        """Begin to take a file. Blocks for the disk. Raises `RefusedError`."""
        with self._lock:
            upload = self._uploads.get(upload_id)
            if upload is None:
                raise RefusedError(
                    Refusal.NOT_FOUND, "unknown_upload", "No file of this id was announced in this session."
                )
            if upload.stage is not _Stage.ANNOUNCED:
                raise RefusedError(
                    Refusal.CONFLICT, "upload_taken", "This file is here already, or on its way."
                )
            if self._folder is None:
                self._folder = folders.make()
            incoming = Incoming(self, upload, self._folder / upload.id)
            upload.stage = _Stage.ARRIVING
            return incoming

    def find(self, upload_id: str) -> UploadedFile | None:
        """A file that has arrived whole."""
        with self._lock:
            upload = self._uploads.get(upload_id)
            if upload is None or upload.stage is not _Stage.COMPLETE or self._folder is None:
                return None
            return UploadedFile(upload.name, upload.mime_type, upload.size, self._folder / upload.id)

    def complete(self) -> list[UploadedFile]:
        """Every file that has arrived whole."""
        with self._lock:
            ids = list(self._uploads)
        return [file for upload_id in ids if (file := self.find(upload_id)) is not None]

    def end(self, upload: Upload, complete: bool) -> bool:
        """A file has arrived, or its client may try again; False when the session has ended meanwhile."""
        with self._lock:
            upload.stage = _Stage.COMPLETE if complete else _Stage.ANNOUNCED
            return not self._closed

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Delete everything. Blocks for the disk; may be called twice."""
        with self._lock:
            self._closed = True
            self._uploads.clear()
            folder, self._folder = self._folder, None
        if folder is not None and not folders.remove(folder):
            log.warning("Files of an ended session could not be deleted: %s", folder)

    def _make_room(self, size: int) -> bool:
        """Forget files that were announced and never came, the oldest first, rather than refuse a new one."""
        announced = [u for u in self._uploads.values() if u.stage is _Stage.ANNOUNCED]
        while not self._fits(size) and announced:
            del self._uploads[announced.pop(0).id]
        return self._fits(size)

    def _fits(self, size: int) -> bool:
        total = sum(upload.size for upload in self._uploads.values())
        return len(self._uploads) < UPLOADS_LIMIT and total + size <= TOTAL_FACTOR * self._limit

    def _too_large(self) -> str:
        if not self._limit:
            return "This server takes no files (--max-upload 0)."
        return f"A file may have {self._limit // MIB} MiB at most (--max-upload)."


class Incoming:
    """One file on its way to the disk; every method blocks for it. Ends with `finish` or `abort`."""

    def __init__(self, uploads: Uploads, upload: Upload, path: Path) -> None:
        self.upload = upload
        self._uploads = uploads
        self._path = path
        self._received = 0
        self._file = path.open("wb")

    def check(self) -> None:
        """Raises `RefusedError` when the session has ended. Does not block."""
        if self._uploads.closed:
            raise _ended()

    def write(self, data: bytes) -> None:
        """Raises `RefusedError`: more came than was announced, or the session has ended."""
        self.check()
        self._received += len(data)
        if self._received > self.upload.size:
            raise self._wrong_length()
        self._file.write(data)

    def finish(self) -> None:
        """Raises `RefusedError`: less came than was announced, or the session has ended."""
        if self._received != self.upload.size:
            raise self._wrong_length()
        self._file.close()
        if not self._uploads.end(self.upload, complete=True):
            raise _ended()

    def abort(self) -> None:
        """Forget what has come; the client may send the file again."""
        self._file.close()
        self._path.unlink(missing_ok=True)
        self._uploads.end(self.upload, complete=False)

    def _wrong_length(self) -> RefusedError:
        return RefusedError(
            Refusal.INVALID,
            "wrong_length",
            f"The file was announced with {self.upload.size:,} bytes; the body has another length.",
        )


def display_name(name: str) -> str:
    """The last component of what a client calls its file, without what no file name has.

    Nothing here joins it to a path, but an author may.
    """
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    printable = "".join(letter for letter in last if letter.isprintable()).strip()[:NAME_LIMIT]
    return printable if printable.strip(".") else "upload"


def _ended() -> RefusedError:
    return RefusedError(Refusal.CONFLICT, "session_ended", "The session has ended, and its files with it.")
