"""Host × Origin × token × role × kind of route: one table of who may do what, and every cell of it asked.

In process, without a socket. `docs/security.md` has the same table for people.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from tests.runtimes.http.models import Painter

from reactor_runtime.errors import CommandError
from reactor_runtime.runtimes.access.credentials import Keys, TokenRole
from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.session.states import State
from reactor_runtime.testing import LeapingClock, MemoryServer, serve
from reactor_runtime.testing.client import SIGNALLING, Client

from .door import hurried

SECRET = "the secret of this server"
KEYS = Keys([SECRET])
LATER = Keys([SECRET], clock=lambda: time.time() - 120)  # what it mints for a minute is over


@dataclass(frozen=True)
class Route:
    """`needs` is the least that opens it; `body` makes it a request that would do something."""

    method: str
    path: str
    needs: str
    body: Any = None


UPLOAD = {"name": "a", "size": 3, "mime_type": "x"}
ROUTES = {
    "the page": Route("GET", "/", "view"),
    "the page's code": Route("GET", "/web/app.js", "nothing"),
    "the player": Route("GET", "/player.js", "nothing"),
    "health": Route("GET", "/health", "view"),
    "session": Route("GET", "/session", "view"),
    "schema": Route("GET", "/schema", "view"),
    "description": Route("GET", "/openapi.json", "view"),
    "ICE": Route("GET", f"{SIGNALLING}/ice_servers", "view"),
    "flat ICE": Route("GET", "/ice_servers", "view"),
    "poll": Route("GET", f"{SIGNALLING}/sdp_params", "view"),
    "offer": Route("POST", f"{SIGNALLING}/sdp_params", "view", {}),
    "offer again": Route("PUT", f"{SIGNALLING}/sdp_params", "view", {}),
    "flat offer": Route("POST", "/sdp_params", "view", {}),
    "announce": Route("POST", f"{SIGNALLING}/connections", "view"),
    "candidates": Route("POST", f"{SIGNALLING}/ice_candidates", "view", {"candidates": []}),
    "upload": Route("POST", "/sessions/local/uploads", "control", UPLOAD),
    "file": Route("PUT", "/uploads/nothing", "control"),
    "a link for others": Route("POST", "/share", "control", {"address": "http://localhost:8080/"}),
    "figures": Route("GET", "/metrics", "admin"),
    "nothing there": Route("GET", "/nothing", "view"),
    "a cloud's": Route("POST", "/sessions", "nothing", {}),
    "a cloud's tokens": Route("POST", "/tokens", "nothing", {}),
}
HOSTS = {"localhost:8080": True, "evil.example:8080": False, "localhost.evil.example": False, "": False}
ORIGINS = {
    None: True,
    "http://evil.example": False,
    "http://localhost:5173": True,
    "https://app.example": True,
    "https://evil.example": False,
    "null": False,
}
# For a day: they are made when tests are collected, and used at any time of the run.
HOLDERS = {
    "nobody": ("nothing", b""),
    "view": ("view", KEYS.mint(TokenRole.VIEW, 86_400).encode()),
    "control": ("control", KEYS.mint(TokenRole.CONTROL, 86_400).encode()),
    "admin": ("admin", KEYS.mint(TokenRole.ADMIN, 86_400).encode()),
    "operator": ("admin", SECRET.encode()),
    "expired": ("nothing", LATER.mint(TokenRole.ADMIN, 60).encode()),
    "another server's": ("nothing", Keys(["another secret"]).mint(TokenRole.ADMIN, 86_400).encode()),
    "what SDKs send": ("nothing", b"local"),
    "half of it": ("nothing", SECRET.encode()[:-1]),
}
LADDER = ("nothing", "view", "control", "admin")
CARRIERS = ("bearer", "path", "query", "cookie", "path beside a wrong bearer")
REFUSALS = {"control": "view_only", "admin": "admin_only"}


async def cookie_of(server: MemoryServer, credential: bytes) -> str:
    """What a browser keeps after it has opened the page with a token."""
    server.http.cookies.clear()
    answer = await server.http.get("/", params={"token": credential.decode()})
    server.http.cookies.clear()
    return answer.headers.get("set-cookie", "").partition(";")[0]


def carried(carrier: str, path: str, credential: bytes, cookie: str) -> tuple[str, dict[str, str | bytes]]:
    """The path and the headers that bring a credential."""
    quoted = httpx.QueryParams({"token": credential.decode()})
    if carrier == "bearer":
        return path, {"authorization": b"Bearer " + credential}
    if carrier == "query":
        return f"{path}?{quoted}", {}
    if carrier == "cookie":
        return path, {"cookie": cookie}
    below = f"/t/{str(quoted).removeprefix('token=').replace('+', '%20')}{path}" if credential else path
    return below, {} if carrier == "path" else {"authorization": "Bearer local"}


def wanted(route: Route, host_ok: bool, origin_ok: bool, has: str) -> tuple[int, ...]:
    """The statuses that say why; an empty tuple is every one that is not a refusal of the door."""
    if not host_ok:
        return (421,)
    if not origin_ok:
        return (403,)
    if LADDER.index(has) >= LADDER.index(route.needs):
        return ()
    return (401,) if has == "nothing" else (403,)


def judged(answer: httpx.Response, statuses: tuple[int, ...], route: Route, has: str) -> bool:
    if statuses:
        codes = {421: {"wrong_host"}, 401: {"token_required", "token_expired"}}.get(
            answer.status_code, {"origin_not_allowed", REFUSALS.get(route.needs, "")}
        )
        return answer.status_code in statuses and answer.json()["code"] in codes
    return answer.status_code not in (401, 403, 421, 500)


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_every_cell(carrier: str) -> None:
    options = HttpOptions(token=SECRET, allow_origins=("https://app.example",), offers_per_minute=0)
    async with serve(Painter, options=options) as server:
        kept = {name: await cookie_of(server, token) if token else "" for name, (_, token) in HOLDERS.items()}
        every = carrier == "bearer"  # of the others, a good and a bad one of each
        hosts, origins = (list(each.items())[: None if every else 2] for each in (HOSTS, ORIGINS))
        cells = itertools.product(ROUTES.items(), hosts, origins, HOLDERS.items())
        for (name, route), (host, host_ok), (origin, origin_ok), (holder, (has, token)) in cells:
            path, headers = carried(carrier, route.path, token, kept[holder])
            headers |= {"host": host} | ({"origin": origin} if origin is not None else {})  # type: ignore[arg-type]  # None is left out
            answer = await server.http.request(route.method, path, headers=headers, json=route.body)  # type: ignore[arg-type]  # names and values are text
            server.http.cookies.clear()
            statuses = wanted(route, host_ok, origin_ok, has)
            assert judged(answer, statuses, route, has), (name, host, origin, holder, answer.text[:200])
            assert answer.headers.get("access-control-allow-origin") == (
                origin if host_ok and origin_ok else None
            ), (name, host, origin, holder)
        assert server.worker.life.state is State.READY


async def test_without_a_secret_the_token_decides_nothing() -> None:
    async with serve(Painter) as server:
        for (name, route), holder in itertools.product(ROUTES.items(), ("nobody", "view", "half of it")):
            _, token = HOLDERS[holder]
            for carrier in ("bearer", "path", "query"):
                path, headers = carried(carrier, route.path, token, "")
                answer = await server.http.request(route.method, path, headers=headers, json=route.body)  # type: ignore[arg-type]  # names and values are text
                assert answer.status_code not in (401, 403, 421, 500), (name, holder, carrier)
                assert "set-cookie" not in answer.headers


# --- what a role may do to a session ---


def bearer(role: TokenRole, subject: str = "", session: str | None = None) -> dict[str, str]:
    return {"authorization": f"Bearer {KEYS.mint(role, 86_400, subject, session)}"}


ANN, BEN = bearer(TokenRole.CONTROL, "ann"), bearer(TokenRole.CONTROL, "ben")
VIEWER, CHIEF = bearer(TokenRole.VIEW), bearer(TokenRole.ADMIN)


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def ask(server: MemoryServer, method: str, path: str, who: Mapping[str, str]) -> httpx.Response:
    return await server.http.request(method, path, headers=dict(who))


def guarded() -> Any:
    return serve(Painter, options=HttpOptions(token=SECRET, offers_per_minute=0))


async def test_a_session_is_ended_by_its_owner_and_by_an_admin() -> None:
    async with guarded() as server:
        for owner, ends in (
            (ANN, ANN),
            (ANN, CHIEF),
            (CHIEF, CHIEF),
            (ANN, bearer(TokenRole.CONTROL, "ann")),
        ):
            assert told(await ask(server, "POST", "/start_session", owner)) == (200, "")
            assert told(await ask(server, "POST", "/stop_session", BEN)) == (403, "not_your_session")
            assert told(await ask(server, "POST", "/stop_session", VIEWER)) == (403, "view_only")
            assert server.worker.life.state is State.WAITING
            assert told(await ask(server, "POST", "/stop_session", ends)) == (200, "")
            assert server.worker.life.state is State.READY
        assert told(await ask(server, "POST", "/stop_session", BEN)) == (200, "")  # there is none to end


async def test_a_viewer_starts_nothing_and_is_led_to_what_runs() -> None:
    async with guarded() as server:
        assert told(await ask(server, "POST", "/start_session", VIEWER)) == (409, "nothing_to_watch")
        assert server.worker.life.state is State.READY
        begun = (await ask(server, "POST", "/start_session", ANN)).json()
        joined = (await ask(server, "POST", "/start_session", VIEWER)).json()
        assert joined["session_id"] == begun["session_id"]
        assert server.worker.session is not None
        assert server.worker.session.owner == "ann"


async def joined(server: MemoryServer, who: Mapping[str, str], method: str = "POST") -> Client:
    """A client that is connected."""
    server.http.headers.update(who)
    client = server.client()
    await client.connect(method)
    await client.wait_frames(1)
    return client


@pytest.mark.parametrize("shared", [False, True])
async def test_a_viewers_connection_never_steers(shared: bool) -> None:
    options, clock = HttpOptions(token=SECRET, shared_control=shared, offers_per_minute=0), LeapingClock()
    async with serve(Painter, options=options, clock=clock) as server:
        assert told(await ask(server, "POST", "/start_session", ANN)) == (200, "")
        viewer = await joined(server, VIEWER)  # the first there, and nobody steers
        assert server.worker.roles.controller is None
        with pytest.raises(CommandError) as refused:
            await viewer.command("set_level", level=9)
        assert refused.value.code == "view_only"
        viewer.send({"scope": "runtime", "data": {"type": "takeControl", "data": {}, "id": "1"}})
        await viewer.until(lambda: len(viewer.runtime_messages("commandError")) == 2)
        assert viewer.runtime_messages("commandError")[1]["code"] == "view_only"
        assert viewer.runtime_messages("role")[-1]["view_only"] is True
        steering = await joined(server, ANN)
        assert await steering.command("runs") == 1
        assert server.worker.roles.controller is not None
        assert server.worker.roles.controller.offer.may_control

        # With PUT, too, which clients send that come back.
        intruder = await hurried(clock, joined(server, VIEWER, "PUT"))
        assert await steering.command("runs") == 1
        with pytest.raises(CommandError, match="for watching"):
            await intruder.command("set_level", level=9)


async def test_viewers_leave_a_place_for_who_plays() -> None:
    async with serve(Painter, options=HttpOptions(token=SECRET, viewers=1, offers_per_minute=0)) as server:
        await ask(server, "POST", "/start_session", ANN)
        await joined(server, VIEWER)
        with pytest.raises(httpx.HTTPStatusError, match="503"):
            await joined(server, VIEWER)
        steering = await joined(server, ANN)
        assert await steering.command("runs") == 1


async def test_a_viewer_takes_no_place_by_its_number() -> None:
    async with guarded() as server:
        await ask(server, "POST", "/start_session", ANN)
        steering = await joined(server, ANN)
        (number,) = server.worker.clients.connections
        body = await steering.offer()
        path = f"{SIGNALLING}/connections/{number}/sdp_params"
        for method in ("PUT", "POST"):
            answer = await server.http.request(method, path, json=body, headers=VIEWER)
            assert told(answer) == (403, "view_only")
        assert await steering.command("runs") == 1


async def test_a_token_for_one_session_opens_no_other() -> None:
    async with guarded() as server:
        started = (await ask(server, "POST", "/start_session", ANN)).json()
        own = bearer(TokenRole.CONTROL, "guest", started["session_id"])
        other = bearer(TokenRole.ADMIN, "guest", "another-session")
        by_id = f"/sessions/{started['session_id']}/transport/webrtc/ice_servers"
        for method, path in (
            *(("GET", "/session"), ("POST", "/stop_session"), ("POST", "/start_session")),
            *(("GET", f"{SIGNALLING}/ice_servers"), ("POST", f"{SIGNALLING}/connections")),
            *(("GET", by_id), ("GET", "/ice_servers")),
        ):
            assert told(await ask(server, method, path, other)) == (403, "wrong_session"), path
            if path != "/stop_session":
                assert (await ask(server, method, path, own)).status_code in (200, 201), path
        for path in ("/metrics", "/events"):
            assert told(await ask(server, "GET", path, other)) == (403, "admin_only")
            assert told(await ask(server, "GET", path, own)) == (403, "admin_only")
        assert (await ask(server, "GET", "/health", other)).status_code == 200
        assert told(await ask(server, "POST", "/stop_session", own)) == (200, "")
        assert told(await ask(server, "POST", "/start_session", own)) == (403, "wrong_session")


async def test_a_token_for_one_session_reads_nothing_of_the_next_that_begins_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The wires are asked before `GET /session` is answered, which takes a while."""
    async with guarded() as server:
        started = (await ask(server, "POST", "/start_session", ANN)).json()
        own = bearer(TokenRole.CONTROL, "guest", started["session_id"])

        async def the_next_begins() -> None:
            monkeypatch.undo()
            await ask(server, "POST", "/stop_session", ANN)
            await ask(server, "POST", "/start_session", BEN)

        monkeypatch.setattr(server.worker.clients, "look", the_next_begins)
        assert told(await ask(server, "GET", "/session", own)) == (403, "wrong_session")


