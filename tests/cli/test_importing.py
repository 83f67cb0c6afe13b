"""The collector of circles rests while our own libraries are imported, and no longer."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from reactor_runtime.cli.main import reactor
from reactor_runtime.process.importing import uncollected
from reactor_runtime.runtimes import http

MODEL = """
import gc
from reactor_runtime import VideoModel, VideoOut, model

print(f"while the author's module is imported: {gc.isenabled()}")

@model(name="still")
class Still(VideoModel):
    main_video = VideoOut()

    def start_session(self):
        pass
"""


@pytest.fixture(autouse=True)
def collecting() -> Iterator[None]:
    assert gc.isenabled()
    yield
    gc.enable()


def test_it_rests_for_the_block() -> None:
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_comes_back_after_an_import_that_fails() -> None:
    with pytest.raises(ImportError), uncollected():
        raise ImportError("no such library")
    assert gc.isenabled()


def test_who_has_switched_it_off_finds_it_off() -> None:
    gc.disable()
    with uncollected():
        pass
    assert not gc.isenabled()


def test_a_model_is_imported_and_served_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.py").write_text(MODEL)
    served: list[bool] = []
    monkeypatch.setattr(http, "serve", lambda project, options: served.append(gc.isenabled()) or 0)
    result = CliRunner().invoke(reactor, ["run", "-p", str(tmp_path)])
    assert "while the author's module is imported: True" in result.output
    assert (served, result.exit_code) == ([True], 0)
