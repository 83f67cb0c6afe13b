"""What a session leaves in the process, beside the model: threads, tasks, open files, children, settings."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
import sys
import threading
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from reactor_runtime.clock import WALL

from .findings import Finding
from .given import NOBODY, Client
from .own import Own
from .source import Source
from .types_of import Types, dict_getter, mro_of, vars_of

LINGER_S = 0.2
"""How long threads that were told to end may take, where some are left."""
TASKS_LIMIT = 10_000
FOREIGN_GROWTH = 2
"""Sessions in a row after which threads that a library makes are told."""


@dataclass(frozen=True)
class Left:
    """One thing, by an identity, with words for it; the author's line is looked for when it is told."""

    path: str
    now: str
    where: Callable[[], str]
    advice: str


Seen = Mapping[object, Left]
Watch = Callable[[], Seen]


class Watches:
    """Compares what is there with what was there at the last look."""

    def __init__(self, own: Own, source: Source) -> None:
        self._own = own
        self._source = source
        self._known: dict[str, set[object]] = {}
        self._watches: dict[str, Watch] = {
            "tasks": self._tasks,
            "files": self._files,
            "children": _children,
        }
        self._settings: dict[str, str] = {}
        self._foreign_threads = 0
        self._foreign_grew = 0

    def begin(self) -> None:
        """Take what is there now for what was there before the first session."""
        self._known = {name: set(watch()) for name, watch in self._watches.items()}
        self._known["threads"] = set(map(id, threading.enumerate()))
        self._settings = settings()
        self._foreign_threads = len(self._foreign())

    def end(self, client: Client = NOBODY) -> list[Finding]:
        """What is there now and was not there before; told once. `client` is whose session it was."""
        found = self._threads()
        for name, watch in self._watches.items():
            seen = watch()
            known = self._known.get(name, set())
            found += [_finding(left) for key, left in seen.items() if key not in known]
            self._known[name] = set(seen)
        return found + self._changed_settings(client)

    # --- threads ---

    def _threads(self) -> list[Finding]:
        known = self._known.get("threads", set())
        deadline = WALL.time() + LINGER_S
        for thread in self._own_threads(known):
            # It may have seen should_stop() only just now.
            thread.join(max(0.0, deadline - WALL.time()))
        left = self._own_threads(known)
        self._known["threads"] = set(map(id, threading.enumerate()))
        findings = [
            Finding(
                f"thread {thread.name!r}",
                "not there",
                "running",
                0,
                self._place_of(thread),
                "End it with its session: check get_ctx().should_stop() in it, and join it in reset().",
            )
            for thread in left
        ]
        foreign = len(self._foreign())
        self._foreign_grew = self._foreign_grew + 1 if foreign > self._foreign_threads else 0
        if self._foreign_grew >= FOREIGN_GROWTH:
            before, self._foreign_grew = self._foreign_threads, 0
            findings.append(
                Finding(
                    "threads of libraries",
                    str(before),
                    str(foreign),
                    advice="Each session adds some: make pools in __init__, or shut them down in reset().",
                )
            )
        self._foreign_threads = max(foreign, self._foreign_threads)
        return findings

    def _own_threads(self, known: set[object]) -> list[threading.Thread]:
        return [
            thread
            for thread in threading.enumerate()
            if id(thread) not in known and self._code_of(thread) is not None
        ]

    def _foreign(self) -> list[threading.Thread]:
        return [
            thread
            for thread in threading.enumerate()
            if self._code_of(thread) is None and not _is_the_servers(thread)
        ]

    def _code_of(self, thread: threading.Thread) -> types.CodeType | None:
        """The author's code that a thread runs; None for one that a library has made."""
        getter = dict_getter(type(thread))
        attributes = {} if getter is None else getter(thread)
        target = attributes.get("_target")
        candidates = [getattr(target, "__func__", target)] if type(target) in _FUNCTIONS else []
        candidates += [
            vars_of(kind).get("run") for kind in mro_of(type(thread)) if kind is not threading.Thread
        ]
        for candidate in candidates:
            if type(candidate) is types.FunctionType and self._own.holds_function(candidate):
                return candidate.__code__
        return None

    def _place_of(self, thread: threading.Thread) -> str:
        code = self._code_of(thread)
        return "" if code is None else self._source.place(code.co_filename, code.co_firstlineno)

    # --- tasks and files ---

    def _tasks(self) -> Seen:
        found: dict[object, Left] = {}
        for task in _all_tasks()[:TASKS_LIMIT]:
            coroutine = task.get_coro()
            code = getattr(coroutine, "cr_code", None)
            if task.done() or type(code) is not types.CodeType or not self._own.holds_file(code.co_filename):
                continue
            found[id(task)] = Left(
                f"asyncio task {code.co_name!r}",
                "pending",
                partial(self._source.place, code.co_filename, code.co_firstlineno),
                "Await it or cancel it before the session ends.",
            )
        return found

    def _files(self) -> Seen:
        ours = _log_files()
        return {
            key: Left(
                f"open file {name}",
                "open",
                partial(self._source.call, "open"),
                "Close it before the session ends: `with open(…)`, or in a `finally`.",
            )
            for key, name in _open_files()
            if name not in ours and not name.startswith(_INSTALLED)
        }

    # --- settings of the process ---

    def _changed_settings(self, client: Client) -> list[Finding]:
        """A variable that libraries set when they are first used may stay, unless a client is in it."""
        before, self._settings = self._settings, settings()
        return [
            Finding(
                name, *_in_words(name, before.get(name), now), advice="Set it back before the session ends."
            )
            for name, now in {**dict.fromkeys(before, "not set"), **self._settings}.items()
            if before.get(name, "not set") != now and (name in before or client.owns_text(now))
        ]


