"""`reactor download`, `reactor weights`, and `--download`, as a person uses them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reactor_runtime.cli import main as program
from reactor_runtime.project.weights import WeightsStore
from reactor_runtime.runtimes import http

MODEL = """
from reactor_runtime import VideoModel, model

@model(name="painter", weights=["vae", "clip"])
class Painter(VideoModel):
    def start_session(self):
        pass
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose two weights lie on a disk beside it."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("REACTOR_WEIGHTS_DIR", raising=False)
    for name in ("vae", "clip"):
        (tmp_path / "disk" / name).mkdir(parents=True)
        (tmp_path / "disk" / name / "model.bin").write_bytes(name.encode() * 1000)
    project = tmp_path / "project"
    project.mkdir()
    (project / "model.py").write_text(MODEL)
    (project / "reactor.toml").write_text('[weights]\nvae = "file:../disk/vae"\nclip = "file:../disk/clip"\n')
    monkeypatch.chdir(project)
    return project


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = program._status(list(arguments))
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def cache(tmp_path: Path) -> Path:
    return tmp_path / "home" / ".cache" / "reactor" / "weights"


def test_all_that_the_project_names_arrives(folder: Path, run: Run, tmp_path: Path) -> None:
    status, _, said = run("download")
    assert status == 0, said
    assert "vae: model.bin  3.0 kB  fetched in" in said
    assert WeightsStore(folder).path("vae") == cache(tmp_path) / "vae"
    assert WeightsStore(folder).path("clip") == cache(tmp_path) / "clip"
    assert run("download")[2].count("is here already") == 2


