"""Who may see how the model was configured, and what of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reactor_runtime.project.loading import load_project
from reactor_runtime.runtimes.access.credentials import Keys, TokenRole
from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.testing import serve

from .models import Painter

SECRET = "a-secret-that-nobody-guesses-" + "x" * 16
MODEL = """
from reactor_runtime import VideoModel, model

@model(name="painter", config="config.yml")
class Painter(VideoModel):
    def start_session(self): ...
"""
CONFIG = """
steps: 8
key: ${oc.env:PAINTER_KEY}
also: key is ${key}
never: .inf
day: 2026-01-31
size: {width: 832}
"""


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, process_put_back: None) -> Any:
    monkeypatch.setenv("PAINTER_KEY", "hunter2")
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "config.yml").write_text(CONFIG)
    return load_project(tmp_path, overrides=["steps=9"]).resolved_config


async def test_admins_see_the_resolved_configuration_without_the_environment(configured: Any) -> None:
    async with serve(Painter) as server:
        server.worker.configuration = configured
        response = await server.http.get("/session")
        assert response.json()["config"] == {
            "steps": 9,
            "key": "***",
            "also": "key is ***",
            "never": "inf",
            "day": "2026-01-31",
            "size": {"width": 832},
        }
        assert "hunter2" not in response.text


@pytest.mark.parametrize("role", list(TokenRole))
async def test_nobody_else_does(role: TokenRole, configured: Any) -> None:
    async with serve(Painter, options=HttpOptions(token=SECRET)) as server:
        server.worker.configuration = configured
        headers = {"Authorization": f"Bearer {Keys([SECRET]).mint(role, 60.0)}"}
        told = (await server.http.get("/session", headers=headers)).json()
        assert ("config" in told) == (role is TokenRole.ADMIN)


async def test_an_engine_of_a_fleet_is_told_nothing_that_it_might_pass_on(configured: Any) -> None:
    """Its secret is admin, and its clients are anybody."""
    lifeline: Any = object()
    async with serve(Painter, options=HttpOptions(lifeline=lifeline)) as server:
        server.worker.configuration = configured
        assert "config" not in (await server.http.get("/session")).json()
