"""What a test may change in its process, seen before and after.

Tests of one worker share a process: what one leaves changed, the next one finds.
"""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

logging.getLogger("reactor_runtime")  # so that who sets its level is seen from the first test on


AUDIT_S = 30.0
"""How long the audit of a session that has ended may go on after its test."""


@dataclass(frozen=True)
class _Part:
    """One thing of the process: how it is read, and how it is put back."""

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], None]


def changed_since(before: dict[str, Any]) -> list[str]:
    """Put back what differs from `before`; returns a line for each."""
    changes = []
    for part in PARTS:
        now = part.read()
        if isinstance(now, dict) and part.name in (LEVELS, STATES):
            # A library that is imported for the first time brings loggers of its own.
            now = {name: level for name, level in now.items() if name in before[part.name]}
        if part.name == FILTERS and set(sys.modules) - before[MODULES]:
            # And it may say which of its warnings are shown, in front of what stood there.
            now = [each for each in now if each in before[part.name]]
        if now != before[part.name]:
            changes.append(f"{part.name}: {_difference(before[part.name], now)}")
            part.write(before[part.name])
    return changes


def state() -> dict[str, Any]:
    return {part.name: part.read() for part in PARTS} | {MODULES: set(sys.modules)}


@contextmanager
def put_back() -> Iterator[None]:
    """For tests whose subject is to change the process, such as a command line's log."""
    before = state()
    try:
        yield
    finally:
        changed_since(before)
        _forget_projects(before[MODULES])


def _forget_projects(before: set[str]) -> None:
    """The next project's `model` is another one."""
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if Path(file).is_relative_to(tempfile.gettempdir()):
            del sys.modules[name]


def _difference(before: Any, now: Any) -> str:
    if isinstance(before, dict) and isinstance(now, dict):
        keys = [key for key in before.keys() | now.keys() if before.get(key) != now.get(key)]
        return "; ".join(f"{key} {before.get(key)!r} -> {now.get(key)!r}" for key in sorted(keys, key=str))
    return f"{before!r} -> {now!r}"


def _levels() -> dict[str, int]:
    loggers = logging.root.manager.loggerDict.items()
    return {"": logging.root.level} | {
        name: logger.level for name, logger in loggers if isinstance(logger, logging.Logger)
    }


def _set_levels(levels: dict[str, int]) -> None:
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def _states() -> dict[str, tuple[bool, bool, list[Any]]]:
    """Whether a logger is on, speaks to the root, and what stands before it."""
    loggers = logging.root.manager.loggerDict.items()
    return {
        name: (logger.disabled, logger.propagate, list(logger.filters))
        for name, logger in loggers
        if isinstance(logger, logging.Logger)
    }


def _set_states(states: dict[str, tuple[bool, bool, list[Any]]]) -> None:
    for name, (disabled, propagate, filters) in states.items():
        logger = logging.getLogger(name)
        logger.disabled, logger.propagate, logger.filters = disabled, propagate, filters


def _handlers() -> list[logging.Handler]:
    """Those of the root; pytest has some of its own in each phase of a test."""
    return [each for each in logging.root.handlers if not type(each).__module__.startswith("_pytest")]


def _set_handlers(handlers: list[logging.Handler]) -> None:
    for handler in set(_handlers()) - set(handlers):
        logging.root.removeHandler(handler)
    for handler in set(handlers) - set(_handlers()):
        logging.root.addHandler(handler)


def _signals() -> dict[signal.Signals, Any]:
    # SIGALRM is pytest-timeout's, which puts its own back when it thinks fit.
    named = [n for n in signal.valid_signals() if isinstance(n, signal.Signals) and n is not signal.SIGALRM]
    return {number: signal.getsignal(number) for number in named}


