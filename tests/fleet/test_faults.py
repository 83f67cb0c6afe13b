"""Whatever dies, at most the one session that ran on it is lost, and nobody is left without a word."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.fleet.serving import Fleet, Stream, serving

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(params=["memory", "sqlite"])
def four(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fleet]:
    """Four workers, with each of the stores."""
    store = ("--store", str(tmp_path / "fleet.db")) if request.param == "sqlite" else ()
    with serving("--workers", "4", *store, ready=4) as fleet:
        yield fleet


def stored(folder: Path) -> dict[str, str]:
    """The tickets in the store's file, with their states."""
    with contextlib.closing(sqlite3.connect(folder / "fleet.db")) as db:
        tickets = [json.loads(body) for (body,) in db.execute("SELECT body FROM tickets")]
    return {ticket["id"]: ticket["state"] for ticket in tickets}


def test_a_killed_worker_is_told_to_its_client_and_replaced() -> None:
    with serving("--workers", "2", ready=2) as fleet:
        ada, bob = fleet.ticket(), fleet.ticket()
        lost, kept = fleet.claim(ada), fleet.claim(bob)
        stream = Stream(fleet, ada)
        fleet.until(lambda: stream.last().get("state") == "claimed", "no stream")
        eve = fleet.ticket()
        os.kill(fleet.worker_of(lost["session_id"])["pid"], signal.SIGKILL)
        told = fleet.until(lambda: stream.last()["reason"] == "worker_lost", "its client was not told")
        assert told < 5, "a socket that closes is told at once, not at the next heartbeat"
        assert (stream.last()["state"], stream.last()["position"]) == ("waiting", 1), (
            "at the head of the line"
        )
        assert fleet.place(eve)["position"] == 2
        assert httpx.get(f"{kept['base_url']}/session").json()["session_id"] == kept["session_id"]
        gone = httpx.get(f"{lost['base_url']}/session")
        assert gone.status_code == 404
        again = fleet.claim(ada)
        assert again["session_id"] != lost["session_id"]


def test_a_frozen_worker_is_found_and_replaced() -> None:
    with serving("--workers", "1") as fleet:
        ada = fleet.ticket()
        claim = fleet.claim(ada)
        pid = fleet.worker_of(claim["session_id"])["pid"]
        os.kill(pid, signal.SIGSTOP)
        found = fleet.until(lambda: fleet.place(ada)["reason"] == "worker_lost", "nobody noticed")
        assert found > 2, "one heartbeat that is late is no loss"
        assert fleet.claim(ada)["session_id"] != claim["session_id"]
        assert not Path(f"/proc/{pid}/environ").exists() or not Path(f"/proc/{pid}/environ").read_bytes()


