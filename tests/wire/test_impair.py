"""What people with a bad network see: `--impair` makes one for our media, and a real browser watches."""

from __future__ import annotations

import itertools

import httpx
import pytest

from .browser import new_page
from .server import Server, running
from .test_pacing import Seen, Viewer

pytestmark = [pytest.mark.wire, pytest.mark.browser]

CODEC = "video/VP8"
ATTEMPTS = 3
"""Chance decides what is lost, and other tests run beside this one: one stretch must be good."""


def gaps(seen: list[Seen]) -> list[float]:
    return [later.at - earlier.at for earlier, later in itertools.pairwise(seen)]


def session_number(server: Server) -> object:
    return httpx.get(f"{server.url}/session").json()["number"]


def test_losses_and_a_long_way_cost_few_pictures_and_no_long_freeze(chromium: str) -> None:
    found = []
    with running("paced", "--impair", "loss=3,rtt=150") as server, new_page(chromium) as page:
        viewer = Viewer(page, server, CODEC)
        viewer.wait(60)
        for _ in range(ATTEMPTS):
            viewer.wait(220)
            seen = viewer.seen()[-220:]
            share = len(seen) / (seen[-1].index - seen[0].index + 1)
            found.append((round(share, 3), round(max(gaps(seen)))))
            if share >= 0.9 and max(gaps(seen)) <= 500:
                return
    pytest.fail(f"(share of the pictures that came, longest freeze in ms) in each stretch: {found}")


def test_a_blackout_heals_in_the_same_session(chromium: str) -> None:
    with running("paced", "--impair", "blackout=5@4") as server, new_page(chromium) as page:
        viewer = Viewer(page, server, CODEC)
        before = session_number(server)
        viewer.until("window.seen.some((frame, i, all) => i && frame.at - all[i - 1].at > 3000)")
        viewer.wait(30)

        assert max(gaps(viewer.seen())) < 5000 + 2000
        assert session_number(server) == before
