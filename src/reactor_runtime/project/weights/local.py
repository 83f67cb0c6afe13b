"""Weights in a folder, or an archive, of this machine."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

from reactor_runtime.errors import WeightsError

from .archive import is_archive
from .names import MANIFEST, PARTIAL, safe_path
from .remote import CHUNK, Listing, Piece, RemoteChangedError, RemoteFile, digest_of
from .source import Source


class LocalFolder:
    def __init__(self, source: Source) -> None:
        self._folder = source.folder

    def listing(self) -> Listing:
        root = self._folder
        try:
            if root.is_file():
                file = _file(root, safe_path(root.name, str(root)))
                return Listing(digest_of([file]), (file,), archive=is_archive(root.name))
            if not root.is_dir():
                raise WeightsError(f"{root} is no folder; look whether the source is written right.")
            files = tuple(_file(root / path, path) for path in files_below(root))
        except OSError as error:
            raise WeightsError(f"{error.filename or root} cannot be read: {error.strerror}.") from None
        return Listing(digest_of(files), files)

    def read(self, file: RemoteFile, start: int, end: int | None) -> Generator[Piece]:
        place = Path(file.address)
        try:
            with place.open("rb") as stream:
                if _identity(os.fstat(stream.fileno())) != file.identity:
                    raise RemoteChangedError(f"{place} has changed while it was copied.")
                stream.seek(start)
                left = (file.size or 0) - start if end is None else end - start
                while left > 0:
                    piece = stream.read(min(CHUNK, left))
                    if not piece:
                        raise RemoteChangedError(f"{place} has changed while it was copied.")
                    left -= len(piece)
                    yield piece
        except OSError as error:
            raise WeightsError(f"{place} cannot be read: {error.strerror}.") from None


def files_below(root: Path) -> list[str]:
    """Files of a folder, as paths inside it. Links to files are followed, as in a cache of a hub; those to
    folders are an error. Raises `WeightsError` and `OSError`."""

    def failed(error: OSError) -> None:
        raise error

    found: list[str] = []
    for folder, subfolders, names in os.walk(root, onerror=failed):
        subfolders[:] = sorted(name for name in subfolders if not name.endswith(PARTIAL))
        linked = next((name for name in subfolders if Path(folder, name).is_symlink()), None)
        if linked is not None:
            raise WeightsError(f"{Path(folder, linked)} is a link to a folder; put the folder itself there.")
        for name in sorted(names):
            path = Path(folder, name)
            if name.endswith(PARTIAL) or (name == MANIFEST and Path(folder) == root):
                continue
            if not path.is_file():
                raise WeightsError(f"{path} is no file that could be read; take it away.")
            found.append(safe_path(path.relative_to(root).as_posix(), str(root)))
    return found


def _file(place: Path, path: str) -> RemoteFile:
    status = place.stat()
    return RemoteFile(path, status.st_size, _identity(status), str(place))


def _identity(status: os.stat_result) -> str:
    return f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}"
