from __future__ import annotations

from pathlib import Path

import pytest

from reactor_runtime.errors import ConfigError, ProjectError
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
    # The audit looks at the whole of it, as at anything else that a session may change; it reads no setting.
    assert sorted(reading) == ["project/environment.py", "session/audit/watches.py"]


def test_a_project_loads_where_nobody_has_a_home(folder, model_source, monkeypatch):
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", _nobody)
    assert load_project(folder({"model.py": model_source()})).config == {}
    with pytest.raises(ProjectError, match=r"^--config names the configuration file ~/c\.yml"):
        load_project(folder({"model.py": model_source()}), Path("~/c.yml"))


def _nobody(uid):
    raise KeyError(uid)


def test_what_a_person_should_know_is_in_the_log(folder, model_source, caplog, monkeypatch):
    monkeypatch.setenv("REACTOR_TEST_SECRET", "hunter2")
    files = {"model.py": model_source(config="c.yml"), "c.yml": "a: 16:9\nb: ${oc.env:REACTOR_TEST_SECRET}\n"}
    with caplog.at_level("INFO"):
        load_project(folder({**files}), overrides=["c=${oc.env:REACTOR_TEST_NOT_SET}"])
    assert "c.yml:1: `a: 16:9`: " in caplog.text
    assert "c (--model.c) cannot be resolved: " in caplog.text
    assert 'Configuration: {"a": "16:9", "b": "***", "c": "***"}' in caplog.text
    assert "hunter2" not in caplog.text
