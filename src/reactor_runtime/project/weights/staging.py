"""What has arrived of a download: `NAME.partial/`, beside the folder that it will be.

Each file lies under a key made from its place, path, size and identity, so that bytes of two versions can
never meet. Beside it a journal names the blocks that are whole, each with a checksum of what was received:
after a kill at any byte, or a power failure, only blocks that still hold that are kept.

::

    NAME.partial/KEY          the bytes, holes where they are missing
    NAME.partial/KEY.blocks   one line for each block that is whole: number, CRC-32
    NAME.partial/KEY.ok       the SHA-256 of the whole file, once it was checked
    NAME.partial/tree/        the folder as it will be, made in the last moment
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import threading
import zlib
from pathlib import Path

from .manifest import write_whole
from .remote import RemoteFile

BLOCK = 2**20
"""Bytes that are journaled, and may have to come again, at once."""

TREE = "tree"
ABOUT = "about.json"

_LINE = re.compile(rb"(\d{1,12}) ([0-9a-f]{8})\n")


class StagedFile:
    """One file on its way. Its blocks are written by several threads; each by one."""

    def __init__(self, folder: Path, source: str, file: RemoteFile) -> None:
        self.file = file
        key = "\0".join((source, file.path, str(file.size), file.sha256 or file.git_sha1 or file.identity))
        self.key = hashlib.sha256(key.encode()).hexdigest()[:32]
        self.place = folder / self.key
        self._journal = folder / f"{self.key}.blocks"
        self._ok = folder / f"{self.key}.ok"
        self.changed = threading.Condition()
        """Guards `have`, `size` and `complete`, and is told of each change to them."""
        self.size = file.size
        self.have = bytearray(self.count)
        self.complete = False
        """Whether every byte is there; checked or not."""
        self.sha256 = self._checked()

    @property
    def count(self) -> int:
        return 0 if self.size is None else -(-self.size // BLOCK)

    def span(self, block: int) -> tuple[int, int]:
        """The first byte of `block` and the one after its last."""
        return block * BLOCK, min((block + 1) * BLOCK, self.size or 0)

    @property
    def bytes_there(self) -> int:
        if self.sha256 or self.complete:
            return self.size or 0
        spans = (self.span(number) for number, there in enumerate(self.have) if there)
        return sum(end - start for start, end in spans)

    def restore(self) -> None:
        """Take up what an earlier run left; whatever cannot be trusted goes. Raises `OSError`."""
        if self.sha256:
            return
        if not self.file.resumable:
            self.drop()
        elif self.place.exists():
            self._restore_blocks()
        self.place.touch()
        if self.file.size is not None and self.file.resumable:
            os.truncate(self.place, self.file.size)
        self.complete = self.file.resumable and 0 not in self.have

    def write(self, block: int, data: memoryview) -> None:
        """A whole block. Raises `OSError`."""
        descriptor = os.open(self.place, os.O_WRONLY | os.O_CLOEXEC)
        try:
            _write_all(descriptor, data, self.span(block)[0])
        finally:
            os.close(descriptor)
        line = b"%d %08x\n" % (block, zlib.crc32(data))
        journal = os.open(self._journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            # One call: lines of several threads never mix, and of a torn one the rest is missing.
            os.write(journal, line)
        finally:
            os.close(journal)
        with self.changed:
            self.have[block] = 1
            self.complete = 0 not in self.have
            self.changed.notify_all()

    def write_stream_end(self, size: int) -> None:
        """The whole has come in one piece, `size` bytes of it."""
        with self.changed:
            self.size = size
            self.complete = True
            self.changed.notify_all()

    def mark_checked(self, sha256: str) -> None:
        """Raises `OSError`."""
        descriptor = os.open(self.place, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        write_whole(self._ok, f"{sha256} {self.size}\n".encode())
        self._journal.unlink(missing_ok=True)
        self.sha256 = sha256

    def drop(self) -> None:
        """Forget what has arrived."""
        for path in (self._ok, self._journal, self.place):
            path.unlink(missing_ok=True)
        self.sha256 = ""
        self.size = self.file.size
        self.have = bytearray(self.count)
        self.complete = False

    def _checked(self) -> str:
        """The checksum of an earlier run, where the file is still as long as it was then."""
        try:
            sha256, size = self._ok.read_text().split()
            if not self.file.identity or self.place.stat().st_size != int(size):
                return ""
            if self.file.size not in (None, int(size)):
                return ""
        except (OSError, ValueError):
            return ""
        self.size = int(size)
        return sha256 if self.file.sha256 in ("", sha256) else ""

    def _restore_blocks(self) -> None:
        try:
            journal = self._journal.read_bytes()
        except FileNotFoundError:
            journal = b""
        told = {int(found[1]): int(found[2], 16) for found in _LINE.finditer(journal)}
        kept = []
        with self.place.open("rb") as stream:
            for block, crc in told.items():
                if block >= self.count:
                    continue
                start, end = self.span(block)
                stream.seek(start)
                if zlib.crc32(stream.read(end - start)) == crc:
                    self.have[block] = 1
                    kept.append(b"%d %08x\n" % (block, crc))
        # Written anew, so that a torn last line joins no other.
        write_whole(self._journal, b"".join(kept))


class Staging:
    """The folder of one download."""

    def __init__(self, folder: Path, source: str) -> None:
        self.folder = folder
        self._source = source

    def open(self, files: tuple[RemoteFile, ...], about: str) -> list[StagedFile]:
        """What is to come, with what is there of it; whatever belongs to another version goes.

        Raises `OSError`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / ABOUT).write_text(about, "utf-8")
        self._undo_tree(files)
        staged = [StagedFile(self.folder, self._source, file) for file in files]
        kept = {file.key for file in staged}
        for path in self.folder.iterdir():
            if path.name != ABOUT and path.name.partition(".")[0] not in kept:
                _remove(path)
        for file in staged:
            file.restore()
        return staged

    def tree(self) -> Path:
        """An empty folder. Raises `OSError`."""
        tree = self.folder / TREE
        _remove(tree)
        tree.mkdir()
        return tree

    def move_into(self, tree: Path, files: list[StagedFile]) -> None:
        for file in files:
            place = tree / file.file.path
            place.parent.mkdir(parents=True, exist_ok=True)
            file.place.rename(place)

    def remove(self) -> None:
        _remove(self.folder)

    def _undo_tree(self, files: tuple[RemoteFile, ...]) -> None:
        """A run was killed while it made the tree: the files go back to where they were."""
        tree = self.folder / TREE
        for file in files if tree.is_dir() else ():
            place, staged = tree / file.path, self.folder / StagedFile(self.folder, self._source, file).key
            if place.is_file() and not staged.exists() and (self.folder / f"{staged.name}.ok").exists():
                place.rename(staged)
        _remove(tree)


def start_writing(descriptor: int, block: int, count: int) -> None:
    """Let the disk begin with these blocks, so that little is left to wait for at the end.

    Linux writes what is "not needed" and dirty, and keeps it in memory while it is.
    """
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError):
            os.posix_fadvise(descriptor, block * BLOCK, count * BLOCK, os.POSIX_FADV_DONTNEED)


def _write_all(descriptor: int, data: memoryview, offset: int) -> None:
    while data:
        written = os.pwrite(descriptor, data, offset)
        data, offset = data[written:], offset + written


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
