"""The audit of one model, from its first session to its last. Used on one thread at a time."""

from __future__ import annotations

import contextvars
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .compare import Comparison
from .findings import Finding
from .given import NOBODY, Client
from .own import Own
from .reading import USUAL, Bounds, Reading, Roots
from .samples import Room
from .source import Source
from .tree import Builder, Node
from .watches import Watches

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """What session `session` left behind. `left_out` objects were too many to be looked at."""

    session: int
    findings: tuple[Finding, ...] = ()
    untold: int = 0
    visited: int = 0
    left_out: int = 0
    seconds: float = 0.0
    problem: str = ""
    """Why nothing could be said; empty where it could."""
    newcomers: tuple[tuple[str, Any], ...] = ()
    """What appeared and may stay, as far as one session can tell: path and record."""

    @property
    def clean(self) -> bool:
        return not self.findings and not self.problem

    def to_json(self) -> dict[str, Any]:
        return {
            "session": self.session,
            "leaks": [finding.to_json() for finding in self.findings],
            "untold": self.untold,
            "looked_at": self.visited,
            "not_looked_at": self.left_out,
            "problem": self.problem,
        }


class Audit:
    """Compares a model after each session with what it was before the first.

    `folder` is the author's: its modules, classes and functions are looked at too. `keep` are paths that may
    change. No code of the author runs in here.
    """

    def __init__(
        self, model_class: type, folder: Path, keep: Sequence[str] = (), bounds: Bounds = USUAL
    ) -> None:
        self._own = Own(folder, model_class)
        self._reading = Reading(self._own, bounds)
        self._source = Source(self._own)
        self._watches = Watches(self._own, self._source)
        self._keep = tuple(keep)
        self._room = Room()
        self._root: Node | None = None
        self.left_out = 0

    @property
    def begun(self) -> bool:
        return self._root is not None

    def begin(self, model: object, contexts: Iterable[contextvars.Context] = ()) -> None:
        """Take the model as it is now for what it must be after every session."""
        self._reading.contexts = list(contexts) or [contextvars.copy_context()]
        self._room = Room()
        builder = Builder(self._reading, self._room, 0)
        self._root = builder.record(self._roots(model))
        self.left_out = builder.left_out
        self._watches.begin()

    def end(
        self,
        model: object,
        session: int,
        client: Client = NOBODY,
        contexts: Iterable[contextvars.Context] = (),
    ) -> Report:
        """Compare, after session `session` in which `client` was there. Raises nothing."""
        began = time.perf_counter()
        if self._root is None:
            return Report(session, problem="the model was not looked at before its first session")
        try:
            report = self._end(self._root, model, session, client, contexts)
        except Exception as error:
            # A fault of ours must not cost a session; it is told in place of the findings.
            log.exception("The leak audit of session %d failed", session)
            return Report(session, problem=f"the audit failed: {type(error).__name__}")
        return replace(report, seconds=time.perf_counter() - began)

    def _end(
        self, root: Node, model: object, session: int, client: Client, contexts: Iterable[contextvars.Context]
    ) -> Report:
        self._reading.contexts = list(contexts) or [contextvars.copy_context()]
        comparison = Comparison(self._reading, self._room, session, client, self._keeps)
        comparison.run(root, self._roots(model))
        findings = [self._located(finding) for finding in comparison.findings]
        findings += [finding for finding in self._watches.end(client) if not self._keeps(finding.path)]
        return Report(
            session,
            tuple(findings),
            comparison.untold,
            comparison.visited,
            comparison.left_out + self.left_out,
            newcomers=tuple((path, made) for path, made in comparison.newcomers if not self._keeps(path)),
        )

    def _roots(self, model: object) -> Roots:
        return Roots([("self", model), *self._own.roots()])

    def where(self, path: str) -> str:
        """The author's line that assigns what lies at `path`; empty where none is found."""
        return self._source.find(path)

    def _located(self, finding: Finding) -> Finding:
        where = self._source.find(finding.path)
        return replace(finding, where=where) if where else finding

    def _keeps(self, path: str) -> bool:
        own = path.removeprefix("self.")
        return any(_lies_at(own, kept) or _lies_at(path, kept) for kept in self._keep)


def _lies_at(path: str, kept: str) -> bool:
    kept = kept.removeprefix("self.")
    return path == kept or path.startswith((f"{kept}.", f"{kept}[", f"{kept}("))
