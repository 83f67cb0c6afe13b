"""Bringing what is missing: several ranges at once, each again where it broke off, checksums on the way."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from reactor_runtime.errors import WeightsError

from .progress import Progress
from .remote import DamagedError, Remote, RemoteFile, TransientError
from .staging import BLOCK, StagedFile, start_writing

WORKERS = max(4, min(2 * (os.cpu_count() or 1), 8))
"""Ranges that are asked for at once; more than processors can follow would stand in each other's way."""
RETRIES = 8
"""How often a range is asked for again without a byte of it coming."""
JOIN_S = 5.0
"""How long the end waits for a worker; it may be inside a read that nobody can interrupt."""
POLL_S = 0.5


@dataclass(frozen=True)
class Pace:
    """How much is asked for at once, and how long is waited before it is asked for again."""

    range_blocks: int = 8
    """Blocks of one range. Larger ones would let the checksum, which goes from the front, lag behind."""
    first_pause: float = 0.25
    """Seconds; twice as long each time."""
    longest_pause: float = 15.0


USUAL = Pace()


@dataclass(frozen=True)
class _Task:
    """Blocks `first` up to `last` of a file; the whole of it where `last` is None."""

    staged: StagedFile
    first: int = 0
    last: int | None = None


class Fetch:
    """One run over files that are not whole yet. Its threads end with it, or with the process."""

    def __init__(
        self, remote: Remote, files: list[StagedFile], progress: Progress, pace: Pace = USUAL
    ) -> None:
        self._pace = pace
        self._remote = remote
        self._files = [file for file in files if not file.sha256]
        self._progress = progress
        self._stop = threading.Event()
        self._errors: list[Exception] = []
        self._lock = threading.Lock()
        """Guards `_tasks` and `_errors`."""
        self._tasks = self._missing()

    def run(self) -> None:
        """Raises `WeightsError`, `RemoteChangedError`, `DamagedError` and `OSError`; what came is kept."""
        threads = [threading.Thread(target=self._guarded, args=(self._check_all,), daemon=True)]
        threads += [
            threading.Thread(target=self._guarded, args=(self._work,), daemon=True) for _ in range(WORKERS)
        ]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive() and not self._stop.is_set():
                    thread.join(POLL_S)
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(JOIN_S)
        if self._errors:
            raise self._errors[0]

    def _guarded(self, work: object) -> None:
        try:
            assert callable(work)
            work()
        except Exception as error:  # noqa: BLE001  # it is raised again in `run`
            with self._lock:
                self._errors.append(error)
            self._stop.set()

    def _missing(self) -> Iterator[_Task]:
        """Front to back, as the checksums are made."""
        for staged in self._files:
            if staged.complete:
                continue
            if not staged.file.resumable:
                yield _Task(staged)
                continue
            block = 0
            while (block := staged.have.find(0, block)) >= 0:
                end = staged.have.find(1, block)
                last = min(block + self._pace.range_blocks, end if end >= 0 else staged.count)
                yield _Task(staged, block, last)
                block = last

    def _work(self) -> None:
        buffer = bytearray(BLOCK)
        while not self._stop.is_set():
            with self._lock:
                task = next(self._tasks, None)
            if task is None:
                return
            _Attempts(self._remote, task, self._progress, self._stop, buffer, self._pace).run()

    def _check_all(self) -> None:
        for staged in self._files:
            if self._stop.is_set():
                return
            sha256 = self._checksum(staged)
            if sha256:
                staged.mark_checked(sha256)
                self._progress.file_done(staged.file.path, staged.size or 0)

    def _checksum(self, staged: StagedFile) -> str:
        """Of the whole, made while it comes; empty where the run ends before."""
        pace, sha256 = self._pace, hashlib.sha256()
        git: hashlib._Hash | None = None
        if staged.file.git_sha1:
            git = hashlib.sha1(b"blob %d\0" % (staged.size or 0), usedforsecurity=False)
        with contextlib.ExitStack() as stack:
            stream = None
            block = 0
            data = memoryview(
                bytearray(BLOCK)
            )  # one for all: new memory for each would cost more than reading
            while True:
                if not self._wait(staged, block):
                    return ""
                if block >= staged.count:
                    break
                stream = stream or stack.enter_context(staged.place.open("rb", buffering=0))
                start, end = staged.span(block)
                size = stream.readinto(data[: end - start])
                sha256.update(data[:size])
                if git is not None:
                    git.update(data[:size])
                block += 1
                if block % pace.range_blocks == 0:
                    start_writing(stream.fileno(), block - pace.range_blocks, pace.range_blocks)
        _compare(staged, sha256.hexdigest(), git.hexdigest() if git is not None else "")
        return sha256.hexdigest()

    def _wait(self, staged: StagedFile, block: int) -> bool:
        """Until `block` is there, or the whole; False where the run ends before."""
        with staged.changed:
            while not self._stop.is_set():
                if staged.complete or (staged.file.resumable and block < staged.count and staged.have[block]):
                    return True
                staged.changed.wait(POLL_S)
        return False


