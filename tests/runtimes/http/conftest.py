"""Servers of this room."""

from __future__ import annotations

import pytest

from reactor_runtime.session.audit.observer import SessionAudit


@pytest.fixture(autouse=True)
def no_audit(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model here lies among a hundred modules of tests, which the leak audit would read for each server.

    It took two fifths of this room's time. Tests of the audit have it, and rooms whose models lie alone.
    """
    if "audit" not in request.path.name:
        monkeypatch.setattr(SessionAudit, "loaded", lambda *_: None)
