"""A model from the text of its file, on its real threads, with one user after another."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.executors.rig import WITHIN, Rig, rig

from reactor_runtime import VideoModel
from reactor_runtime.project.discovery import find_model
from reactor_runtime.session.audit import Report

_numbers = itertools.count()


@contextmanager
def written(folder: Path, source: str) -> Iterator[type[VideoModel]]:
    """The model class of a project with this one file."""
    project = folder / f"project{next(_numbers)}"
    project.mkdir()
    (project / "model.py").write_text(source, "utf-8")
    path, finders = list(sys.path), list(sys.meta_path)
    sys.modules.pop("model", None)
    try:
        yield find_model(project)
    finally:
        sys.modules.pop("model", None)
        sys.path[:], sys.meta_path[:] = path, finders


@contextmanager
def played(folder: Path, source: str) -> Iterator[Rig]:
    with written(folder, source) as cls, rig(cls) as made:
        yield made


def visit(made: Rig, prompt: str) -> Report:
    """One user, who sends a prompt and leaves."""
    session = made.begin()
    done = made.run(session)
    made.command(session, "set_prompt", prompt=prompt).result(WITHIN)
    session.media.plane.drain(WITHIN)
    session.stop()
    outcome = done.result(WITHIN)
    assert outcome.error is None
    made.end(session)
    report = made.host.audit.last
    assert report is not None
    assert not report.problem
    return report


def paths(report: Report) -> list[str]:
    return [finding.path for finding in report.findings]
