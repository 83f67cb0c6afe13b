"""The table in docs/guide.md, row by row: what lies lower, what lies higher."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reactor_runtime.project.loading import effective_config, load_project

UNTYPED = """
from reactor_runtime import VideoModel, model

@model(name="m"{config})
class M(VideoModel):
    def start_session(self): pass
"""
TYPED = """
from dataclasses import dataclass, field
from reactor_runtime import VideoModel, model

@dataclass
class Settings:
    steps: int = 1
    prompt: str = "sea"

@model(name="m", config=Settings)
class M(VideoModel):
    def start_session(self): pass
"""


@pytest.fixture
def home(folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    root = folder({"mine.yml": "steps: 3\n", "config.yml": "steps: 2\nprompt: forest\n"})
    monkeypatch.chdir(root)
    return root


def project(
    root: Path, source: str, *overrides: str, config: str = ""
) -> tuple[dict[str, object], dict[str, str]]:
    (root / "model.py").write_text(source)
    found = load_project(root, Path(config) if config else None, overrides)
    effective = effective_config(found.model_class, Path(config) if config else None, overrides)
    return found.resolved_config(), {key: effective.place(key) for key in ("steps", "prompt")}


WITH_FILE = UNTYPED.format(config=', config="config.yml"')


@pytest.mark.parametrize(
    ("source", "config", "overrides", "values", "steps_from"),
    [
        (UNTYPED.format(config=""), "", [], {}, ""),
        (WITH_FILE, "", [], {"steps": 2, "prompt": "forest"}, "config.yml:1"),
        (WITH_FILE, "mine.yml", [], {"steps": 3}, "mine.yml:1"),
        (UNTYPED.format(config=""), "mine.yml", [], {"steps": 3}, "mine.yml:1"),
        (WITH_FILE, "", ["steps=4"], {"steps": 4, "prompt": "forest"}, "--model.steps"),
        (WITH_FILE, "mine.yml", ["steps=4"], {"steps": 4}, "--model.steps"),
        (WITH_FILE, "", ["steps=4", "steps=5"], {"steps": 5, "prompt": "forest"}, "--model.steps"),
        (UNTYPED.format(config=""), "", ["steps=4"], {"steps": 4}, "--model.steps"),
        (TYPED, "", [], {"steps": 1, "prompt": "sea"}, "default of Settings"),
        (TYPED, "mine.yml", [], {"steps": 3, "prompt": "sea"}, "mine.yml:1"),
        (TYPED, "mine.yml", ["steps=4"], {"steps": 4, "prompt": "sea"}, "--model.steps"),
        (TYPED, "", ["prompt=${oc.env:PLACE}"], {"steps": 1, "prompt": "***"}, "default of Settings"),
    ],
)
def test_a_row(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    config: str,
    overrides: list[str],
    values: dict[str, object],
    steps_from: str,
) -> None:
    monkeypatch.setenv("PLACE", "a hut")
    found, places = project(home, source, *overrides, config=config)
    assert found == values
    assert places["steps"] == steps_from


def test_a_variable_is_read_when_the_value_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACE", "a hut")
    (home / "model.py").write_text(WITH_FILE)
    assert load_project(home, None, ["prompt=${oc.env:PLACE}"]).config.prompt == "a hut"