class _Attempts:
    """One task, asked for again where the connection breaks off, from the byte where it did."""

    def __init__(
        self,
        remote: Remote,
        task: _Task,
        progress: Progress,
        stop: threading.Event,
        buffer: bytearray,
        pace: Pace,
    ) -> None:
        self._pace = pace
        self._remote = remote
        self._task = task
        self._progress = progress
        self._stop = stop
        self._buffer = buffer
        self._block = task.first
        self._filled = 0
        self._came = 0
        """Bytes of the present attempt."""

    def run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            self._came = 0
            try:
                if self._task.last is None:
                    self._stream()
                else:
                    self._ranges(self._task.last)
                return
            except TransientError as error:
                failures = 0 if self._came and self._task.last is not None else failures + 1
                if failures > RETRIES:
                    raise WeightsError(_given_up(self._task.staged.file, error)) from None
                self._pause(failures, error)

    def _pause(self, failures: int, error: TransientError) -> None:
        longest = min(self._pace.first_pause * 2**failures, self._pace.longest_pause)
        self._stop.wait(max(error.retry_after, longest * (0.5 + random.random() / 2)))

    def _ranges(self, last: int) -> None:
        staged = self._task.staged
        start = staged.span(self._block)[0] + self._filled
        end = staged.span(last - 1)[1]
        with contextlib.closing(self._remote.read(staged.file, start, end)) as pieces:
            for piece in pieces:
                if self._stop.is_set():
                    return
                self._take(memoryview(piece))
        if self._block < last:
            raise TransientError(f"{staged.file.path} broke off.")

    def _take(self, piece: memoryview) -> None:
        staged = self._task.staged
        self._came += len(piece)
        self._progress.advance(staged.file.path, len(piece))
        while piece:
            start, end = staged.span(self._block)
            room = end - start - self._filled
            part = piece[:room]
            self._buffer[self._filled : self._filled + len(part)] = part
            self._filled += len(part)
            piece = piece[len(part) :]
            if self._filled == end - start:
                staged.write(self._block, memoryview(self._buffer)[: self._filled])
                self._block, self._filled = self._block + 1, 0

    def _stream(self) -> None:
        """The whole in one piece, from its start: nothing of an attempt before can be used."""
        staged = self._task.staged
        written = 0
        try:
            with (
                staged.place.open("wb") as file,
                contextlib.closing(self._remote.read(staged.file, 0, None)) as pieces,
            ):
                for piece in pieces:
                    if self._stop.is_set():
                        return
                    file.write(piece)
                    written += len(piece)
                    self._came += len(piece)
                    self._progress.advance(staged.file.path, len(piece))
            if staged.file.size not in (None, written):
                raise TransientError(f"{staged.file.path} broke off.")
        except TransientError:
            self._progress.advance(staged.file.path, -written)
            raise
        staged.write_stream_end(written)


def _compare(staged: StagedFile, sha256: str, git_sha1: str) -> None:
    wanted = staged.file
    if wanted.sha256 in ("", sha256) and wanted.git_sha1 in ("", git_sha1):
        return
    staged.drop()
    raise DamagedError(
        f"{wanted.path} arrived with another checksum than its place says "
        f"({(wanted.sha256 or wanted.git_sha1)[:12]}…, not {(sha256 if wanted.sha256 else git_sha1)[:12]}…). "
        "It was thrown away; if it happens again, tell whoever offers it."
    )


def _given_up(file: RemoteFile, error: TransientError) -> str:
    return (
        f"{file.path} could not be fetched: {error.message} It was tried {RETRIES + 1} times. What "
        f"has arrived is "
        "kept; run the same command again to go on."
    )
