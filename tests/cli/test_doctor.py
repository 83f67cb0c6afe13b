"""`reactor doctor`: its status, its lines and its JSON, from a process of its own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

from tests.runtimes.doctor.test_doctor import GOOD, answering

REACTOR = [sys.executable, "-m", "reactor_runtime", "doctor"]


def doctor(*arguments: str) -> tuple[int, str]:
    done = subprocess.run([*REACTOR, *arguments], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def test_a_server_that_runs_and_one_that_does_not() -> None:
    with answering(GOOD) as url:
        status, out = doctor("--url", url)
        assert (status, out.splitlines()[0]) == (0, f"ok      {url} answers: echo is ready.")
        status, out = doctor("--url", url, "--json")
        assert (status, [each["check"] for each in json.loads(out)]) == (0, ["reachable", "page", "rungs"])
    status, out = doctor("--url", url)
    assert status == 1
    assert out.startswith("PROBLEM ")


def test_this_machine_with_a_port_that_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        status, out = doctor("--port", str(taken.getsockname()[1]), "--json")
    assert status == 1
    found = {each["check"]: each["level"] for each in json.loads(out)}
    assert found["port"] == "problem"
    assert {
        "addresses",
        "udp",
        "rung_udp",
        "rung_tcp",
        "encoders",
        "torch",
        "disk",
        "licence",
    } <= found.keys()
