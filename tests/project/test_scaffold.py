from __future__ import annotations

from pathlib import Path

import pytest

from reactor_runtime.errors import ProjectError
from reactor_runtime.project import scaffold
from reactor_runtime.project.loading import load_project

EXAMPLE = Path(__file__).parents[2] / "examples" / "brightness"
NOT_WRITTEN = {"__pycache__", ".ruff_cache", ".mypy_cache", ".pytest_cache"}


def test_the_example_is_what_init_makes(tmp_path):
    made = scaffold.create_project("brightness", tmp_path)
    assert {file.name for file in made.iterdir()} == {file.name for file in EXAMPLE.iterdir()} - NOT_WRITTEN
    for file in made.iterdir():
        assert file.read_text("utf-8") == (EXAMPLE / file.name).read_text("utf-8")


def test_the_new_project_loads_and_has_the_name(tmp_path):
    project = load_project(scaffold.create_project("my-world", tmp_path))
    assert project.config == {"width": 832, "height": 480, "speed": 1.0}
    made = tmp_path / "my-world"
    assert '@model(name="my-world"' in (made / "model.py").read_text()
    assert project.model_class.__name__ == "MyWorld"
    assert not any("{{" in file.read_text() for file in made.iterdir() if file.suffix in (".md", ".yml"))
    assert made.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "Bad Name!", "-x", "x-", "a" * 64, "../x"])
def test_a_bad_name(tmp_path, name):
    with pytest.raises(ProjectError, match=r"lowercase letters"):
        scaffold.create_project(name, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "class_name"),
    [
        ("3d-world", "Model3dWorld"),
        ("video-model", "VideoModelModel"),
        ("literal", "LiteralModel"),
        ("none", "NoneModel"),
    ],
)
def test_the_class_is_named_after_the_authors_word_and_takes_no_other_name(tmp_path, name, class_name):
    project = load_project(scaffold.create_project(name, tmp_path))
    assert project.model_class.__name__ == class_name


def test_an_unknown_template(tmp_path):
    with pytest.raises(ProjectError, match=r"no template 'films'; there are: generator, camera"):
        scaffold.create_project("mine", tmp_path, "films")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_exists_is_left_alone(tmp_path, kind):
    place = tmp_path / "mine"
    {"folder": place.mkdir, "file": place.touch, "link": lambda: place.symlink_to("nowhere")}[kind]()
    with pytest.raises(ProjectError, match=r"exists already"):
        scaffold.create_project("mine", tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine"]


def test_an_interruption_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(scaffold, "render", lambda name, template: {"model.py": "", "missing/config.yml": ""})
    with pytest.raises(ProjectError, match=r"cannot be made"):
        scaffold.create_project("mine", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_parent_that_is_not_there(tmp_path):
    with pytest.raises(ProjectError, match=r"cannot be made"):
        scaffold.create_project("mine", tmp_path / "nowhere")
