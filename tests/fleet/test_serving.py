"""`reactor serve` with real workers: what a client meets from the ticket to the end of its session."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from tests.fleet.serving import Fleet, Stream, serving


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with serving(
        "--workers",
        "2",
        "--gpus",
        "4,7",
        "--queue",
        "2",
        "--session-cap",
        "600",
        "--orphan-timeout",
        "0",
        ready=2,
    ) as running:
        yield running


@pytest.fixture(autouse=True)
def nobody_left(fleet: Fleet) -> Iterator[None]:
    yield
    for worker in fleet.workers().values():
        if worker["session"]:
            fleet.http.post("/fleet/kick", json={"worker": worker["id"]})
    fleet.until(lambda: fleet.get("/fleet")["queue"]["length"] == 0, "somebody waits")
    fleet.wait_ready(2)


def claimed(fleet: Fleet) -> tuple[str, dict[str, object]]:
    ticket = fleet.ticket()
    return ticket, fleet.claim(ticket)


def test_a_claim_gives_a_session_and_an_address_that_is_a_whole_server(fleet: Fleet) -> None:
    _, claim = claimed(fleet)
    base = str(claim["base_url"])
    assert claim["session_id"] != "local"
    assert "/t/" in base
    running = httpx.get(f"{base}/session").json()
    assert (running["session_id"], running["state"]) == (claim["session_id"], "WAITING")
    assert httpx.post(f"{base}/start_session", json={}).json()["session_id"] == claim["session_id"]
    wire = f"{base}/sessions/{claim['session_id']}/transport/webrtc"
    connection = httpx.post(f"{wire}/connections")
    assert connection.status_code == 201, connection.text
    offer = httpx.post(
        f"{wire}/connections/{connection.json()['connection_id']}/sdp_params", json={"sdp_offer": "?"}
    )
    assert (offer.status_code, offer.json()["code"]) == (400, "invalid_sdp")
    assert httpx.post(f"{base}/stop_session").json()["state"] == "READY"
    fleet.wait_ready(2)
    over = httpx.get(f"{base}/session")
    assert (over.status_code, over.json()["code"]) == (404, "unknown_session")


PAGE = {"Accept": "text/html"}


def test_a_link_to_a_session_watches_that_one_and_no_more(fleet: Fleet) -> None:
    _, claim = claimed(fleet)
    base, number = str(claim["base_url"]), claim["session_id"]
    shared = httpx.post(f"{base}/share", json={"address": f"{fleet.url}/"}).json()
    link = shared["link"]
    assert link.startswith(f"{fleet.url}/t/")
    assert link.endswith("/")
    assert "<svg" in shared["qr"]
    # The same from a page that has such an address itself, with the values of its controls.
    again = httpx.post(f"{base}/share", json={"address": f"{base}/", "values": "%7B%7D"}).json()["link"]
    assert (again.count("/t/"), again[-8:]) == (1, "/#%7B%7D")

    page = httpx.get(link, headers=PAGE)
    assert (page.status_code, "reactor-fleet" in page.text) == (200, False)
    assert httpx.get(f"{link}web/app.js").status_code == 200
    assert httpx.get(f"{link}session").json()["session_id"] == number
    assert httpx.post(f"{link}start_session", json={}).json()["session_id"] == number
    for path in ("stop_session", "share"):
        refused = httpx.post(f"{link}{path}", json={"address": link})
        assert (refused.status_code, refused.json()["code"]) == (403, "view_only"), path
    control = httpx.post(f"{base}/share", json={"address": f"{fleet.url}/", "role": "control"}).json()["link"]
    assert httpx.post(f"{control}stop_session").json()["state"] == "READY"
    fleet.wait_ready(2)
    over = httpx.post(f"{link}start_session", json={})
    assert (over.status_code, over.json()["code"]) == (409, "session_over")
    # A browser that comes too late is led to the waiting room.
    late = httpx.get(link, headers=PAGE)
    assert (late.status_code, late.headers["location"]) == (303, "../../")


def test_who_plays_nothing_shares_nothing(fleet: Fleet) -> None:
    refused = fleet.http.post("/share", json={"address": f"{fleet.url}/"})
    assert (refused.status_code, refused.json()["code"]) == (404, "no_session")


def test_requests_without_a_session_mean_the_one_of_their_address(fleet: Fleet) -> None:
    nobody = fleet.http.get("/session").json()
    assert (nobody["state"], nobody["session_id"], nobody["clients"]) == ("READY", "", [])
    assert fleet.http.post("/stop_session").json() == {"state": "READY"}
    assert fleet.http.get("/ice_servers").json() == {"ice_servers": []}
    assert fleet.http.post("/sdp_params", json={"sdp": "?"}).json()["code"] == "no_session"
    first = fleet.http.post("/start_session", json={}).json()["session_id"]
    assert fleet.http.get("/session").json()["session_id"] == first
    second = fleet.http.post("/start_session", json={}).json()["session_id"]
    ambiguous = fleet.http.get("/session")
    assert (ambiguous.status_code, ambiguous.json()["code"]) == (409, "which_session")
    assert first != second
    third = fleet.http.post("/start_session", json={})
    assert (third.status_code, third.json()["code"]) == (503, "queued")
    assert "1st in line" in third.json()["detail"]
    assert 0 < int(third.headers["retry-after"]) < 30
    again = fleet.http.post("/start_session", json={})
    assert "1st in line" in again.json()["detail"]
    for worker in fleet.workers().values():
        fleet.http.post("/fleet/kick", json={"worker": worker["id"]})
    fleet.until(lambda: fleet.http.post("/start_session", json={}).status_code == 200, "its turn never came")


def test_who_has_no_session_is_told_of_the_model_and_of_nobody_else(fleet: Fleet) -> None:
    elsewhere = httpx.HTTPTransport(local_address="127.0.0.2")
    with httpx.Client(base_url=fleet.url, transport=elsewhere) as stranger:
        before = stranger.get("/session").json()
        for seed in (4711, 4712):
            fleet.http.post("/start_session", json={"seed": seed}).raise_for_status()
        meanwhile = stranger.get("/session").json()
    assert meanwhile.keys() == before.keys()
    of_the_worker = {"started_at": 0, "number": 0, "audit": None}
    assert {**meanwhile, **of_the_worker} == {**before, **of_the_worker}
    assert (meanwhile["session_id"], meanwhile["state"]) == ("", "READY")
    assert meanwhile["model"]["name"] == "toy"


def test_the_line_is_told_as_it_moves_and_full_is_said(fleet: Fleet) -> None:
    for _ in range(2):
        claimed(fleet)
    bob, eve = fleet.ticket(), fleet.ticket()
    streams = [Stream(fleet, ticket) for ticket in (bob, eve)]
    fleet.until(lambda: [s.last().get("position") for s in streams] == [1, 2], "the places are not told")
    full = httpx.post(f"{fleet.url}/tickets")
    assert (full.status_code, full.json()["code"]) == (503, "queue_full")
    assert full.headers["retry-after"]
    assert fleet.http.delete(f"/tickets/{bob}").json()["state"] == "cancelled"
    fleet.until(lambda: streams[1].last().get("position") == 1, "the place did not move")
    # Of the sessions so far, which the other tests end at once.
    assert isinstance(streams[1].last()["eta_s"], float)
    assert fleet.http.post(f"/tickets/{eve}/claim").json()["code"] == "not_offered"
    fleet.http.delete(f"/tickets/{eve}")


def test_a_browser_has_one_ticket_and_a_reload_finds_it(fleet: Fleet) -> None:
    with httpx.Client(base_url=fleet.url) as browser:
        first = browser.post("/tickets").json()
        again = [browser.post("/tickets").json() for _ in range(20)]
    assert not first["existing"]
    assert {each["ticket"] for each in again} == {first["ticket"]}
    assert all(each["existing"] for each in again)
    fleet.http.delete(f"/tickets/{first['ticket']}")


def test_each_worker_sees_its_gpu_and_its_log_has_its_name(fleet: Fleet) -> None:
    seen = set()
    for worker in fleet.workers().values():
        with open(f"/proc/{worker['pid']}/environ", "rb") as file:
            variables = dict(entry.split(b"=", 1) for entry in file.read().split(b"\0") if b"=" in entry)
        seen.add(variables[b"CUDA_VISIBLE_DEVICES"])
        assert f"[{worker['id']}] " in fleet.log
    assert seen == {b"4", b"7"}


def test_nobody_reaches_what_is_between_the_engine_and_a_worker(fleet: Fleet) -> None:
    _, claim = claimed(fleet)
    for path in ("/worker/reports", "/worker/grant", "/%77orker/grant", "//worker/reports"):
        for base in (fleet.url, claim["base_url"]):
            assert httpx.get(f"{base}{path}").status_code in (404, 405), path


def test_the_guard_stands_in_front(fleet: Fleet) -> None:
    for headers, code in (
        ({"host": "evil.example"}, "wrong_host"),
        ({"origin": "http://evil.example"}, "origin_not_allowed"),
    ):
        assert httpx.post(f"{fleet.url}/tickets", headers=headers).json()["code"] == code


def test_probes_and_figures(fleet: Fleet) -> None:
    assert fleet.http.get("/livez").status_code == fleet.http.get("/readyz").status_code == 200
    assert fleet.http.get("/health").json()["model"] == "toy"
    assert 'reactor_fleet_workers{state="ready"} 2.0' in fleet.http.get("/metrics").text
    assert fleet.http.get("/schema").json()["info"]["title"] == "toy"


def test_the_command_line_shows_and_steers(fleet: Fleet) -> None:
    def ask(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "reactor_runtime", "fleet", *arguments, "--url", fleet.url]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    _, claim = claimed(fleet)
    shown = ask("status")
    assert shown.returncode == 0, shown.stderr
    assert str(claim["session_id"]) in shown.stdout
    assert '"workers"' in ask("status", "--json").stdout
    assert ask("kick", fleet.worker_of(str(claim["session_id"]))["id"]).returncode == 0
    refused = ask("kick", "nobody")
    assert (refused.returncode, refused.stderr) == (1, "Error: Worker 'nobody' has no session.\n")
    assert ask("scale", "1:99").returncode == 1
    assert ask("drain").returncode == 2


def test_a_file_finds_the_session_that_expects_it(fleet: Fleet) -> None:
    claims = [claimed(fleet)[1] for _ in range(2)]
    for claim in claims:
        base = claim["base_url"]
        room = httpx.post(f"{base}/sessions/{claim['session_id']}/uploads", json={"name": "a.txt", "size": 5})
        assert room.status_code == 201, room.text
        assert httpx.put(room.json()["presigned_url"], content=b"hello").status_code == 200
