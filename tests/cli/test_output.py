"""stdout is the document and nothing else, also after it was printed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Project = Callable[..., Path]
Reactor = Callable[..., "subprocess.CompletedProcess[str]"]

NOISE = {
    "an exit hook": "import atexit\natexit.register(print, 'noise')\n",
    "an exit hook below Python": "import atexit, os\natexit.register(os.write, 1, b'noise')\n",
    "C code with a buffer": "import ctypes\nctypes.CDLL(None).printf(b'noise')\n",
    "a child at exit": "import atexit, os\natexit.register(os.system, 'echo noise')\n",
    "a thread": (
        "import threading, time\n"
        "def talk():\n"
        "    for _ in range(200):\n"
        "        print('noise', flush=True)\n"
        "        time.sleep(0.005)\n"
        "threading.Thread(target=talk).start()\n"
    ),
    "a kept stdout": "import atexit, sys\natexit.register(sys.__stdout__.write, 'noise')\n",
    "a child that lives on": "import subprocess\nsubprocess.Popen(['sh', '-c', 'sleep 0.3; echo noise'])\n",
}


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE)
@pytest.mark.parametrize("command", ["capabilities", "schema"])
def test_the_json_is_whole_and_alone(reactor: Reactor, project: Project, command: str, noise: str) -> None:
    result = reactor(command, "-p", project(before=noise))
    assert result.returncode == 0, result.stderr
    assert "set_colour" in json.dumps(json.loads(result.stdout))
    assert "noise" in result.stderr


def test_the_table_of_the_configuration_is_alone_too(reactor: Reactor, project: Project) -> None:
    result = reactor("run", "--config-help", "-p", project(before=NOISE["an exit hook"]))
    assert result.stdout.splitlines() == ["--model.fps  30  studio/config.yml:1  int"]


def test_a_reader_does_not_wait_for_a_forked_child(project: Project, tmp_path: Path) -> None:
    fork = "import os, time\nif os.fork() == 0:\n    time.sleep(20)\n    os._exit(0)\n"
    with subprocess.Popen(
        [sys.executable, "-m", "reactor_runtime", "schema", "-p", project(before=fork)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert json.loads(process.stdout.read())
            assert process.wait(timeout=10) == 0
        finally:
            _end_group(process.pid)


def _end_group(pid: int) -> None:
    import contextlib
    import os
    import signal

    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def test_a_reader_that_leaves_early_is_no_error(project: Project) -> None:
    command = f"{sys.executable} -m reactor_runtime schema -p {project()} | true"
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert result.stderr == ""


def test_a_closed_stdout_is_a_sentence(project: Project) -> None:
    command = f"{sys.executable} -m reactor_runtime schema -p {project()} >&-"
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (
        1,
        "Error: stdout is closed, so there is nowhere to print to.\n",
    )
