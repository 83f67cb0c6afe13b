"""Coroutines are tests too, and no test leaves a thread of ours behind."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import _pytest._code.code
import pytest
from hypothesis import settings
from tests import netns, postmortem, process, slots
from tests.chromium import find_chromium

from reactor_runtime.authoring import active
from reactor_runtime.authoring.syntax import undisturbed

# One test's failure ended a whole run: pytest parses the source of what failed.
_getstatementrange_ast = _pytest._code.code.getstatementrange_ast
_pytest._code.code.getstatementrange_ast = lambda *args, **more: undisturbed(
    _getstatementrange_ast, *args, **more
)

# Machines are busy, and that is no finding. CI judges a change: there the examples are always the same.
settings.register_profile("ours", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("ours")

TESTS = Path(__file__).parent
ROOMS_WITH_THREADS = {"testing", "media", "session", "runtimes", "transports"}
THREADS_END_S = 3.0
NEVER_SKIPPED_IN_CI = {"interop", "protocol", "runtimes", "wire"}
"""Rooms whose tests hold what clients are promised: a program that is missing there is no excuse."""

LONG_ROOMS = ("browser", "wire", "interop", "install")
"""Their files take longest; begun first, they leave the short ones to fill the end of a run on two cores.
No more of their tests run at once than there are processors."""

ROOMS_OF_ONE_WORKER = ("tests/fleet/on_ray/",)
"""One cluster of Ray is enough."""


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        netns.own()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not set(LONG_ROOMS) & set(item.path.parts))
    for last in [item for item in items if item.get_closest_marker("last")]:
        items.remove(last)
        others = [index for index, item in enumerate(items) if item.path == last.path]
        items.insert(others[-1] + 1 if others else len(items), last)


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Files go to the workers one by one, but rooms that share something go to one worker whole."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling  # it is installed where this hook is called

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            room = next((room for room in ROOMS_OF_ONE_WORKER if nodeid.startswith(room)), None)
            return room or super()._split_scope(nodeid)

        def _assign_work_unit(self, node: Any) -> None:
            # A worker that would only wait for a slot begins at the other end, where the short files are.
            if self.nodes.index(node) >= slots.how_many():
                self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
            super()._assign_work_unit(node)

    return Scheduling(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """A long test waits for its slot; around everything else, so that no time limit counts the waiting."""
    with ExitStack() as stack:
        if item.get_closest_marker("alone"):
            stack.enter_context(slots.ours().all())
        elif set(LONG_ROOMS) & set(item.path.parts):
            stack.enter_context(slots.ours().one())
        return (yield)


def _broken_promise(report: pytest.TestReport | pytest.CollectReport) -> bool:
    room = report.nodeid.removeprefix("tests/").split("/")[0]
    skipped = report.skipped and not hasattr(report, "wasxfail")
    return skipped and bool(os.environ.get("CI")) and room in NEVER_SKIPPED_IN_CI


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI= set, a test of these rooms that is skipped has failed; a failed one tells of its processes."""
    report = yield
    if _broken_promise(report):
        report.outcome = "failed"
    elif report.failed and report.when != "teardown" and set(LONG_ROOMS) & set(item.path.parts):
        parts = getattr(item, "funcargs", {})
        shown = postmortem.pages(parts["browser"]) if hasattr(parts.get("browser"), "contexts") else ""
        lines = "".join(getattr(parts.get("server"), "log", [])[-30:])
        report.sections.append(("Its processes", f"{shown}\n{lines}\n{postmortem.report()}"))
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for whole files."""
    report = yield
    if _broken_promise(report):
        report.outcome = "failed"
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    function = pyfuncitem.obj
    if not inspect.iscoroutinefunction(function):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    asyncio.run(_in_time(function(**arguments)))
    return True


async def _in_time(test: Any) -> None:
    async with asyncio.timeout(60):
        await test


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is, with the library that steers it."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed (dev group)")
    path = find_chromium()
    if not path:
        pytest.skip("No Chromium here: install Debian's chromium or set CHROMIUM= to a browser.")
    return path


@pytest.fixture(autouse=True)
def process_unchanged() -> Iterator[None]:
    """What a test changes in the process is put back, and is a fault of that test."""
    before = process.state()
    yield
    changes = process.changed_since(before)
    assert not changes, "the test leaves the process changed: " + "\n".join(changes)


@pytest.fixture
def process_put_back(process_unchanged: None) -> Iterator[None]:
    """For tests whose subject changes the process, such as a command that runs here: it is put back."""
    with process.put_back():
        yield


@pytest.fixture(autouse=True)
def no_thread_left(request: pytest.FixtureRequest) -> Iterator[None]:
    if not ROOMS_WITH_THREADS & set(request.path.relative_to(TESTS).parts):
        yield
        return
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + THREADS_END_S
    while left := [t.name for t in set(threading.enumerate()) - before if t.name.startswith("reactor-")]:
        assert time.monotonic() < deadline, f"threads are left: {left}"
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def no_session_left() -> Iterator[None]:
    """A session that a test leaves running would be found by the next test's threads."""
    yield
    left = active._sessions.running
    for context in left:
        active.deactivate(context)
    assert not left, f"sessions are left: {left}"
