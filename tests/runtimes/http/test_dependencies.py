"""What FastAPI does for the dependencies of a route costs no thread, and is done once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from reactor_runtime.runtimes.http.app import create_api
from reactor_runtime.worker.worker import Worker


def test_no_request_takes_a_thread_for_its_dependencies() -> None:
    """Plain functions run on a pool's threads; once one is overridden, all signatures are read each time."""
    app = create_api(nobody)
    assert not app.dependency_overrides
    found = list(routes(app))
    assert len(found) > 20
    plain = {call.__qualname__ for route in found for call in calls(route.dependant) if not is_async(call)}
    assert plain == set()


def nobody() -> Worker:
    raise AssertionError("no request is made here")


def routes(router: Any) -> Iterator[APIRoute]:
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):
            yield from routes(route.original_router)


def calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    assert dependant.call is not None
    yield dependant.call
    for inner in dependant.dependencies:
        yield from calls(inner)


def is_async(call: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(call) or inspect.isasyncgenfunction(call)