def _in_words(name: str, before: str | None, now: str) -> tuple[str, str]:
    """Variables of the environment hold secrets, which are for no log."""
    if not name.startswith("os.environ"):
        return before or "not set", now
    return ("not set", "set") if before is None else ("set", "not set" if now == "not set" else "other")


_FUNCTIONS = Types(types.FunctionType, types.MethodType)


_NO_FILES = ("/dev/", "/proc/", "/memfd:", "/sys/")
"""What looks like a file and is none of anybody's."""
_TEST_RUNNERS = "PYTEST_"
"""Variables that change while an author's own tests run."""
_INSTALLED = (sys.prefix, sys.base_prefix)
"""Packages keep files of theirs open."""
_SERVERS_THREADS = ("reactor-", "asyncio_", "AnyIO ", "grpc")
_PACKAGE = str(Path(__file__).resolve().parents[2])


def _is_the_servers(thread: threading.Thread) -> bool:
    """Threads of the runtime, which come and go with clients, and of pools that it shares."""
    target = getattr(thread, "_target", None)
    code = getattr(getattr(target, "__func__", target), "__code__", None)
    ours = type(code) is types.CodeType and code.co_filename.startswith(_PACKAGE)
    return ours or thread.name.startswith(_SERVERS_THREADS)


def _finding(left: Left) -> Finding:
    return Finding(left.path, "not there", left.now, 0, left.where(), left.advice)


def _all_tasks() -> list[Any]:
    """Every task of every loop: `all_tasks` knows only those of one."""
    found: list[Any] = []
    for name in ("_scheduled_tasks", "_all_tasks", "_eager_tasks"):
        try:
            found.extend(getattr(asyncio.tasks, name, ()))
        except RuntimeError:
            continue  # another thread's loop has added one; the next session tells it
    return found


def _open_files() -> list[tuple[object, str]]:
    """Regular files that this process has open, where the system tells (Linux)."""
    folder = Path("/proc/self/fd")
    found: list[tuple[object, str]] = []
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    for name in names:
        try:
            target = os.readlink(folder / name)
            is_file = stat.S_ISREG(os.stat(folder / name).st_mode)
        except OSError:
            continue  # closed meanwhile
        if is_file and not target.startswith(_NO_FILES):
            found.append(((name, target), target))
    return found


def _log_files() -> frozenset[str]:
    """Files of log handlers, which are opened when the first line comes."""
    handlers = [reference() for reference in list(logging._handlerList)]  # type: ignore[attr-defined]
    names = [getattr(handler, "baseFilename", None) for handler in handlers]
    return frozenset(name for name in names if type(name) is str)


def _children() -> Seen:
    found: dict[object, Left] = {}
    helper = getattr(sys.modules.get("multiprocessing.resource_tracker"), "_resource_tracker", None)
    tracker = getattr(helper, "_pid", None)
    for pid in _child_pids():
        state, name = _state_of(pid)
        if pid != tracker and state not in ("Z", "X", ""):
            found[pid] = Left(
                f"child process {pid} ({name})", "running", str, "End it with its session, in reset()."
            )
    return found


def _child_pids() -> list[int]:
    pids: list[int] = []
    try:
        for task in os.listdir("/proc/self/task"):
            pids += map(int, Path(f"/proc/self/task/{task}/children").read_text().split())
    except (OSError, ValueError):
        return pids
    return pids


def _state_of(pid: int) -> tuple[str, str]:
    try:
        name, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
        return rest.split()[0], name.partition("(")[2]
    except (OSError, IndexError):
        return "", ""


def settings() -> dict[str, str]:
    """Switches of the process and of this thread that code of a session may turn and forget."""
    found = {"the current folder": _cwd()}
    found |= {
        f"os.environ[{name!r}]": repr(value)
        for name, value in os.environ.items()
        if not name.startswith(_TEST_RUNNERS)
    }
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "is_grad_enabled"):
        found |= _torch_settings(torch)
    return found


def _torch_settings(torch: Any) -> dict[str, str]:
    from_module = getattr(getattr(torch, "nn", None), "modules", None)
    hooks = {
        f"torch.nn.modules.module.{name}": str(len(value))
        for name, value in vars(getattr(from_module, "module", types.ModuleType("none"))).items()
        if name.startswith("_global_") and name.endswith("_hooks")
    }
    return {
        "torch.is_grad_enabled()": str(torch.is_grad_enabled()),
        "torch.is_inference_mode_enabled()": str(torch.is_inference_mode_enabled()),
        "torch.is_autocast_enabled()": str(torch.is_autocast_enabled()),
        "torch.get_default_dtype()": str(torch.get_default_dtype()),
        "torch.get_num_threads()": str(torch.get_num_threads()),
        "torch.are_deterministic_algorithms_enabled()": str(torch.are_deterministic_algorithms_enabled()),
        **hooks,
    }


def _cwd() -> str:
    try:
        return repr(os.getcwd())
    except OSError:
        return "a folder that is gone"
