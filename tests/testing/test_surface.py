"""The kit's surface: what is exported is documented, typed, and nothing else."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import typing
from pathlib import Path

import pytest
from tests.testing.documents import ROOT, run_test

from reactor_runtime import testing
from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.testing import Client, MemoryServer, Options

DOCUMENT = (ROOT / "docs" / "testing.md").read_text("utf-8")
INTERNAL = {"runtime", "engine"}
"""Of a server, for our own tests."""
NAMES = set(re.findall(r"`([A-Za-z_]+)", DOCUMENT))


def public(of: type) -> set[str]:
    inherited = set(dir(object))
    return {name for name in dir(of) if not name.startswith("_") and name not in inherited}


def test_the_names_are_sorted_and_there() -> None:
    assert testing.__all__ == sorted(testing.__all__, key=lambda name: (not name.isupper(), name))
    assert all(hasattr(testing, name) for name in testing.__all__)


@pytest.mark.parametrize("name", testing.__all__)
def test_each_name_is_documented(name: str) -> None:
    assert name in NAMES


@pytest.mark.parametrize("kind", [Client, MemoryServer])
def test_each_method_is_documented(kind: type) -> None:
    assert public(kind) - NAMES == set()


def test_the_document_names_no_method_that_is_not_there() -> None:
    rows = re.findall(r"^\| `.*?\|", DOCUMENT.partition("## A client")[2], re.MULTILINE)
    attributes = set(vars(Client(None, None, [])))  # type: ignore[arg-type]  # nothing is sent
    said = {name for row in rows for name in re.findall(r"`([a-z_]+)", row)}
    assert said - public(Client) - attributes == set()


@pytest.mark.parametrize("name", [name for name in testing.__all__ if not name.isupper()])
def test_each_callable_is_typed(name: str) -> None:
    thing = getattr(testing, name)
    functions = (
        [thing]
        if inspect.isfunction(thing)
        else [f for _, f in inspect.getmembers(thing, inspect.isfunction)]
    )
    for function in functions:
        if function.__name__.startswith("__") or "." not in function.__module__:
            continue
        signature = inspect.signature(inspect.unwrap(function))
        untyped = [
            parameter
            for parameter in signature.parameters.values()
            if parameter.name != "self" and parameter.annotation is parameter.empty
        ]
        assert untyped == []
        assert signature.return_annotation is not signature.empty


def test_options_are_those_of_reactor_run() -> None:
    assert Options is HttpOptions
    assert typing.get_type_hints(Options)["viewers"] is int


def test_the_bench_is_no_part_of_it() -> None:
    assert not (Path(testing.__file__).parent / "bench.py").exists()
    assert "reactor_runtime.testing.bench" not in sys.modules


def test_the_kit_needs_no_pytest_and_loads_no_wire_or_server() -> None:
    look = "import sys, reactor_runtime.testing; print([n for n in %r if n in sys.modules])"
    heavy = ["pytest", "reactor_webrtc", "uvicorn", "httpx", "torch"]
    done = subprocess.run([sys.executable, "-c", look % heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_test_of_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    run_test(DOCUMENT, "test_two_people", monkeypatch)
