"""Downloads from a hub: a small one of our own, behind HF_ENDPOINT."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.project.weights.conftest import Get, noise
from tests.project.weights.places import Site, put_repository

from reactor_runtime.errors import WeightsError
from reactor_runtime.project.weights.manifest import read_manifest
from reactor_runtime.project.weights.staging import BLOCK

ONE, TWO = "1" * 40, "2" * 40
FILES = {
    "config.json": b'{"a": 1}',
    "model.safetensors": noise(9 * BLOCK + 5),
    "vae/diffusion.safetensors": noise(BLOCK, 2),
}
TOKEN = "hf_abcdefghijklmnop"


@pytest.fixture(autouse=True)
def hub(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("HF_ENDPOINT", site.base)
    put_repository(site, "org/model", {"main": ONE, "v1": ONE}, FILES)
    return site


def test_a_repository_arrives_at_its_commit(hub: Site, get: Get, root: Path) -> None:
    get("hf://org/model")
    for path, body in FILES.items():
        assert (root / "vae" / path).read_bytes() == body
    manifest = read_manifest(root / "vae")
    assert manifest is not None
    assert manifest.revision == ONE
    assert not get("hf://org/model").fetched


def test_a_new_commit_brings_only_what_changed(hub: Site, get: Get, root: Path) -> None:
    get("hf://org/model")
    new = {**FILES, "config.json": b'{"a": 2}'}
    put_repository(hub, "org/model", {"main": TWO}, new)
    before = len(hub.asked)
    assert get("hf://org/model").fetched
    assert (root / "vae" / "config.json").read_bytes() == b'{"a": 2}'
    assert not [path for path, _, _ in hub.asked[before:] if path.endswith(".safetensors")]


def test_a_folder_of_a_repository(get: Get, root: Path) -> None:
    get("hf://org/model@main/vae")
    assert (root / "vae" / "diffusion.safetensors").read_bytes() == FILES["vae/diffusion.safetensors"]
    assert not (root / "vae" / "model.safetensors").exists()


@pytest.mark.parametrize("path", ["config.json", "model.safetensors"])
def test_a_damaged_file_is_never_taken(hub: Site, get: Get, root: Path, path: str) -> None:
    damaged = bytearray(FILES[path])
    damaged[3] ^= 1
    hub.files[f"/org/model/resolve/{ONE}/{path}"] = bytes(damaged)
    with pytest.raises(WeightsError, match=rf"{path} arrived with another checksum"):
        get("hf://org/model")
    assert not (root / "vae").exists()


def test_the_token_goes_to_the_hub_only(hub: Site, get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    get("hf://org/model")
    fetched = [authorization for path, _, authorization in hub.asked if "/resolve/" in path]
    assert set(fetched) == {f"Bearer {TOKEN}"}


def test_a_repository_that_is_not_there(get: Get) -> None:
    with pytest.raises(WeightsError, match=r"hf://org/other"):
        get("hf://org/other")


def test_a_name_that_leaves_the_folder(hub: Site, get: Get, root: Path) -> None:
    put_repository(hub, "org/model", {"main": ONE}, {"../../x": b"x"})
    with pytest.raises(WeightsError, match=r"which would leave the folder"):
        get("hf://org/model")
    assert not (root / "vae").exists()


def test_the_endpoint_of_the_environment_by_the_real_program(hub: Site, tmp_path: Path) -> None:
    (tmp_path / "reactor.toml").write_text('[weights]\nvae = "hf://org/model@v1"\n')
    command = [sys.executable, "-m", "reactor_runtime", "download", "--weights-dir", "w"]
    environment = {"HF_ENDPOINT": hub.base, "HOME": str(tmp_path), "HF_TOKEN": TOKEN}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert TOKEN not in done.stderr + done.stdout
    assert "vae is here and verified" in done.stderr
    kept = json.loads((tmp_path / "w" / "vae" / ".reactor-manifest.json").read_text())
    assert kept["revision"] == ONE
    assert TOKEN not in json.dumps(kept)
