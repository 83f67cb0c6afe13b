from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

MODEL = """
    from reactor_runtime import VideoModel, model

    @model(name="{name}", config={config!r})
    class {cls}(VideoModel):
        def start_session(self):
            pass
"""


@pytest.fixture
def model_source() -> Callable[..., str]:
    """The text of a file with a decorated class."""

    def source(cls: str = "Painter", name: str = "painter", config: str | None = None) -> str:
        return dedent(MODEL.format(cls=cls, name=name, config=config))

    return source


@pytest.fixture(autouse=True)
def imports_as_before() -> Iterator[None]:
    """What a test imports from its project is gone for the next one."""
    path, finders, modules = list(sys.path), list(sys.meta_path), set(sys.modules)
    yield
    for name in set(sys.modules) - modules:
        origin = getattr(sys.modules[name], "__file__", None) or ""
        if "site-packages" not in origin and "reactor_runtime" not in name:
            del sys.modules[name]
    sys.path[:], sys.meta_path[:] = path, finders


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Makes a project: ``folder({"model.py": …})``."""

    def make(files: dict[str, str], name: str = "studio") -> Path:
        root = tmp_path / name
        for file, text in files.items():
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_text(dedent(text), "utf-8")
        root.mkdir(exist_ok=True)
        return root

    return make
