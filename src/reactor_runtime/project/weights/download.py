"""Filling the cache: one name from one source, whole, verified, once."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path

from reactor_runtime.errors import WeightsError
from reactor_runtime.project import environment

from .archive import unpack
from .disk import check_space, told_when_full
from .fetch import USUAL, Fetch, Pace
from .lock import locked
from .manifest import Entry, Manifest, read_manifest, write_manifest
from .names import MANIFEST, PARTIAL, check_name, check_tree
from .opening import open_remote
from .place import put_in_place
from .progress import Progress
from .remote import DamagedError, Listing, Remote, RemoteChangedError, TransientError
from .source import Source
from .staging import StagedFile, Staging
from .verify import file_digest, same_sizes

ATTEMPTS = 4
"""How often it begins again when the remote changes meanwhile, or a file arrives damaged."""


@dataclass(frozen=True)
class Order:
    """What is wanted. `declared` is the source that the project names, where another was given;
    `project` the folder that asks."""

    name: str
    source: Source
    declared: Source | None = None
    project: Path | None = None
    offline: bool = False
    repair: bool = False
    """Read what is there and fetch what is not as it was."""

    @property
    def sources(self) -> tuple[str, ...]:
        both = (self.source.shown, *([self.declared.shown] if self.declared is not None else ()))
        return tuple(dict.fromkeys(both))


@dataclass(frozen=True)
class Outcome:
    folder: Path
    manifest: Manifest
    fetched: bool
    """False where all of it was there."""


def download(order: Order, root: Path, progress: Progress, pace: Pace = USUAL) -> Outcome:
    """Raises `WeightsError`; what has arrived is kept for the next time."""
    check_name(order.name)
    with (
        told_when_full(root, order.name),
        locked(root, order.name, waiting=lambda: progress.say(_waiting(order.name))),
    ):
        return _Download(order, root, progress, pace).run()


class _Download:
    def __init__(self, order: Order, root: Path, progress: Progress, pace: Pace) -> None:
        self._pace = pace
        self._order = order
        self._folder = root / order.name
        self._root = root
        self._progress = progress
        self._staging = Staging(root / f"{order.name}{PARTIAL}", order.source.shown)
        self._present = read_manifest(self._folder)

    def run(self) -> Outcome:
        if self._folder.is_symlink() or (self._folder.exists() and self._present is None):
            raise WeightsError(
                f"{self._folder} is there already, and was not made by `reactor download`; move it "
                f"away, or name "
                "another folder with --weights-dir."
            )
        if self._order.source.is_remote and (self._order.offline or environment.hub_is_offline()):
            return self._offline()
        remote = open_remote(self._order.source)
        for attempt in range(ATTEMPTS):
            try:
                return self._once(remote)
            except (RemoteChangedError, DamagedError) as error:
                if attempt + 1 == ATTEMPTS:
                    raise WeightsError(f"{error.message} Run the same command again later.") from None
                self._progress.say(f"{error.message} Beginning again.")
        raise AssertionError  # the loop returns or raises

    def _once(self, remote: Remote) -> Outcome:
        listing = self._listed(remote)
        if self._is_present(listing):
            assert self._present is not None  # `_is_present` has looked
            return Outcome(self._folder, self._remembered(self._present), fetched=False)
        staged = self._staging.open(listing.files, self._about())
        self._reuse(staged)
        self._fetch(remote, staged, listing)
        if not listing.pinned and self._listed(remote).files != listing.files:
            raise RemoteChangedError(f"{self._order.source.shown} has changed while it was fetched.")
        manifest = self._put(staged, listing)
        return Outcome(self._folder, manifest, fetched=True)

    def _listed(self, remote: Remote) -> Listing:
        where = self._order.source.shown
        try:
            listing = remote.listing()
        except TransientError as error:
            hint = (
                " What is there is whole; --offline takes it as it is." if self._present is not None else ""
            )
            raise WeightsError(f"{error.message} Try again later.{hint}") from None
        inside = Path(os.path.abspath(self._root))
        files = tuple(
            each for each in listing.files if not _lies_in(each.address, inside, self._order.source)
        )
        check_tree((each.path for each in files), where)
        return replace(listing, files=files)

    def _is_present(self, listing: Listing) -> bool:
        present = self._present
        if present is None or present.revision != listing.revision:
            return False
        if not set(present.sources) & set(self._order.sources):
            return False
        if not all(each.identity for each in listing.files):
            return False  # the place does not say whether it has changed
        if not listing.archive and {each.path for each in listing.files} != set(present.files):
            return False
        if not same_sizes(self._folder, present):
            return False
        return not self._order.repair or all(
            file_digest(self._folder / path) == entry.sha256 for path, entry in present.files.items()
        )

    def _fetch(self, remote: Remote, staged: list[StagedFile], listing: Listing) -> None:
        sizes = [each.size for each in staged]
        total = None if None in sizes else sum(size or 0 for size in sizes)
        there = sum(each.bytes_there for each in staged)
        # What is there of a file has its room already, unless the file is full of holes.
        taken = sum(each.place.stat().st_blocks * 512 for each in staged if not each.sha256)
        whole = sum(each.size or 0 for each in staged if each.sha256)
        check_space(self._root, max((total or 0) - whole - taken, 0), self._order.name)
        self._progress.begin(self._order.name, total, there, len(staged))
        try:
            Fetch(remote, staged, self._progress, self._pace).run()
        finally:
            self._progress.end()

    def _reuse(self, staged: list[StagedFile]) -> None:
        """Files of the version that is there and have not changed need not come again."""
        present = self._present
        for each in staged if present is not None else ():
            assert present is not None
            entry = present.files.get(each.file.path)
            known = each.file.sha256 or present.identities.get(each.file.path) == each.file.identity
            if each.sha256 or entry is None or not known or each.file.sha256 not in ("", entry.sha256):
                continue
            old = self._folder / each.file.path
            if entry.size != each.file.size or file_digest(old) != entry.sha256:
                continue
            each.drop()
            try:
                os.link(old, each.place)
            except OSError:
                shutil.copyfile(old, each.place)
            each.complete = True
            each.mark_checked(entry.sha256)

    def _put(self, staged: list[StagedFile], listing: Listing) -> Manifest:
        tree = self._staging.tree()
        if listing.archive:
            unpack(staged[0].place, staged[0].file.path, tree, self._order.source.shown)
            files = _entries_below(tree)
        else:
            self._staging.move_into(tree, staged)
            files = {each.file.path: Entry(each.size or 0, each.sha256) for each in staged}
        manifest = Manifest(
            name=self._order.name,
            revision=listing.revision,
            files=files,
            sources=self._order.sources,
            projects=self._projects(),
            identities={} if listing.archive else {each.file.path: each.file.identity for each in staged},
        )
        write_manifest(tree, manifest)
        put_in_place(tree, self._folder)
        self._staging.remove()
        return manifest

    def _offline(self) -> Outcome:
        present = self._present
        if present is None or not same_sizes(self._folder, present):
            raise WeightsError(
                f"{self._order.name} is not whole on this machine, and nothing is fetched while "
                f"offline: go without "
                f"--offline and HF_HUB_OFFLINE, and run `reactor download {self._order.name}`."
            )
        if not set(present.sources) & set(self._order.sources):
            raise WeightsError(
                f"{self._order.name} is here from "
                f"{present.sources[0] if present.sources else 'elsewhere'}, not from "
                f"{self._order.source.shown}, and nothing is fetched while offline."
            )
        return Outcome(self._folder, self._remembered(present), fetched=False)

    def _projects(self) -> tuple[str, ...]:
        before = self._present.projects if self._present is not None else ()
        now = (str(self._order.project),) if self._order.project is not None else ()
        return tuple(dict.fromkeys((*before, *now)))

    def _remembered(self, present: Manifest) -> Manifest:
        """With who asks now. A cache that cannot be written is used as it is."""
        sources = present.sources
        if not set(self._order.sources) <= set(sources):
            sources = tuple(dict.fromkeys((*self._order.sources, *sources)))
        new = replace(present, projects=self._projects(), sources=sources)
        if new != present:
            with contextlib.suppress(PermissionError):
                write_manifest(self._folder, new)
        return new

    def _about(self) -> str:
        return json.dumps({"source": self._order.source.shown, "projects": list(self._projects())})


def _entries_below(tree: Path) -> dict[str, Entry]:
    def files() -> Generator[Path]:
        for folder, _, names in os.walk(tree):
            yield from (Path(folder, name) for name in names)

    return {
        path.relative_to(tree).as_posix(): Entry(path.stat().st_size, file_digest(path))
        for path in sorted(files())
        if path.name != MANIFEST
    }


def _lies_in(address: str, root: Path, source: Source) -> bool:
    """Whether a local file is part of the cache itself, which may lie inside the folder that is copied."""
    return not source.is_remote and Path(address).is_relative_to(root)


def _waiting(name: str) -> str:
    return f"Another process is at {name}; waiting for it."
