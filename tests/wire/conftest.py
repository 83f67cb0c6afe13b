"""A server for a module, and for each test one that nobody plays on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .server import Server, running


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """It runs the module's `PROJECT` of `models/`, with its `OPTIONS` if it has any."""
    with running(request.module.PROJECT, *getattr(request.module, "OPTIONS", ())) as server:
        yield server


@pytest.fixture
def free_slot(server: Server) -> Iterator[None]:
    """A test that fails leaves its session behind."""
    yield
    server.stop_session()
