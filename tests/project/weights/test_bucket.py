"""Uploads to and downloads from a real S3-compatible server on loopback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.project.weights.conftest import Get, noise
from tests.project.weights.silent import Silent

from reactor_runtime.errors import WeightsError
from reactor_runtime.project.weights.bucket import Bucket
from reactor_runtime.project.weights.manifest import read_manifest
from reactor_runtime.project.weights.source import parse_source
from reactor_runtime.project.weights.upload import Uploaded, upload

SECRET = "wJalrXUtnFEMI-the-secret-key"
BIG = noise(20 * 2**20 + 77)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket `models`, empty, and the usual environment."""
    import boto3

    settings = {
        "AWS_ENDPOINT_URL": moto,
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=moto)
    client.create_bucket(Bucket="models")
    yield client
    for each in client.list_objects_v2(Bucket="models").get("Contents", []):
        client.delete_object(Bucket="models", Key=each["Key"])
    client.delete_bucket(Bucket="models")
    client.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "mine"
    (made / "deep").mkdir(parents=True)
    (made / "big.bin").write_bytes(BIG)
    (made / "deep" / "small.bin").write_bytes(b"small")
    return made


def put(folder: Path, target: str = "s3://models/w") -> Uploaded:
    return upload("vae", folder, parse_source(target, folder), Silent())


def test_there_and_back(s3: Any, folder: Path, get: Get, root: Path) -> None:
    assert put(folder).sent == 2
    get("s3://models/w")
    assert (root / "vae" / "big.bin").read_bytes() == BIG
    assert (root / "vae" / "deep" / "small.bin").read_bytes() == b"small"
    assert not (root / "vae" / "reactor-manifest.json").exists()
    assert not get("s3://models/w").fetched


def test_what_is_there_is_skipped(s3: Any, folder: Path) -> None:
    put(folder)
    assert put(folder) == Uploaded(0, 2, 0)
    (folder / "deep" / "small.bin").write_bytes(b"SMALL")
    assert put(folder) == Uploaded(1, 1, 5)


def test_a_new_upload_is_a_new_revision(s3: Any, folder: Path, get: Get, root: Path) -> None:
    put(folder)
    get("s3://models/w")
    (folder / "deep" / "small.bin").write_bytes(b"SMALL")
    put(folder)
    assert get("s3://models/w").fetched
    assert (root / "vae" / "deep" / "small.bin").read_bytes() == b"SMALL"


def test_half_an_upload_is_never_taken_for_a_whole_one(s3: Any, folder: Path, get: Get, root: Path) -> None:
    put(folder)
    manifest = s3.get_object(Bucket="models", Key="w/reactor-manifest.json")["Body"].read()
    half = manifest.replace(b'"complete": true', b'"complete": false')
    s3.put_object(Bucket="models", Key="w/reactor-manifest.json", Body=half)
    with pytest.raises(WeightsError, match=r"an upload that has not finished"):
        get("s3://models/w")
    assert not (root / "vae").exists()
    assert put(folder).sent == 0
    assert get("s3://models/w").fetched


def test_a_prefix_without_manifest(s3: Any, get: Get, root: Path) -> None:
    s3.put_object(Bucket="models", Key="plain/", Body=b"")
    s3.put_object(Bucket="models", Key="plain/a/b.bin", Body=BIG)
    s3.put_object(Bucket="models", Key="plainer/c.bin", Body=b"another's")
    get("s3://models/plain")
    assert (root / "vae" / "a" / "b.bin").read_bytes() == BIG
    manifest = read_manifest(root / "vae")
    assert manifest is not None
    assert set(manifest.files) == {"a/b.bin"}


def test_one_object(s3: Any, get: Get, root: Path) -> None:
    s3.put_object(Bucket="models", Key="one/model.bin", Body=b"model")
    get("s3://models/one/model.bin")
    assert (root / "vae" / "model.bin").read_bytes() == b"model"


def test_an_object_that_changes_meanwhile(s3: Any, get: Get, root: Path) -> None:
    s3.put_object(Bucket="models", Key="w/a.bin", Body=BIG)
    other = noise(len(BIG), 9)

    class Changing(Silent):
        done = False

        def begin(self, *_: object) -> None:
            if not self.done:
                self.done = True
                s3.put_object(Bucket="models", Key="w/a.bin", Body=other)

    get("s3://models/w", progress=Changing())
    assert (root / "vae" / "a.bin").read_bytes() == other


def test_nothing_there(s3: Any, get: Get) -> None:
    with pytest.raises(WeightsError, match=r"s3://models/none is not there"):
        get("s3://models/none")
    with pytest.raises(WeightsError, match=r"s3://nobody/none"):
        get("s3://nobody/none")


def test_the_real_programs_show_no_secret(s3: Any, folder: Path, tmp_path: Path) -> None:
    sent = reactor(tmp_path, "upload", "vae", folder, "s3://models/w")
    assert sent.returncode == 0, sent.stderr
    assert 'vae = "s3://models/w"' in sent.stdout
    (tmp_path / "reactor.toml").write_text('[weights]\nvae = "s3://models/w"\n')
    got = reactor(tmp_path, "download", "--weights-dir", "there")
    assert got.returncode == 0, got.stderr
    assert "vae: big.bin  21.0 MB  fetched in" in got.stderr
    missing = reactor(tmp_path, "download", "vae=s3://nobody/x", "--weights-dir", "other")
    assert missing.returncode == 1
    assert SECRET not in "".join(each.stdout + each.stderr for each in (sent, got, missing))


def test_an_upload_that_is_killed_goes_on(s3: Any, folder: Path, tmp_path: Path, get: Get) -> None:
    for number in range(30):
        (folder / f"part{number}.bin").write_bytes(noise(2**20, number + 100))
    command = [sys.executable, "-m", "reactor_runtime", "upload", "vae", str(folder), "s3://models/w"]
    process = subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if s3.list_objects_v2(Bucket="models").get("KeyCount", 0) > 8:
            break
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    done = put(folder)
    assert done.skipped > 0
    assert get("s3://models/w").fetched


def reactor(cwd: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reactor_runtime", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", ["big.bin", "deep/small.bin"])
def test_a_file_that_changes_while_it_is_sent_never_appears(
    s3: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Its checksum was taken before; what is sent must be the same."""
    from reactor_runtime.project.weights import upload as uploading

    real = uploading.file_digest

    def digest(file: Path) -> str:
        found = real(file)
        if file == folder / name:
            file.write_bytes(noise(file.stat().st_size, 99))
        return found

    monkeypatch.setattr(uploading, "file_digest", digest)
    with pytest.raises(WeightsError, match=rf"{name} has changed while it was sent"):
        put(folder)
    keys = {each["Key"] for each in s3.list_objects_v2(Bucket="models").get("Contents", [])}
    assert f"w/{name}" not in keys
    with pytest.raises(WeightsError, match=r"an upload that has not finished"):
        Bucket(parse_source("s3://models/w", folder)).listing()


def test_without_credentials_it_says_which(s3: Any, get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(WeightsError, match=r"set AWS_ACCESS_KEY_ID"):
        get("s3://models/w")