def test_a_gateway_that_dies_loses_no_session(
    four: Fleet, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    durable = "sqlite" in request.node.name
    holders = [four.ticket() for _ in range(4)]
    claims = [four.claim(ticket) for ticket in holders]
    waiting = [four.ticket() for _ in range(2)]
    four.until(lambda: [four.place(t)["position"] for t in waiting] == [1, 2], "they do not wait")
    if durable:  # what a store has not written yet may be lost; this is about what it has
        states = {**dict.fromkeys(holders, "claimed"), **dict.fromkeys(waiting, "waiting")}
        four.until(lambda: stored(tmp_path) == states, "it is not written")
    before = {worker["id"]: worker["pid"] for worker in four.workers().values()}
    os.kill(four.gateway_pid(), signal.SIGKILL)
    four.until(lambda: len(four.workers()) == 4, "no new gateway")
    assert {worker["id"]: worker["pid"] for worker in four.workers().values()} == before
    for claim in claims:
        running = httpx.get(f"{claim['base_url']}/session", timeout=20)
        assert (running.status_code, running.json().get("session_id")) == (200, claim["session_id"])
    assert {w["state"] for w in four.workers().values()} == {"busy"}
    if durable:
        assert [four.place(ticket)["position"] for ticket in waiting] == [1, 2]
        assert [four.place(ticket)["state"] for ticket in holders] == ["claimed"] * 4
    else:
        answer = four.http.get(f"/tickets/{waiting[0]}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_ticket")
        assert "ask for a new one" in answer.json()["detail"]
    assert httpx.post(f"{claims[0]['base_url']}/stop_session").status_code == 200
    if durable:
        four.until(lambda: four.place(waiting[0])["state"] == "offered", "the free slot went to nobody")


def test_a_worker_that_cannot_load_fails_while_others_serve() -> None:
    with serving("--workers", "2", "--gpus", "0,1", ready=1, TOY_BROKEN_GPU="1") as fleet:
        fleet.until(lambda: fleet.workers().get("w2", {}).get("reason") == "failing", "it is tried for ever")
        dead = fleet.workers()["w2"]
        assert dead["state"] == "dead"
        said = "\n".join(dead["last_lines"])
        assert "this GPU is broken" in said, f"its last lines: {said}"
        assert fleet.http.get("/readyz").status_code == 200
        claim = fleet.claim(fleet.ticket())
        assert fleet.worker_of(claim["session_id"])["id"] == "w1"
        assert "token=" not in fleet.log, "the workers' secret is nobody's"


def test_who_comes_while_workers_load_waits_and_is_served() -> None:
    fleet = Fleet("--workers", "1", TOY_LOADS_S="3")
    try:
        fleet.until(lambda: fleet.get("/livez").get("status") == "alive", "no gateway")
        assert fleet.http.get("/readyz").status_code == 503
        assert fleet.http.get("/health").json()["code"] == "loading"
        ticket = fleet.ticket()
        assert fleet.place(ticket)["state"] == "waiting"
        assert fleet.claim(ticket)["session_id"]
    finally:
        assert fleet.stop() == 0


def test_a_drained_worker_finishes_its_session_and_another_takes_its_place() -> None:
    with serving("--workers", "1") as fleet:
        claim = fleet.claim(fleet.ticket())
        eve = fleet.ticket()
        worker = fleet.worker_of(claim["session_id"])["id"]
        assert fleet.http.post("/fleet/drain", json={"worker": worker}).status_code == 200
        assert fleet.worker_of(claim["session_id"])["state"] == "draining"
        assert httpx.get(f"{claim['base_url']}/session").status_code == 200
        assert fleet.place(eve)["state"] == "waiting"
        httpx.post(f"{claim['base_url']}/stop_session")
        assert fleet.worker_of(fleet.claim(eve)["session_id"])["id"] != worker


def test_a_drain_with_a_limit_ends_the_session() -> None:
    with serving("--workers", "1") as fleet:
        claim = fleet.claim(fleet.ticket())
        fleet.http.post(
            "/fleet/drain", json={"worker": fleet.worker_of(claim["session_id"])["id"], "limit": 1}
        )
        fleet.until(lambda: httpx.get(f"{claim['base_url']}/session").status_code == 404, "it plays on")
        fleet.http.post("/fleet/drain", json={})
        full = httpx.post(f"{fleet.url}/tickets")
        assert (full.status_code, full.json()["code"]) == (503, "draining")


def test_who_never_claims_gives_the_turn_to_the_next() -> None:
    with serving("--workers", "1", program="tests.fleet.hurried") as fleet:
        holder, ada, bob = fleet.claim(fleet.ticket()), fleet.ticket(), fleet.ticket()
        streams = [Stream(fleet, ticket) for ticket in (ada, bob)]
        fleet.until(lambda: [s.last().get("position") for s in streams] == [1, 2], "they do not wait")
        httpx.post(f"{holder['base_url']}/stop_session")
        fleet.until(lambda: streams[0].last()["state"] == "offered", "it is nobody's turn")
        assert streams[0].last()["claim_in_s"] > 0
        fleet.until(lambda: streams[1].last()["state"] == "offered", "the turn stays with who does not come")
        assert (streams[0].last()["state"], streams[0].last()["reason"]) == ("expired", "not_claimed")
        late = fleet.http.post(f"/tickets/{ada}/claim")
        assert (late.status_code, late.json()["code"]) == (409, "not_offered")
        assert fleet.claim(bob)["session_id"] != holder["session_id"]


def test_a_session_ends_at_its_cap() -> None:
    with serving("--workers", "1", "--session-cap", "1.5") as fleet:
        ada = fleet.ticket()
        claim = fleet.claim(ada)
        assert claim["expires_at"] > time.time()
        fleet.until(lambda: fleet.place(ada)["state"] == "expired", "it plays for ever")
        assert fleet.place(ada)["reason"] == "over"


def test_a_gateway_that_stood_still_gives_nobody_up() -> None:
    """A clock that jumps: for everybody else this process slept ten seconds."""
    with serving("--workers", "1") as fleet:
        claim = fleet.claim(fleet.ticket())
        eve = fleet.ticket()
        pid, before = fleet.gateway_pid(), fleet.workers()
        os.kill(pid, signal.SIGSTOP)
        time.sleep(10)
        os.kill(pid, signal.SIGCONT)
        fleet.until(lambda: fleet.workers() != {}, "it does not go on")
        assert fleet.workers().keys() == before.keys()
        assert fleet.place(eve)["state"] == "waiting"
        assert httpx.get(f"{claim['base_url']}/session").status_code == 200


def test_the_end_of_the_engine_is_the_end_of_its_workers_and_gateway() -> None:
    fleet = Fleet("--workers", "1")
    try:
        fleet.wait_ready(1)
        pids = [worker["pid"] for worker in fleet.workers().values()] + [fleet.gateway_pid()]
        fleet.process.kill()
        deadline = time.monotonic() + 10
        while any(_alive(pid) for pid in pids):
            assert time.monotonic() < deadline, "processes are left"
            time.sleep(0.05)
    finally:
        fleet.stop()


def test_forty_users_on_four_workers_are_all_served() -> None:
    with (
        serving("--workers", "4", "--queue", "50", ready=4) as fleet,
        httpx.Client(base_url=fleet.url) as http,
    ):
        tickets = [
            http.post("/tickets", headers={"x-forwarded-for": f"10.0.0.{n}", "cookie": ""}).json()["ticket"]
            for n in range(40)
            if not http.cookies.clear()  # type: ignore[func-returns-value]  # nobody new has one
        ]
        open_tickets, sessions = set(tickets), set()
        deadline = time.monotonic() + 90
        while open_tickets:
            assert time.monotonic() < deadline, f"{len(open_tickets)} are not served:\n{fleet.log}"
            for ticket in list(open_tickets):
                if http.get(f"/tickets/{ticket}").json()["state"] == "offered":
                    claim = http.post(f"/tickets/{ticket}/claim").json()
                    sessions.add(claim["session_id"])
                    stopped = httpx.post(f"{claim['base_url']}/stop_session")
                    assert stopped.status_code == 200, f"{stopped.text}\n{fleet.log}"
                    open_tickets.remove(ticket)
        assert len(sessions) == 40


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
