"""How large a port is shows in the size of its fake: each is small enough to be read at once."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from reactor_runtime.authoring import syntax

TESTS = Path(__file__).parents[1]
SOURCE = TESTS.parent / "src" / "reactor_runtime"
PLACES = (TESTS, SOURCE / "testing", SOURCE / "transports")
FAKE = re.compile(r"_?(Fake|Memory|Virtual|Leaping|Pretended)[A-Z]")
MOST = 80
"""Lines of a fake's class, docstrings included."""
WIRE_MOST = 150
"""Of the whole file of the wire in memory: the wire, its senders, and what they need."""
NO_PORT = {"MemoryClient": 150}
"""Plays a client at the far end of a wire, with offers, pictures and sounds of its own."""
PORTS = {
    "MemoryWire": "Wire",
    "FakeExecutor": "Executor",
    "VirtualClock": "Clock",
    "Remembering": "SessionObserver",
    "FakeEngine": "the fleet's Engine",
    "MemoryPeer": "WebRTC's Peer",
}


def classes() -> Iterator[tuple[str, int]]:
    for place in PLACES:
        for path in place.rglob("*.py"):
            for node in ast.walk(syntax.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ClassDef) and (FAKE.match(node.name) or node.name in PORTS):
                    assert node.end_lineno is not None
                    yield node.name, node.end_lineno - node.lineno + 1


def test_every_port_has_a_fake_and_no_fake_is_large() -> None:
    found = list(classes())
    assert PORTS.keys() <= {name for name, _ in found}
    assert {name: size for name, size in found if size > NO_PORT.get(name, MOST)} == {}


def test_the_wire_in_memory_is_small_as_a_whole() -> None:
    text = (SOURCE / "transports" / "memory_wire.py").read_text("utf-8")
    assert len(text.splitlines()) < WIRE_MOST
