"""The examples of the seeds under the leak audit: told where they leak, and only there."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.executors.rig import Rig, rig
from tests.session.audit.play import paths, visit, written

from . import blocks

pytest.importorskip("omegaconf")

PIPELINE = '''
import numpy as np


class Pipeline:
    """Stands for what an author would load."""

    def __init__(self):
        self.blocks = 0

    def generate(self, prompt):
        self.blocks += 1
        return np.full((16, 16, 3), len(prompt) % 256, np.uint8)

    def run(self):
        while not get_ctx().should_stop():
            get_ctx().get_track().emit(self.generate("run"))

    def reset(self):
        self.blocks = 0


def load_pipeline(config=None, device=None):
    return Pipeline()

'''
USERS = ("a red car on the moon", "two blue birds in rain")


@contextmanager
def playing(folder: Path, source: str) -> Iterator[Rig]:
    with written(folder, blocks.IMPORTS + PIPELINE + source) as cls, rig(cls, num_steps=2) as made:
        yield made


def body(*names: str) -> str:
    return textwrap.indent("\n".join(blocks.read(name) for name in names), "    ")


def test_the_first_example_leaves_a_prompt_and_is_told(tmp_path: Path) -> None:
    with playing(tmp_path, blocks.read("videomodel-01-model.py")) as made:
        findings = {found.path: found for found in visit(made, USERS[0]).findings}
    assert set(findings) == {"self._prompt", "self.pipeline.blocks"}
    told = findings["self._prompt"]
    assert "'a calm forest'" in told.sentence
    assert f"'{USERS[0]}'" in told.sentence
    assert told.where.startswith("model.py:")


def test_the_example_with_a_cleanup_is_clean(tmp_path: Path) -> None:
    source = '@model(name="clean")\nclass Clean(VideoModel):\n' + body(
        "videomodel-03-init.py", "videomodel-08-command.py", "videomodel-07-cleanup.py"
    )
    # The example sets a speed back that its __init__ has never set: that is there from the first session on.
    with playing(tmp_path, source) as made:
        assert [paths(visit(made, user)) for user in USERS] == [[], []]


def test_the_complete_example_leaves_a_prompt_and_is_told(tmp_path: Path) -> None:
    source = blocks.read("model-09-complete.py").replace(
        "# Load your model...", "return load_pipeline()"
    ) + textwrap.indent(
        "\ndef generate(self):\n"
        "    shade = len(getattr(self, 'current_prompt', ''))\n"
        "    return np.full((2, 16, 16, 3), shade, np.uint8)\n",
        "    ",
    )
    with playing(tmp_path, source) as made:
        told = visit(made, USERS[0])
    assert paths(told) == ["self.current_prompt"]
    assert f"'{USERS[0]}'" in told.findings[0].sentence
