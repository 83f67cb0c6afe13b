"""What is told to Ray before it is imported."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reactor_runtime.fleet.on_ray.cluster import show_token


@pytest.mark.parametrize(
    ("file", "variables", "mode"),
    [
        (False, {}, None),
        (True, {}, "token"),
        (False, {"RAY_AUTH_TOKEN": "a token"}, "token"),
        (False, {"RAY_AUTH_TOKEN_PATH": "/somewhere"}, "token"),
        (True, {"RAY_AUTH_MODE": "disabled"}, "disabled"),
    ],
)
@pytest.mark.usefixtures("process_put_back")
def test_who_has_a_token_says_so(
    file: bool, variables: dict[str, str], mode: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if file:
        (tmp_path / ".ray").mkdir()
        (tmp_path / ".ray" / "auth_token").write_text("a token")
    show_token(tmp_path)
    assert os.environ.get("RAY_AUTH_MODE") == mode
