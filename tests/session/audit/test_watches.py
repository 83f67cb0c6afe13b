"""What is left in the process: told where the author's code has left it, and not where libraries keep it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from reactor_runtime import VideoModel, model
from reactor_runtime.session.audit import Audit
from reactor_runtime.session.audit.given import Client


@model("watched")
class Watched(VideoModel):
    def start_session(self) -> None: ...


@pytest.fixture
def told() -> Callable[..., list[str]]:
    watched = Watched()
    audit = Audit(Watched, Path(__file__).parent)
    audit.begin(watched)
    session = iter(range(1, 99))

    def end(client: str = "nobody here") -> list[str]:
        report = audit.end(watched, next(session), Client([client]))
        assert not report.problem
        return [finding.path for finding in report.findings]

    return end


@pytest.fixture
def ended() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_a_thread_that_is_left_is_told_once(told: Callable[..., list[str]], ended: threading.Event) -> None:
    def work() -> None:
        ended.wait(30)

    threading.Thread(target=work, name="mine", daemon=True).start()
    assert told() == ["thread 'mine'"]
    assert told() == []


def test_a_thread_that_is_about_to_end_is_waited_for(told: Callable[..., list[str]]) -> None:
    seen = threading.Event()

    def work() -> None:
        seen.wait(0.05)

    threading.Thread(target=work, daemon=True).start()
    assert told() == []


def test_threads_of_libraries_are_told_when_each_session_adds_some(
    told: Callable[..., list[str]], ended: threading.Event
) -> None:
    found = []
    for _ in range(3):
        threading.Thread(target=ended.wait, args=(30,), daemon=True).start()
        found.append(told())
    assert found == [[], ["threads of libraries"], []]


def test_an_open_file_is_told(told: Callable[..., list[str]], tmp_path: Path) -> None:
    with (tmp_path / "left.txt").open("w") as file:
        assert told() == [f"open file {file.name}"]
        assert told() == []
    assert told() == []


def test_a_folder_that_is_held_is_no_open_file(told: Callable[..., list[str]], tmp_path: Path) -> None:
    held = os.open(tmp_path, os.O_RDONLY)
    try:
        assert told() == []
    finally:
        os.close(held)


def test_a_child_process_is_told(told: Callable[..., list[str]]) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        [path] = told()
        assert path.startswith(f"child process {child.pid}")
    finally:
        child.communicate()
    assert told() == []


def test_the_environment(told: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SET_BY_A_LIBRARY", "1")
    assert told() == [], "it may stay"
    monkeypatch.setenv("SET_BY_A_LIBRARY", "2")
    assert told() == ["os.environ['SET_BY_A_LIBRARY']"]
    monkeypatch.setenv("PROMPT", "a red car on the moon")
    assert told("a red car on the moon") == ["os.environ['PROMPT']"]


def test_the_current_folder(
    told: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert told() == ["the current folder"]
    monkeypatch.chdir(os.path.dirname(__file__))


def test_switches_of_torch(told: Callable[..., list[str]]) -> None:

    before = torch.is_grad_enabled()
    torch.set_grad_enabled(not before)
    try:
        assert told() == ["torch.is_grad_enabled()"]
    finally:
        torch.set_grad_enabled(before)
