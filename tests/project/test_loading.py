from __future__ import annotations

from pathlib import Path

import pytest

from reactor_runtime.errors import ConfigError
from reactor_runtime.project.loading import load_project


def test_the_decorators_file_is_relative_to_the_file_that_defines_the_class(
    folder, model_source, tmp_path, monkeypatch
):
    root = folder(
        {"model.py": model_source(config="configs/default.yml"), "configs/default.yml": "fps: 30\n"}
    )
    monkeypatch.chdir(tmp_path)
    project = load_project(Path("studio"), overrides=["steps=4"])
    assert project.config == {"fps": 30, "steps": 4}
    assert project.path == root
    assert project.model_class.__name__ == "Painter"


def test_dash_c_is_relative_to_the_current_folder_and_replaces(folder, model_source, tmp_path, monkeypatch):
    root = folder(
        {"model.py": model_source(config="configs/default.yml"), "configs/default.yml": "fps: 30\n"}
    )
    monkeypatch.chdir(tmp_path)
    Path("mine.yml").write_text("steps: 4\n")
    assert load_project(root, Path("mine.yml")).config == {"steps": 4}


def test_no_file_at_all(folder, model_source):
    assert load_project(folder({"model.py": model_source()})).config == {}


def test_a_missing_file_names_the_decorator(folder, model_source):
    with pytest.raises(
        ConfigError, match=r"^@model in model\.py:4 names the configuration file .*default\.yml"
    ):
        load_project(folder({"model.py": model_source(config="configs/default.yml")}))


def test_weights_come_from_the_argument_before_the_environment(folder, model_source, tmp_path, monkeypatch):
    root = folder({"model.py": model_source()})
    for place in ("asked", "environment"):
        (tmp_path / place / "vae").mkdir(parents=True)
        (tmp_path / place / "vae" / "file").touch()
    monkeypatch.setenv("REACTOR_WEIGHTS_DIR", str(tmp_path / "environment"))
    assert load_project(root).weights.path("vae") == tmp_path / "environment" / "vae"
    assert (
        load_project(root, weights_dir=tmp_path / "asked").weights.path("vae") == tmp_path / "asked" / "vae"
    )


def test_the_environment_is_read_in_one_file():
    source = Path(__file__).parents[2] / "src" / "reactor_runtime"
    reading = [
        str(file.relative_to(source))
        for file in source.rglob("*.py")
        if any(word in file.read_text("utf-8") for word in ("os.environ", "os.getenv"))
    ]
    assert reading == ["project/environment.py"]
