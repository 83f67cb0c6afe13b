from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.project.weights.places import Site, serving
from tests.project.weights.silent import Silent

from reactor_runtime.project.weights.download import Order, Outcome, download
from reactor_runtime.project.weights.fetch import Pace
from reactor_runtime.project.weights.source import parse_source

IMPATIENT = Pace(first_pause=0.001, longest_pause=0.01)

Get = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of its own; nothing of this machine's accounts."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in list(os.environ):
        if name.startswith(("AWS_", "HF_", "HUGGING_FACE", "AZURE_", "GOOGLE_")) or "proxy" in name.lower():
            monkeypatch.delenv(name)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site()) as served:
        yield served


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def get(root: Path, tmp_path: Path) -> Get:
    """Downloads `vae` from a source."""

    def run(
        source: str,
        name: str = "vae",
        progress: Silent | None = None,
        pace: Pace = IMPATIENT,
        **settings: object,
    ) -> Outcome:
        order = Order(name, parse_source(source, tmp_path), **settings)  # type: ignore[arg-type]
        return download(order, root, progress or Silent(), pace)

    return run


def noise(size: int, seed: int = 1) -> bytes:
    """Bytes that are everywhere different, so that a piece in a wrong place is seen."""
    return hashlib.shake_128(seed.to_bytes(4, "big")).digest(size)
