"""What a server says of itself when it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reactor_runtime.authoring.description import describe
from reactor_runtime.project.loading import load_project
from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.runtimes.terminal import greeting as module
from reactor_runtime.runtimes.terminal.greeting import ONLY_HERE, greeting, open_page, qr_code

MODEL = """
from reactor_runtime import AudioOut, VideoIn, VideoModel, VideoOut, command, model

@model(name="painter", config="config.yml", weights=["here", "gone"], title="Two\\nlines")
class Painter(VideoModel):
    main_video = VideoOut(rate=24)
    webcam = VideoIn()
    sound = AudioOut(rate=48000)

    @command("move", coalesce=True)
    def move(self, way: str = "none"): ...

    @command("jump")
    def jump(self): ...

    def start_session(self): ...
"""


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, process_put_back: None) -> list[str]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "config.yml").write_text("steps: 8\nsize: {width: 832}\n")
    (tmp_path / "weights" / "here").mkdir(parents=True)
    (tmp_path / "weights" / "here" / "a.bin").write_bytes(b"x")
    project = load_project(tmp_path, overrides=["steps=9"])
    return greeting(project, describe(project.model_class), HttpOptions()).splitlines()


def test_the_start_says_what_was_found(lines: list[str]) -> None:
    assert lines == [
        "Starting",
        "  model     painter (Two\\nlines)",
        "  file      model.py:4 Painter",
        "  config    --model.steps, config.yml",
        "  weights   here in weights/here, gone MISSING (reactor download gone)",
        "  tracks    main_video → video 24 fps, webcam ← video, sound → audio 48000 Hz",
        "  commands  move (state), jump",
        "  encoder   H.264 by x264, VP8",
    ]


def test_a_qr_code_is_for_addresses_that_others_reach() -> None:
    assert qr_code("http://127.0.0.1:8080/") == ONLY_HERE
    assert qr_code("http://[::1]:8080/") == ONLY_HERE
    drawn = qr_code("http://192.168.1.7:8080/?token=" + "x" * 32)
    assert len(drawn.splitlines()) > 10


@pytest.mark.parametrize("answer", [False, OSError("none")])
def test_a_machine_without_a_browser_is_told_of(
    answer: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def opened(url: str) -> bool:
        if isinstance(answer, OSError):
            raise answer
        return bool(answer)

    monkeypatch.setattr(module.webbrowser, "open", opened)
    open_page("http://127.0.0.1:8080/?token=secret")
    assert "no browser" in caplog.text
    assert "secret" not in caplog.text


def test_a_user_without_a_home_is_greeted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    monkeypatch.setattr(Path, "cwd", nowhere)
    assert module._short(Path("/models/a.py")) == "/models/a.py"
