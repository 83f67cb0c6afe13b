"""That what refuses a request, by its code, is in the documentation for clients."""

from __future__ import annotations

import re
from pathlib import Path

import reactor_runtime

SOURCES = Path(reactor_runtime.__file__).parent
CLIENTS = Path(__file__).resolve().parents[3] / "docs" / "clients.md"
RAISED = (
    re.compile(r"\b[45]\d\d(?: [\w ]+\")?[,:]\s*\(?\s*\"([a-z_]+)\""),
    re.compile(r"\bRefusal\.[A-Z_]+,\s*\"([a-z_]+)\""),
    re.compile(r"\"([a-z_]+)\": Refusal\.[A-Z_]+,"),
)
"""A status or a kind and, beside it, a code; or what the broker of a fleet refuses."""


def codes() -> set[str]:
    texts = [file.read_text() for file in SOURCES.rglob("*.py")]
    return {code for text in texts for raised in RAISED for code in raised.findall(text)}


def test_every_refusal_has_its_place_in_the_table() -> None:
    found = codes()
    assert {"loading", "unknown_session", "wrong_host", "session_running", "upload_taken"} <= found

    documented = set(re.findall(r"`([a-z_]+)`", CLIENTS.read_text()))
    assert found - documented == set()
