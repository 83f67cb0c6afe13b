"""The date jumps for every process of a fleet: leases and places go by another clock."""

from __future__ import annotations

import os
import time
from pathlib import Path

import httpx
import pytest
from tests.fleet import serving

pytestmark = pytest.mark.timeout(120)

LEAPING = Path(__file__).parent / "leaping"
HOUR = 3600.0
CAP_S = 9
HOLDS_S = 2.5
"""Longer than from one heartbeat to the next."""


def leap(file: Path, seconds: float) -> None:
    """At once: nobody reads half of it."""
    new = file.with_suffix(".new")
    new.write_text(str(seconds))
    new.rename(file)


def test_an_hour_forward_and_back_changes_no_lease_and_no_place(tmp_path: Path) -> None:
    file = tmp_path / "leaps"
    leap(file, 0)
    path = os.pathsep.join(filter(None, [str(LEAPING), os.environ.get("PYTHONPATH")]))
    with serving.serving("--session-cap", str(CAP_S), PYTHONPATH=path, LEAPS=str(file)) as fleet:
        player, waiting = fleet.ticket(), fleet.ticket()
        claimed, began = fleet.claim(player), time.monotonic()
        dates = []
        for seconds in (HOUR, -HOUR):
            leap(file, seconds)
            until = time.monotonic() + HOLDS_S
            while time.monotonic() < until:
                places = [fleet.place(ticket) for ticket in (player, waiting)]
                assert [(place["state"], place["position"]) for place in places][1] == ("waiting", 1)
                assert places[0]["state"] == "claimed"
                session = httpx.get(f"{claimed['base_url']}/session").json()
                assert session["session_id"] == claimed["session_id"]
                time.sleep(0.1)
            dates.append(next(iter(fleet.workers().values()))["since"])
        assert dates[0] - dates[1] == pytest.approx(2 * HOUR, abs=60), "their date did not jump"
        fleet.until(lambda: fleet.place(waiting)["state"] == "offered", "the lease does not end")
        assert time.monotonic() - began >= CAP_S - 1, "the lease ended too early"
        assert fleet.place(player)["state"] == "expired"
        assert "stood still" not in fleet.log