def _set_signals(handlers: dict[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        if signal.getsignal(number) != handler and handler is not None:
            signal.signal(number, handler)


def _environment() -> dict[str, str]:
    # pytest says here which test runs.
    return {key: value for key, value in os.environ.items() if key != "PYTEST_CURRENT_TEST"}


def _set_environment(variables: dict[str, str]) -> None:
    for key in _environment().keys() - variables.keys():
        del os.environ[key]
    os.environ.update(variables)


def _wakeup_fd() -> int:
    number = signal.set_wakeup_fd(-1)
    if number != -1:
        signal.set_wakeup_fd(number)
    return number


def _set_filters(filters: list[Any]) -> None:
    warnings.filters[:] = filters  # type: ignore[index]  # typeshed promises a sequence; it is a list


def _set_faulthandler(enabled: bool) -> None:
    (faulthandler.enable if enabled else faulthandler.disable)()


def _gc() -> bool:
    """The audit of a session that has just ended may still run, and rests collection meanwhile."""
    deadline = time.monotonic() + AUDIT_S
    while not gc.isenabled() and time.monotonic() < deadline:
        time.sleep(0.01)
    return gc.isenabled()


def _set_gc(enabled: bool) -> None:
    (gc.enable if enabled else gc.disable)()


def _working_directory() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return "(a folder that is gone)"


def _scheduling() -> tuple[int, int, int, set[int]]:
    """Policy, priority, niceness and processors of this thread; what it starts has them too.

    SVT-AV1 puts the thread that opens an encoder at the highest real-time priority, where it may.
    """
    if not hasattr(os, "sched_getscheduler"):  # Linux has it
        return 0, 0, os.getpriority(os.PRIO_PROCESS, 0), set()
    priority = os.sched_getparam(0).sched_priority
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    return os.sched_getscheduler(0), priority, niceness, os.sched_getaffinity(0)


def _set_scheduling(before: tuple[int, int, int, set[int]]) -> None:
    policy, priority, niceness, processors = before
    if hasattr(os, "sched_setscheduler"):
        os.sched_setscheduler(0, policy, os.sched_param(priority))
        os.sched_setaffinity(0, processors)
    os.setpriority(os.PRIO_PROCESS, 0, niceness)


def _limits() -> dict[str, tuple[int, int]]:
    names = [name for name in dir(resource) if name.startswith("RLIMIT_")]
    return {name: resource.getrlimit(getattr(resource, name)) for name in names}


def _set_limits(limits: dict[str, tuple[int, int]]) -> None:
    for name, (soft, hard) in limits.items():
        resource.setrlimit(getattr(resource, name), (soft, hard))


def _set_path(entries: list[str]) -> None:
    sys.path[:] = entries


def _set_meta_path(finders: list[Any]) -> None:
    sys.meta_path[:] = finders


LEVELS = "levels of loggers"
STATES = "loggers (disabled, propagate, filters)"
FILTERS = "filters of warnings"
MODULES = "modules"
PARTS = (
    _Part(LEVELS, _levels, _set_levels),
    _Part(STATES, _states, _set_states),
    _Part("handlers of the root logger", _handlers, _set_handlers),
    _Part("logging.disable", lambda: logging.root.manager.disable, logging.disable),
    _Part(
        "logging.raiseExceptions",
        lambda: logging.raiseExceptions,
        lambda value: setattr(logging, "raiseExceptions", value),
    ),
    _Part("signal handlers", _signals, _set_signals),
    _Part("the wake-up descriptor", _wakeup_fd, signal.set_wakeup_fd),  # type: ignore[arg-type]  # it takes an int, and more by name
    _Part("environment", _environment, _set_environment),
    _Part("working directory", _working_directory, os.chdir),
    _Part("scheduling (policy, priority, niceness, processors)", _scheduling, _set_scheduling),
    _Part("limits of resources", _limits, _set_limits),
    _Part("switch interval", sys.getswitchinterval, sys.setswitchinterval),
    _Part(FILTERS, lambda: list(warnings.filters), _set_filters),
    _Part("sys.path", lambda: list(sys.path), _set_path),
    _Part("sys.meta_path", lambda: list(sys.meta_path), _set_meta_path),
    _Part("faulthandler", faulthandler.is_enabled, _set_faulthandler),
    _Part("garbage collection", _gc, _set_gc),
    _Part("recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
    _Part("excepthook", lambda: sys.excepthook, lambda value: setattr(sys, "excepthook", value)),
)
