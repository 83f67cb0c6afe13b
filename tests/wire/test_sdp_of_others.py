"""Chromium as a client that changes its mind: tracks come and go on one connection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .browser import new_page
from .server import Server

pytestmark = [pytest.mark.wire, pytest.mark.browser]
PROJECT = "echo"
SCRIPT = (Path(__file__).parent / "others.js").read_text()


@pytest.fixture(scope="module")
def page(server: Server, chromium: str) -> Iterator[Any]:
    with new_page(chromium) as page:
        page.goto(f"{server.url}/health")
        yield page


def play(page: Any, server: Server, *steps: list[str], policy: str = "balanced") -> dict[str, Any]:
    try:
        result: dict[str, Any] = page.evaluate(SCRIPT, {"policy": policy, "steps": steps})
    finally:
        server.stop_session()
    return result


def test_tracks_come_and_go_on_one_connection(page: Any, server: Server) -> None:
    """A camera that is switched on later, a second picture, a camera that is stopped and comes again."""
    played = play(
        page,
        server,
        ["channel", "watch main_video"],
        ["send webcam"],
        ["watch webcam_back"],
        ["stop webcam", "restart"],
        ["send webcam"],
    )

    steps = played["result"]
    assert [step["flows"] for step in steps] == [
        ["main_video"],
        ["main_video", "webcam"],
        ["main_video", "webcam", "webcam_back"],
        ["main_video", "webcam_back"],
        ["main_video", "webcam_back", "webcam"],
    ]
    assert any(line == "m=video 0" for line in steps[3]["lines"])
    assert played["told"] == []
    assert "Traceback" not in server.log


def test_the_first_picture_may_be_stopped(page: Any, server: Server) -> None:
    """The section that carried the transport of all is the one that ends."""
    played = play(
        page, server, ["watch main_video", "watch webcam_back", "channel"], ["stop main_video", "restart"]
    )

    assert [step["flows"] for step in played["result"]] == [["main_video", "webcam_back"], ["webcam_back"]]


def test_a_picture_may_pause(page: Any, server: Server) -> None:
    played = play(
        page,
        server,
        ["channel", "watch main_video", "watch webcam_back", "send webcam"],
        ["pause main_video", "pause webcam"],
        ["resume main_video", "resume webcam"],
    )

    everything = ["main_video", "webcam_back", "webcam"]
    assert [step["flows"] for step in played["result"]] == [everything, ["webcam_back"], everything]


@pytest.mark.parametrize("policy", ["balanced", "max-bundle"])
def test_a_first_section_that_nobody_here_encodes(page: Any, server: Server, policy: str) -> None:
    """The others play without it, and both sides are told."""
    offer = ["foreign main_video", "watch webcam_back", "send webcam", "channel"]
    played = play(page, server, offer, policy=policy)

    [step] = played["result"]
    assert len(step["lines"]) == 4
    assert step["flows"] == ["webcam_back", "webcam"]
    [told] = played["told"]
    assert (told["track"], told["code"]) == ("main_video", "no_common_codec")
    assert told["message"] in server.log