def test_from_any_folder(folder: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("download", "vae", "-p", "project")[0] == 0
    status, out, _ = run("weights", "path", "vae", "-p", "project")
    assert (status, out) == (0, f"{cache(tmp_path) / 'vae'}\n")


def test_another_source_on_the_command_line(folder: Path, run: Run, tmp_path: Path) -> None:
    status, _, said = run("download", "vae=file:../disk/clip")
    assert status == 0, said
    assert "Warning" not in said
    assert (WeightsStore(folder).path("vae") / "model.bin").read_bytes().startswith(b"clip")


def test_a_missing_name_says_the_command(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    status, out, said = run("weights", "path", "vae")
    assert (status, out) == (1, "")
    assert "reactor download vae" in said
    assert "reactor.toml" not in said
    (folder / "reactor.toml").unlink()
    said = run("weights", "path", "vae")[2]
    assert "reactor download vae" in said
    assert '[weights]\n  vae = "hf://org/repo@revision"' in said
    monkeypatch.chdir("/")
    said = run("weights", "path", "vae", "-p", str(folder))[2]
    assert f"reactor download vae -p {str(folder).lstrip('/')}" in said


def test_a_name_without_a_source(folder: Path, run: Run) -> None:
    (folder / "reactor.toml").write_text('[weights]\nvae = "file:../disk/vae"\n')
    status, _, said = run("download", "clip")
    assert status == 1
    assert "Nothing says where clip comes from. It names: vae." in said
    assert 'clip = "hf://org/repo@revision"' in said
    assert run("download")[0] == 1, "the model asks for clip too"


def test_verify_and_repair(folder: Path, run: Run, tmp_path: Path) -> None:
    assert run("download", "--verify")[0] == 1, "nothing is there yet"
    run("download")
    assert run("download", "--verify")[0] == 0
    damaged = cache(tmp_path) / "vae" / "model.bin"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    status, _, said = run("download", "--verify")
    assert status == 1
    assert f"{damaged}: its checksum is another: reactor download vae --repair" in said
    assert run("download", "--repair")[0] == 0
    assert run("download", "--verify")[0] == 0


def test_a_file_that_is_gone_is_no_whole(folder: Path, run: Run, tmp_path: Path) -> None:
    run("download")
    (cache(tmp_path) / "vae" / "model.bin").unlink()
    assert "reactor download vae" in run("weights", "path", "vae")[2]
    assert run("download")[0] == 0
    assert run("weights", "path", "vae")[0] == 0


def test_the_same_name_of_another_project_is_told(folder: Path, run: Run, tmp_path: Path) -> None:
    run("download")
    (folder / "reactor.toml").write_text('[weights]\nvae = "s3://bucket/vae"\n')
    status, _, said = run("weights", "path", "vae")
    assert status == 1
    assert "this project names s3://bucket/vae" in said
    assert "not from s3://bucket/vae" in "".join(run("weights")[1:])


def test_the_list(folder: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("download", "vae")
    status, out, _ = run("weights")
    assert status == 0
    vae, clip = out.split("vae  ")[1], out.split("clip  ")[1]
    assert "3.0 kB  revision " in vae
    assert f"in {cache(tmp_path) / 'vae'}" in vae
    assert f"from file:{tmp_path / 'disk' / 'vae'}" in vae
    assert f"asked for by Painter (model.py), {folder}" in vae
    assert clip.startswith("not on this machine")
    assert run("weights", "list")[1] == out
    monkeypatch.chdir("/")
    assert run("weights", "-p", str(folder))[1] == out
    assert run("weights", "-p", str(folder), "list")[1] == out


def test_prune_removes_what_nobody_asks_for(folder: Path, run: Run, tmp_path: Path) -> None:
    run("download")
    (cache(tmp_path) / "mine").mkdir()
    (cache(tmp_path) / "mine" / "file").touch()
    assert "Every download" in run("weights", "prune")[1]
    (folder / "model.py").write_text(MODEL.replace('"vae", ', ""))
    (folder / "reactor.toml").write_text('[weights]\nclip = "file:../disk/clip"\n')
    assert str(cache(tmp_path) / "vae") in run("weights", "prune", "--dry-run")[1]
    assert (cache(tmp_path) / "vae").exists()
    assert run("weights", "prune")[0] == 2, "nobody is here to be asked"
    assert run("weights", "prune", "--yes")[0] == 0
    assert sorted(each.name for each in cache(tmp_path).iterdir() if each.is_dir()) == ["clip", "mine"]


def test_offline(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "reactor.toml").write_text('[weights]\nvae = "s3://bucket/vae"\n')
    status, _, said = run("download", "vae", "--offline")
    assert status == 1
    assert "nothing is fetched while offline" in said


@pytest.mark.parametrize("arguments", [["--verify", "--repair"], ["--nothing"]])
def test_bad_usage(folder: Path, run: Run, arguments: list[str]) -> None:
    assert run("download", *arguments)[0] == 2


def test_run_fetches_what_is_missing_first(
    folder: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = []
    monkeypatch.setattr(http, "serve", lambda project, options: served.append(project) or 0, raising=False)
    (folder / "weights" / "clip").mkdir(parents=True)
    (folder / "weights" / "clip" / "mine").touch()
    status, _, said = run("run", "--download")
    assert status == 0, said
    assert served[0].weights.path("vae") == cache(tmp_path) / "vae"
    assert not (cache(tmp_path) / "clip").exists(), "it was there"
    (folder / "reactor.toml").write_text("[weights]\n")
    (cache(tmp_path) / "vae" / "model.bin").unlink()
    status, _, said = run("run", "--download")
    assert status == 1
    assert "Nothing says where vae comes from" in said
    assert len(served) == 1


def test_upload_says_what_it_would_send(folder: Path, run: Run, tmp_path: Path) -> None:
    status, out, _ = run("upload", "vae", str(tmp_path / "disk" / "vae"), "s3://bucket/vae", "--dry-run")
    assert status == 0
    assert "model.bin  3.0 kB" in out
    for target in ("https://h/x", "hf://a/b", "nowhere"):
        assert run("upload", "vae", str(tmp_path / "disk" / "vae"), target)[0] == 1
    assert run("upload", "vae", str(tmp_path / "none"), "s3://bucket/vae", "--dry-run")[0] == 1


def test_help_needs_none_of_the_libraries() -> None:
    code = (
        "import sys, reactor_runtime.cli.download, reactor_runtime.cli.weights, reactor_runtime.cli.upload\n"
        "import reactor_runtime.project.weights\n"
        "print([name for name in ('obstore', 'huggingface_hub') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"


def test_a_bar_on_a_terminal(folder: Path, tmp_path: Path) -> None:
    import os
    import pty

    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "reactor_runtime", "download", "vae"]
    process = subprocess.Popen(command, stderr=theirs, stdout=theirs, cwd=folder, env=dict(os.environ))
    os.close(theirs)
    said = b""
    try:
        while piece := os.read(ours, 4096):
            said += piece
    except OSError:
        pass  # how a terminal ends
    os.close(ours)
    assert process.wait(30) == 0
    assert b"100%  3.0 kB of 3.0 kB" in said
    assert b"/s" in said
