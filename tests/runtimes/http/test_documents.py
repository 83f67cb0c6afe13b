"""That what refuses a request, by its code, is in the documentation for clients."""

from __future__ import annotations

import re
from pathlib import Path

import reactor_runtime

SOURCES = Path(reactor_runtime.__file__).parent
CLIENTS = Path(__file__).resolve().parents[3] / "docs" / "clients.md"
RAISED = re.compile(r"(?:\b[45]\d\d(?: [\w ]+\")?|\bRefusal\.[A-Z_]+)[,:]\s*\(?\s*\"([a-z_]+)\"")
"""A status or a kind of refusal and, beside it, a code."""


def codes() -> set[str]:
    return {code for file in SOURCES.rglob("*.py") for code in RAISED.findall(file.read_text())}


def test_every_refusal_has_its_place_in_the_table() -> None:
    found = codes()
    assert {"loading", "unknown_session", "wrong_host", "session_running", "upload_taken"} <= found

    documented = set(re.findall(r"`([a-z_]+)`", CLIENTS.read_text()))
    assert found - documented == set()