@pytest.mark.parametrize("who", [VIEWER, ANN], ids=["view", "control"])
async def test_events_are_the_admins(who: Mapping[str, str]) -> None:
    async with guarded() as server:
        for path in ("/events", "/events?since=0", "/metrics"):
            assert told(await ask(server, "GET", path, who)) == (403, "admin_only")


async def test_a_file_is_sent_without_a_credential_to_its_own_address_only() -> None:
    async with guarded() as server:
        await ask(server, "POST", "/start_session", ANN)
        made = await server.http.post("/sessions/local/uploads", json=UPLOAD, headers=ANN)
        address = made.json()["presigned_url"]
        assert (await server.http.get(address)).status_code == 401
        assert (await server.http.put(address.partition("?")[0], content=b"abc")).status_code == 401
        assert (await server.http.put(f"{address}0", content=b"abc")).status_code == 401
        assert (await server.http.put(address, content=b"abc", headers={"host": "evil"})).status_code == 421
        assert (await server.http.put(address, content=b"abc")).status_code == 200
        assert (await server.http.put(address, content=b"abc")).status_code == 409


BROWSER = {"accept": "text/html,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("path", "location"),
    [("/t/{}", "../"), ("/t/{}/", "../../"), ("/?token={}", "./"), ("/?a=1&token={}&b=2", "./?a=1&b=2")],
)
async def test_a_browser_is_led_on_to_an_address_without_the_token(path: str, location: str) -> None:
    token = KEYS.mint(TokenRole.VIEW, 86_400)
    async with guarded() as server:
        answer = await server.http.get(path.format(token), headers=BROWSER)
        assert (answer.status_code, answer.headers["location"]) == (303, location)
        assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == (
            "no-store",
            "no-referrer",
        )
        assert token not in str(answer.headers)
        page = await server.http.get(answer.url.join(location), headers=BROWSER)
        assert page.status_code == 200
        assert "set-cookie" not in page.headers
        wrong = await server.http.get(path.format("wrong"), headers=BROWSER)  # the cookie is enough
        assert wrong.status_code == 303
        server.http.cookies.clear()
        assert (await server.http.get(path.format("wrong"), headers=BROWSER)).status_code == 401


async def test_behind_tls_the_cookie_is_for_tls_only() -> None:
    async with guarded() as server:
        plain = await server.http.get("/", params={"token": SECRET})
        server.http.cookies.clear()
        secure = await server.http.get("https://localhost:8080/", params={"token": SECRET})
        assert "Secure" not in plain.headers["set-cookie"]
        assert secure.headers["set-cookie"].endswith("; Secure")
