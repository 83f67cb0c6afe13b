"""What the sessions of several processes say about a model: it leaks, it is clean, or nobody can tell."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reactor_runtime.clock import WALL
from reactor_runtime.project import environment

from .differences import Noise, distance, first_difference, marked
from .users import MARKS

DEADLINE_S = 85.0
"""All processes together."""
ALONE_FIRST, OTHER_FIRST = "BAB", "ABA"
NOISE_RUNS = 2
"""Further runs of a user who is alone, where what was shown differs."""


@dataclass(frozen=True)
class Leak:
    """One thing that a user is left. `line` is what a terminal shows."""

    path: str
    before: str
    now: str
    where: str
    sentence: str

    @property
    def line(self) -> str:
        return f"leak: {self.sentence}"

    def to_json(self) -> dict[str, Any]:
        return {"path": self.path, "before": self.before, "now": self.now, "where": self.where}


@dataclass
class Verdict:
    """`reason` says why nobody can tell; a leak is told all the same."""

    model: str = ""
    leaks: list[Leak] = field(default_factory=list)
    reason: str = ""
    notes: list[str] = field(default_factory=list)
    tried: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def status(self) -> int:
        """0 clean, 1 it leaks, 2 nobody can tell."""
        if self.leaks:
            return 1
        return 2 if self.reason else 0


@dataclass(frozen=True)
class Order:
    """Where the model is and how it is configured."""

    path: Path
    config: Path | None = None
    overrides: Sequence[str] = ()
    weights: Path | None = None
    seed: int = 0
    target: str | None = None
    """A file or a class of the project; see `load_project`."""


class ProblemError(Exception):
    """A process could not play its plan."""


def judge(order: Order, strict: bool = False, deadline: float = DEADLINE_S) -> Verdict:
    """Play two users in both orders and compare. With `strict` what is new after a session leaks too."""
    began = WALL.time()
    verdict = Verdict()
    try:
        _judge(verdict, order, strict, began + deadline)
    except ProblemError as problem:
        verdict.reason = str(problem)
    verdict.seconds = round(WALL.time() - began, 2)
    return verdict


def _judge(verdict: Verdict, order: Order, strict: bool, deadline: float) -> None:
    one = _play(order, ALONE_FIRST, deadline, verdict)
    two = _play(order, OTHER_FIRST, deadline, verdict)
    for session in [*one, *two]:
        _take_report(verdict, session)
    pairs = [(one[0], two[1], "A"), (two[0], one[1], "B"), (one[0], one[2], "A")]
    for _, after, other in pairs:
        _take_marks(verdict, after, other)
    differing = [(alone, after) for alone, after, _ in pairs if first_difference(alone, after) is not None]
    newcomers = _differing_newcomers(one[0], two[0])
    if strict:
        for session in (one[0], two[0]):
            verdict.leaks += [
                _new(path, session["where"][path])
                for path in session["newcomers"]
                if not _told(verdict, path)
            ]
    if differing or newcomers:
        alone = [one[0]] + [_play(order, "B", deadline, verdict)[0] for _ in range(NOISE_RUNS)]
        _take_newcomers(verdict, newcomers, alone)
        _take_differences(verdict, differing, alone, distance(one[0], two[0]))
    _take_failures(verdict, one, two)


def _take_report(verdict: Verdict, session: dict[str, Any]) -> None:
    report = session["report"]
    if report is None:
        return
    for leak in report["leaks"]:
        if not _told(verdict, leak["path"]):
            verdict.leaks.append(
                Leak(leak["path"], leak["before"], leak["now"], leak["where"], leak["sentence"])
            )
    if report["not_looked_at"]:
        note = f"{report['not_looked_at']} objects were too many to be looked at."
        if note not in verdict.notes:
            verdict.notes.append(note)


def _take_marks(verdict: Verdict, after: dict[str, Any], other: str) -> None:
    """Nothing that `other` said may be said to the user after them."""
    found = marked(after, MARKS[other])
    if found is not None and not _told(verdict, "messages"):
        advice = "The model sends one user's words to the next: find where it keeps them."
        verdict.leaks.append(_leak("messages", "without another user's words", f"{found!r:.120}", advice))


def _differing_newcomers(one: dict[str, Any], two: dict[str, Any]) -> list[str]:
    """What is new after the first session, and other after another first user."""
    return [
        path
        for path, digest in one["newcomers"].items()
        if path in two["newcomers"] and two["newcomers"][path] != digest
    ]


def _take_newcomers(verdict: Verdict, paths: list[str], alone: list[dict[str, Any]]) -> None:
    for path in paths:
        if len({run["newcomers"].get(path) for run in alone}) == 1 and not _told(verdict, path):
            advice = (
                f'It stays for all who follow. Set it back in reset(), or: @model(keep=["{_kept(path)}"]).'
            )
            now = "made of what the first user gave"
            verdict.leaks.append(_leak(path, _NOT_THERE, now, advice, alone[0]["where"][path]))


def _take_differences(
    verdict: Verdict,
    differing: list[tuple[dict[str, Any], dict[str, Any]]],
    alone: list[dict[str, Any]],
    between_users: float,
) -> None:
    noise = Noise.of(alone)
    for first, after in differing:
        found = first_difference(first, after, noise.ignored)
        if found is None:
            continue
        what, before, now = found
        if noise.covers(first, after, what):
            verdict.notes.append(f"{what}: what differs is within what the model itself varies by.")
        elif noise.hides(between_users) and what != "messages":
            verdict.reason = (
                "not deterministic: the same user sees other frames in each run, as much as other users do. "
                "Give the model a seed of its own, or take what it draws from the generators of random, "
                "numpy and torch, which are seeded for each session"
            )
        elif not _told(verdict, what):
            advice = (
                "What a user sees depends on who was there before; see the other lines, if there are any."
            )
            verdict.leaks.append(_leak(what, before, now, advice))


def _take_failures(verdict: Verdict, one: list[dict[str, Any]], two: list[dict[str, Any]]) -> None:
    alone = {session["user"]: session["error"] for session in (two[0], one[0])}
    for session in [*one[1:], *two[1:]]:
        if session["error"] and not alone[session["user"]] and not _told(verdict, "start_session()"):
            verdict.leaks.append(
                _leak(
                    "start_session()",
                    "well for a user who is alone",
                    f"failing after another ({session['error']})",
                )
            )
    failed = alone["B"] or alone["A"]
    if failed and not any(session["frames"] or session["messages"] for session in one):
        verdict.reason = verdict.reason or f"start_session() failed: {failed}"
    elif failed:
        verdict.notes.append(f"start_session() failed for a user who is alone too: {failed}.")
    if not any(session["frames"] or session["messages"] for session in one) and not verdict.leaks:
        verdict.reason = verdict.reason or "the model showed nothing and said nothing"
    refused = sorted({each for session in (one[0], two[0]) for each in session["refused"]})
    if refused:
        verdict.notes.append(f"Commands that were refused: {', '.join(refused)}.")
    if not all(session["held"] for session in [*one, *two]):
        verdict.notes.append("Some commands were not answered while the model was held.")


def _new(path: str, where: str) -> Leak:
    advice = f'Make it in __init__, set it back in reset(), or: @model(keep=["{_kept(path)}"]).'
    return _leak(path, _NOT_THERE, "there", advice, where)


def _kept(path: str) -> str:
    return path.removeprefix("self.")


_NOT_THERE = "not there before the first session"


def _leak(path: str, before: str, now: str, advice: str = "", where: str = "") -> Leak:
    place = f" ({where})" if where else ""
    return Leak(path, before, now, where, f"{path} was {before} and is {now} now{place}. {advice}".rstrip())


def _told(verdict: Verdict, path: str) -> bool:
    return any(leak.path == path for leak in verdict.leaks)


def _play(order: Order, plan: str, deadline: float, verdict: Verdict) -> list[dict[str, Any]]:
    """The sessions of one plan, in a process of its own. Raises `ProblemError`."""
    left = deadline - WALL.time()
    if left <= 0:
        raise ProblemError("it takes too long: the time was over before every order was played")
    with tempfile.TemporaryDirectory(prefix="reactor-test-") as folder:
        result = Path(folder) / "result.json"
        sent = {
            "path": str(order.path),
            "config": None if order.config is None else str(order.config),
            "overrides": list(order.overrides),
            "weights": None if order.weights is None else str(order.weights),
            "target": order.target,
            "plan": plan,
            "seed": order.seed,
            "result": str(result),
        }
        said = _run(json.dumps(sent), left, Path(folder) / "log.txt")
        try:
            outcome = json.loads(result.read_text("utf-8"))
        except (OSError, ValueError):
            raise ProblemError(f"the model's process ended on its own{said}") from None
    if "problem" in outcome:
        raise ProblemError(" ".join(f"{outcome['problem']}: {outcome['words']}".split()))
    verdict.model = outcome["model"]
    sessions: list[dict[str, Any]] = outcome["sessions"]
    verdict.tried.append({"plan": plan, "sessions": [_summary(session) for session in sessions]})
    return sessions


def _run(order: str, seconds: float, log: Path) -> str:
    """Run a child to its end, with all that it starts; returns the end of what it said."""
    command = [sys.executable, "-m", "reactor_runtime.leaks.child"]
    variables = {**environment.inherited(), "PYTHONHASHSEED": "0"}
    # Not a pipe: what an author's code has started there would hold it open.
    with log.open("wb") as said:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            env=variables,
            start_new_session=True,
        )
        try:
            process.communicate(order.encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            raise ProblemError(f"it takes too long: {seconds:.0f} s were not enough for one order") from None
        finally:
            _end(process)
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return f" (status {process.returncode}){f': {lines[-1]}' if lines else ''}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Also what an author's code has started there."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _summary(session: dict[str, Any]) -> dict[str, Any]:
    return {
        "user": session["user"],
        "steps": session["steps"],
        "seconds": session["seconds"],
        "frames": {name: len(frames) for name, frames in session["frames"].items()},
        "messages": len(session["messages"]),
        "error": session["error"],
        "leaks": [] if session["report"] is None else session["report"]["leaks"],
    }
