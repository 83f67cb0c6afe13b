"""The real program: killed at random, twice at once, on a full disk."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.project.weights.conftest import noise
from tests.project.weights.places import Site

from reactor_runtime.project.weights.manifest import read_manifest
from reactor_runtime.project.weights.verify import problems

SIZE = 24 * 2**20 + 12_345
BODY = noise(SIZE)


def command(site: Site, *more: str) -> list[str]:
    source = f"vae={site.base}/model.bin"
    return [sys.executable, "-m", "reactor_runtime", "download", source, "--weights-dir", "cache", *more]


def start(command: list[str], cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A suite that a shell runs in the background inherits that Ctrl-C is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def until(condition: object, seconds: float = 30.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_random_bytes_it_goes_on(site: Site, tmp_path: Path, seed: int) -> None:
    site.files["/model.bin"], site.delay_s = BODY, 0.004
    chance = random.Random(seed)
    folder = tmp_path / "cache" / "vae"
    kills = 0
    for _ in range(4):
        process = start(command(site), tmp_path)
        stop_at = site.sent + chance.randrange(1, SIZE // 3)
        until(lambda process=process, stop_at=stop_at: site.sent >= stop_at or process.poll() is not None)
        if process.poll() is None:
            process.kill()
            kills += 1
            assert not folder.exists(), "half of it is never in its place"
        process.communicate(timeout=30)
    site.delay_s = 0
    before = site.sent
    last = start(command(site), tmp_path)
    _, said = last.communicate(timeout=60)
    assert last.returncode == 0, said
    assert kills > 1
    manifest = read_manifest(folder)
    assert manifest is not None
    assert not problems(folder, manifest)
    assert (folder / "model.bin").read_bytes() == BODY
    assert site.sent - before < SIZE, "what had come did not come again"


def test_what_the_disk_lost_after_a_power_failure_comes_again(site: Site, tmp_path: Path) -> None:
    """The journal says that blocks are there, and the disk has something else."""
    site.files["/model.bin"], site.delay_s = BODY, 0.004
    process = start(command(site), tmp_path)
    partial = tmp_path / "cache" / "vae.partial"
    until(lambda: any(len(each.read_bytes()) > 40 for each in partial.glob("*.blocks")))
    process.kill()
    process.communicate(timeout=30)
    [journal] = partial.glob("*.blocks")
    data = journal.with_suffix("")
    size = data.stat().st_size
    data.write_bytes(b"")
    os.truncate(data, size)
    with journal.open("ab") as stream:
        stream.write(b"3 0000")  # and a line that was torn
    site.delay_s = 0
    last = start(command(site), tmp_path)
    _, said = last.communicate(timeout=60)
    assert last.returncode == 0, said
    assert (tmp_path / "cache" / "vae" / "model.bin").read_bytes() == BODY


def test_two_at_once_fetch_it_once(site: Site, tmp_path: Path) -> None:
    site.files["/model.bin"], site.delay_s = BODY, 0.002
    both = [start(command(site), tmp_path) for _ in range(2)]
    said = [each.communicate(timeout=90)[1] for each in both]
    assert [each.returncode for each in both] == [0, 0], said
    assert (tmp_path / "cache" / "vae" / "model.bin").read_bytes() == BODY
    assert site.sent < SIZE * 1.1
    assert any("waiting for it" in each for each in said)
    assert any("is here already" in each for each in said)


def test_the_second_goes_on_when_the_first_is_killed(site: Site, tmp_path: Path) -> None:
    site.files["/model.bin"], site.delay_s = BODY, 0.004
    first = start(command(site), tmp_path)
    until(lambda: site.sent > SIZE // 4)
    second = start(command(site), tmp_path)
    first.kill()
    first.communicate(timeout=30)
    site.delay_s = 0
    _, said = second.communicate(timeout=60)
    assert second.returncode == 0, said
    assert (tmp_path / "cache" / "vae" / "model.bin").read_bytes() == BODY


def test_ctrl_c_ends_it_at_once_and_keeps_what_came(site: Site, tmp_path: Path) -> None:
    site.files["/model.bin"], site.delay_s = BODY, 0.01
    process = start(command(site), tmp_path)
    until(lambda: site.sent > 4 * 2**20)
    os.killpg(process.pid, 2)
    process.communicate(timeout=20)
    assert process.returncode == 130
    site.delay_s, before = 0, site.sent
    last = start(command(site), tmp_path)
    last.communicate(timeout=60)
    assert last.returncode == 0
    assert site.sent - before < SIZE


def small_disk(tmp_path: Path, size: str, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Runs `command` where `cache` is a disk of that size, which only this process sees."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("a disk of its own needs root and unshare")
    (tmp_path / "cache").mkdir(exist_ok=True)
    script = f'mount -t tmpfs -o size={size} none cache || exit 77; "$@"; s=$?; ls -R cache; exit $s'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    if done.returncode == 77:
        pytest.skip("no disk can be mounted here")
    return done


def test_the_disk_is_asked_before(site: Site, tmp_path: Path) -> None:
    site.files["/model.bin"] = BODY
    done = small_disk(tmp_path, "16m", command(site))
    assert done.returncode == 1
    assert "vae needs 25.2 MB" in done.stderr
    assert "16.8 MB are free" in done.stderr
    assert "--weights-dir" in done.stderr
    assert site.sent <= 1


def test_a_disk_that_is_full_in_the_middle(site: Site, tmp_path: Path) -> None:
    """Nobody knew the size: it comes in pieces, without a length."""
    site.files["/model.bin"], site.ranges, site.lengths = BODY, False, False
    done = small_disk(tmp_path, "16m", command(site))
    assert done.returncode == 1
    assert "is full" in done.stderr
    assert "reactor weights prune" in done.stderr
    assert "Traceback" not in done.stderr
    assert "vae.partial" in done.stdout
    assert "cache/vae:" not in done.stdout


def test_a_folder_that_cannot_be_written(site: Site, tmp_path: Path) -> None:
    site.files["/model.bin"] = BODY
    (tmp_path / "cache").write_text("a file")
    process = start(command(site), tmp_path)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "cannot be written" in said
    assert "Traceback" not in said
