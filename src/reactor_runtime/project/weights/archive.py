"""Unpacking archives that anybody may have made: plain files only, inside the folder, no more than fits.

Links, devices and names that leave the folder are refused, not skipped: a half of an archive is not what
its maker meant. What comes out is bounded by the archive's size and by the disk.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from reactor_runtime.errors import WeightsError

from .disk import check_space
from .names import MAX_FILES, check_tree, safe_path

EXPANSION = 100
"""How many times its size an archive may have inside; weights hardly shrink."""
ALWAYS_ALLOWED = 64 * 2**20
"""Bytes that any archive may have inside."""
MAX_HEADER_BYTES = 2**20
"""What a tar may make us read at once: its headers say themselves how long they are."""

_COPY = 2**20

_OPENERS: dict[str, Callable[..., Any]] = {
    ".tar": open,
    ".tar.gz": gzip.GzipFile,
    ".tgz": gzip.GzipFile,
    ".tar.bz2": bz2.BZ2File,
    ".tar.xz": lzma.LZMAFile,
}


def is_archive(name: str) -> bool:
    return name.lower().endswith((".zip", *_OPENERS))


def unpack(archive: Path, name: str, into: Path, where: str) -> None:
    """Into the empty folder `into`. Raises `WeightsError`, which names `where`, and `OSError`."""
    try:
        if name.lower().endswith(".zip"):
            _Unpacking(archive, into, where).zip()
        else:
            ending = next(each for each in _OPENERS if name.lower().endswith(each))
            _Unpacking(archive, into, where).tar(_OPENERS[ending])
    # RuntimeError is how zipfile says that a password is needed.
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        RuntimeError,
        ValueError,
    ):
        raise WeightsError(f"{where} is damaged, or no archive of its kind; ask whoever made it.") from None
    except NotImplementedError:
        raise WeightsError(
            f"{where} is packed in a way that cannot be read here; pack it as .tar.gz."
        ) from None
    except OSError as error:
        if error.errno is None:  # gzip.BadGzipFile, bz2's "Invalid data stream"
            raise WeightsError(
                f"{where} is damaged, or no archive of its kind; ask whoever made it."
            ) from None
        raise


class _Unpacking:
    def __init__(self, archive: Path, into: Path, where: str) -> None:
        self._archive = archive
        self._into = into
        self._where = where
        self._limit = max(archive.stat().st_size * EXPANSION, ALWAYS_ALLOWED)
        self._written = 0
        self._paths: list[str] = []

    def zip(self) -> None:
        with zipfile.ZipFile(self._archive) as packed:
            members = packed.infolist()
            check_space(
                self._into, min(sum(member.file_size for member in members), self._limit), self._where
            )
            for member in members:
                kind = stat.S_IFMT(member.external_attr >> 16)
                if member.is_dir():
                    safe_path(member.filename.rstrip("/"), self._where)
                    continue
                if kind not in (0, stat.S_IFREG):
                    raise self._no_file(member.filename)
                with packed.open(member) as stream:
                    self._write(member.filename, stream)
        check_tree(self._paths, self._where)

    def tar(self, opener: Callable[..., Any]) -> None:
        with opener(self._archive, "rb") as raw, tarfile.TarFile(fileobj=_Bounded(raw, self)) as packed:
            for member in packed:
                packed.members = []  # type: ignore[attr-defined]  # it would remember every one of them
                name = member.name.removeprefix("./")
                if member.isdir():
                    if name.rstrip("/") not in ("", "."):
                        safe_path(name.rstrip("/"), self._where)
                    continue
                # What is sparse says a size of its own that costs its maker nothing.
                if not member.isreg() or member.issparse():
                    raise self._no_file(member.name)
                stream = packed.extractfile(member)
                assert stream is not None  # it is a regular file
                self._write(name, stream)
        check_tree(self._paths, self._where)

    def too_large(self) -> WeightsError:
        return WeightsError(
            f"{self._where} has more than {EXPANSION} times its own size inside; that is no archive "
            f"of weights. "
            "Nothing of it was put in place."
        )

    @property
    def limit(self) -> int:
        return self._limit

    def _write(self, name: str, stream: IO[bytes]) -> None:
        path = safe_path(name, self._where)
        self._paths.append(path)
        if len(self._paths) > MAX_FILES:
            raise WeightsError(f"{self._where} holds more than {MAX_FILES} files; weights have fewer.")
        place = self._into / path
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            # "x": the folder is ours and holds no links, so a name that is taken was in the archive before.
            with place.open("xb") as file:
                self._copy(stream, file)
                file.flush()
                os.fsync(file.fileno())
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise WeightsError(f"{self._where} holds {path!r} twice, or as a file and a folder.") from None

    def _copy(self, stream: IO[bytes], file: IO[bytes]) -> None:
        while piece := stream.read(_COPY):
            self._written += len(piece)
            if self._written > self._limit:
                raise self.too_large()
            file.write(piece)

    def _no_file(self, name: str) -> WeightsError:
        return WeightsError(
            f"{self._where} holds {name!r}, which is a link or no plain file; weights are plain "
            f"files. Nothing of "
            "it was put in place; ask whoever made it for a clean one."
        )


class _Bounded:
    """A tar's bytes, unpacked: no read is larger than a header may be, none of them beyond the limit."""

    def __init__(self, raw: IO[bytes], owner: _Unpacking) -> None:
        self._raw = raw
        self._owner = owner

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= max(MAX_HEADER_BYTES, _COPY):
            raise tarfile.ReadError("a header that is larger than headers are")
        self._check(self._raw.tell() + size)
        return self._raw.read(size)

    def tell(self) -> int:
        return self._raw.tell()

    def seek(self, position: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_SET:
            self._check(position)
        return self._raw.seek(position, whence)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def _check(self, position: int) -> None:
        # Headers are a small part of any archive of weights, and an empty file has one too.
        if position > 2 * self._owner.limit + ALWAYS_ALLOWED:
            raise self._owner.too_large()
