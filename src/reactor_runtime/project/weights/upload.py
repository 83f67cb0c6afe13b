"""Putting a folder into a bucket: what is there is skipped, the manifest that makes it whole comes last."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reactor_runtime.errors import WeightsError

from .bucket import Bucket, translated
from .local import files_below
from .manifest import Entry, Manifest
from .names import REMOTE_MANIFEST, check_name, check_tree
from .progress import Progress
from .source import BUCKETS, Source
from .verify import file_digest

CHECKSUM = "reactor-sha256"
"""What an object carries, so that an upload that was killed goes on where it was."""

WORKERS = 4
PART_BYTES = 8 * 2**20
PARTS_AT_ONCE = 2
PIECE = 2**20


@dataclass(frozen=True)
class Uploaded:
    sent: int
    skipped: int
    size: int
    """Bytes that were sent."""


def files_to_upload(name: str, folder: Path) -> dict[str, int]:
    """What would be sent, with sizes. Raises `WeightsError`."""
    check_name(name)
    if not folder.is_dir():
        raise WeightsError(f"{folder} is no folder; name the one that holds the weights.")
    try:
        found = {path: (folder / path).stat().st_size for path in files_below(folder)}
    except OSError as error:
        raise WeightsError(f"{error.filename or folder} cannot be read: {error.strerror}.") from None
    found.pop(REMOTE_MANIFEST, None)
    check_tree(found, str(folder))
    return found


def check_target(source: Source) -> None:
    """Raises `WeightsError`."""
    if source.scheme not in BUCKETS:
        raise WeightsError(
            f"{source.shown} takes no uploads; name a bucket: s3://bucket/prefix, gs://… or az://…."
        )


def upload(name: str, folder: Path, source: Source, progress: Progress) -> Uploaded:
    """Raises `WeightsError`; what was sent stays, and is skipped the next time."""
    check_target(source)
    sizes = files_to_upload(name, folder)
    return _Upload(name, folder, source, progress).run(sizes)


class _Upload:
    def __init__(self, name: str, folder: Path, source: Source, progress: Progress) -> None:
        self._name = name
        self._folder = folder
        self._source = source
        self._progress = progress
        self._bucket = Bucket(source)
        self._store: Any = self._bucket.store
        self._stop = threading.Event()

    def run(self, sizes: dict[str, int]) -> Uploaded:
        pool = ThreadPoolExecutor(WORKERS)
        try:
            return self._run(pool, sizes)
        finally:
            self._stop.set()
            pool.shutdown(cancel_futures=True)

    def _run(self, pool: ThreadPoolExecutor, sizes: dict[str, int]) -> Uploaded:
        self._progress.say("Reading the files for their checksums.")
        entries = self._entries(pool, sizes)
        manifest = Manifest(self._name, _revision(entries), entries)
        there = {meta["path"]: meta["size"] for meta in self._bucket.objects()}
        found = pool.map(lambda path: self._is_there(path, entries[path], there), entries)
        missing = [path for path, is_there in zip(entries, found, strict=True) if not is_there]
        if missing or not self._is_finished(manifest):
            self._send(pool, manifest, missing)
        return Uploaded(len(missing), len(entries) - len(missing), sum(sizes[path] for path in missing))

    def _entries(self, pool: ThreadPoolExecutor, sizes: dict[str, int]) -> dict[str, Entry]:
        digests = pool.map(lambda path: file_digest(self._folder / path), sizes)
        entries = {path: Entry(sizes[path], digest) for path, digest in zip(sizes, digests, strict=True)}
        unread = next((path for path, entry in entries.items() if not entry.sha256), None)
        if unread is not None:
            raise WeightsError(f"{self._folder / unread} cannot be read; look at its rights.")
        return entries

    def _send(self, pool: ThreadPoolExecutor, manifest: Manifest, missing: list[str]) -> None:
        # Until the end it says that it is not whole, so that nobody takes old and new files together.
        self._put_manifest(replace(manifest, complete=False))
        total = sum(manifest.files[path].size for path in missing)
        self._progress.begin(self._name, total, 0, len(missing))
        try:
            for _ in pool.map(lambda path: self._put(path, manifest.files[path]), missing):
                pass
        finally:
            self._progress.end()
        self._put_manifest(manifest)

    def _is_there(self, path: str, entry: Entry, there: dict[str, int]) -> bool:
        import obstore

        address = self._bucket.address(path)
        if there.get(address) != entry.size:
            return False
        with translated(self._source, path):
            found = obstore.get(self._store, address, options={"head": True})
            return found.attributes.get(CHECKSUM) == entry.sha256

    def _is_finished(self, manifest: Manifest) -> bool:
        try:
            there = self._bucket.manifest()
        except WeightsError:
            return False  # whatever it is, ours takes its place
        return there is not None and there.complete and there.files == manifest.files

    def _put(self, path: str, entry: Entry) -> None:
        import obstore

        pieces = self._pieces(path, entry)
        data: Any = pieces if entry.size > PART_BYTES else b"".join(pieces)
        with translated(self._source, path):
            obstore.put(
                self._store,
                self._bucket.address(path),
                data,
                attributes={CHECKSUM: entry.sha256},
                use_multipart=entry.size > PART_BYTES,
                chunk_size=max(PART_BYTES, -(-entry.size // 9_000)),
                max_concurrency=PARTS_AT_ONCE,
            )
        self._progress.file_done(path, entry.size)

    def _pieces(self, path: str, entry: Entry) -> Iterator[bytes]:
        """Of the file, which must still be what the manifest says; else the object never appears."""
        told = hashlib.sha256()
        with (self._folder / path).open("rb") as stream:
            while piece := stream.read(PIECE):
                if self._stop.is_set():
                    raise WeightsError("The upload was stopped.")
                told.update(piece)
                self._progress.advance(path, len(piece))
                yield piece
        if told.hexdigest() != entry.sha256:
            raise WeightsError(
                f"{self._folder / path} has changed while it was sent; run the same command again."
            )

    def _put_manifest(self, manifest: Manifest) -> None:
        import obstore

        with translated(self._source, REMOTE_MANIFEST):
            obstore.put(self._store, self._bucket.address(REMOTE_MANIFEST), manifest.text().encode())


def _revision(entries: dict[str, Entry]) -> str:
    told = hashlib.sha256()
    for path, entry in sorted(entries.items()):
        told.update(f"{path}\0{entry.size}\0{entry.sha256}\n".encode())
    return told.hexdigest()[:16]
