"""`reactor test --leaks` on plain folders, as an author runs it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

SEED = """
from reactor_runtime import VideoModel, model, command, get_ctx
import numpy as np


class Pipeline:
    def generate(self, prompt):
        return np.full((2, 48, 64, 3), sum(prompt.encode()) % 256, np.uint8)


def load_pipeline(config):
    return Pipeline()


@model(name="my-model"{arguments})
class MyModel(VideoModel):
    def __init__(self, config):
        self.pipeline = load_pipeline(config)
        self._prompt = "a calm forest"

    @command("set_prompt", description="Change the generation prompt")
    def set_prompt(self, prompt: str):
        self._prompt = prompt

    def start_session(self):
        {loop}

    def _run(self):
        while not get_ctx().should_stop():
            frames = self.pipeline.generate(prompt=self._prompt)
            get_ctx().get_track().emit(frames)

    def _reset_state(self):
        self._prompt = "a calm forest"
"""
FORGETS = "try:\n            self._run()\n        finally:\n            self._reset_state()"
FIRST_USER = """
from reactor_runtime import VideoModel, command, get_ctx, model
import numpy as np

@model(name="first-user")
class First(VideoModel):
    def __init__(self, config):
        self._cond = None

    @command("set_prompt")
    def set_prompt(self, prompt: str):
        if self._cond is None:
            self._cond = np.frombuffer(prompt.encode()[:12], np.uint8) / 255

    def start_session(self):
        while not get_ctx().should_stop():
            shade = 0.0 if self._cond is None else float(self._cond.mean())
            get_ctx().get_track().emit(np.full((32, 32, 3), shade))
"""
NOISY = """
from reactor_runtime import VideoModel, get_ctx, model
import numpy as np

@model(name="noisy")
class Noisy(VideoModel):
    def start_session(self):
        drawn = np.random.default_rng()
        while not get_ctx().should_stop():
            get_ctx().get_track().emit(np.full((32, 32, 3), drawn.integers(256), np.uint8))
"""
HEAVY = """
from reactor_runtime import VideoModel, model

@model(name="heavy", weights=["big"])
class Heavy(VideoModel):
    def __init__(self, config):
        self.path = VideoModel.weights("big")

    def start_session(self):
        pass
"""


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Path]:
    def make(source: str) -> Path:
        root = tmp_path / "studio"
        root.mkdir()
        (root / "model.py").write_text(source, "utf-8")
        return root

    return make


@pytest.fixture
def tested(tmp_path: Path) -> Run:
    from .conftest import REACTOR

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [*REACTOR, "test", *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False)

    return run


def line_of(source: str, text: str) -> int:
    return next(number for number, line in enumerate(source.splitlines(), 1) if text in line)


def test_the_seeds_first_example_leaks(project: Callable[[str], Path], tested: Run, tmp_path: Path) -> None:
    source = SEED.format(arguments="", loop="self._run()")
    report, junit = tmp_path / "leaks.json", tmp_path / "leaks.xml"
    done = tested("--leaks", "-p", project(source), "--report", report, "--junit", junit)
    assert done.returncode == 1, done.stderr
    first = done.stdout.splitlines()[0]
    assert first.startswith("leak: self._prompt was 'a calm forest' before the first session and is '")
    assert f"(model.py:{line_of(source, 'self._prompt = prompt')})" in first
    assert '@model(keep=["_prompt"])' in first
    assert any(line.startswith("leak: main_video was ") for line in done.stdout.splitlines())

    written = json.loads(report.read_text())
    assert written["result"] == "leaks"
    assert written["model"] == "MyModel"
    assert written["versions"]["reactor-runtime"]
    assert [order["plan"] for order in written["tried"]["orders"]][:2] == ["BAB", "ABA"]
    assert written["leaks"][0]["path"] == "self._prompt"
    suite = Xml.fromstring(junit.read_bytes())[0]
    assert int(suite.attrib["failures"]) == len(written["leaks"])


def test_the_seeds_example_with_a_reset_is_clean(
    project: Callable[[str], Path], tested: Run, tmp_path: Path
) -> None:
    report = tmp_path / "clean.json"
    done = tested("--leaks", "-p", project(SEED.format(arguments="", loop=FORGETS)), "--report", report)
    assert (done.returncode, done.stdout) == (0, "no leak\n"), done.stderr
    assert json.loads(report.read_text())["result"] == "clean"


def test_what_the_first_user_leaves_to_all_others_is_told_by_its_path(
    project: Callable[[str], Path], tested: Run
) -> None:
    done = tested("--leaks", "-p", project(FIRST_USER))
    assert done.returncode == 1
    line = line_of(FIRST_USER, "self._cond = np.frombuffer")
    assert any(
        told.startswith("leak: self._cond was ") and f"(model.py:{line})" in told
        for told in done.stdout.splitlines()
    ), done.stdout


def test_strict_counts_what_is_new(project: Callable[[str], Path], tested: Run) -> None:
    source = FIRST_USER.replace("prompt.encode()[:12]", "b'the same for all'")
    root = project(source)
    assert tested("--leaks", "--strict", "-p", root).stdout.startswith("leak: self._cond was not there")


def test_a_model_that_draws_anew_each_time_cannot_be_told(
    project: Callable[[str], Path], tested: Run, tmp_path: Path
) -> None:
    junit = tmp_path / "leaks.xml"
    done = tested("--leaks", "-p", project(NOISY), "--junit", junit)
    assert done.returncode == 2
    assert done.stdout.startswith("cannot tell: not deterministic")
    assert Xml.fromstring(junit.read_bytes())[0].attrib["skipped"] == "1"


def test_a_model_whose_weights_are_not_there_cannot_be_told(
    project: Callable[[str], Path], tested: Run
) -> None:
    done = tested("--leaks", "-p", project(HEAVY))
    assert done.returncode == 2
    assert done.stdout.startswith("cannot tell: needs weights")
    assert done.stdout.count("\n") == 1


def test_what_to_test_must_be_said(tested: Run) -> None:
    done = tested()
    assert done.returncode == 2
    assert "--leaks" in done.stderr
