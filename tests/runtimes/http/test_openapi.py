"""The published description of the HTTP surface, and that nothing it allows makes the server fail."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.testing import MemoryServer, serve

from . import openapi_file
from .models import Failing, Painter, Returning

SIGNALLING = "/sessions/local/transport/webrtc"


def test_the_committed_description_is_that_of_the_routes() -> None:
    assert openapi_file.FILE.read_text() == openapi_file.current(), (
        "Run scripts/openapi and commit the result."
    )


async def test_it_is_published_and_valid() -> None:
    async with serve(Painter) as server:
        published = (await server.http.get("/openapi.json")).json()

    validate(published)
    assert published == json.loads(openapi_file.current())
    for path in ("/start_session", "/session", "/events", "/metrics", "/health", "/schema", "/sdp_params"):
        assert path in published["paths"]
    for path, operations in published["paths"].items():
        for operation in operations.values():
            assert operation["responses"]["4XX"], path
            assert not any(code.startswith("5") and code != "503" for code in operation["responses"])


@pytest.mark.parametrize("model_class", [Painter, Returning, Failing])
async def test_the_schema_of_a_model_is_valid_openapi(model_class: type[Any]) -> None:
    async with serve(model_class) as server:
        document = (await server.http.get("/schema")).json()

    validate(document, cls=OpenAPIV31SpecValidator)
    assert document["openapi"].startswith("3.1")


# --- a server in a thread of its own: generated requests are synchronous ---


class Running:
    """A server in memory, on a loop of its own; `app` may be called from any loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        self._thread.start()
        self._ready.wait(30)

    def request(self, method: str, url: str, **more: Any) -> httpx.Response:
        future = asyncio.run_coroutine_threadsafe(self.server.http.request(method, url, **more), self._loop)
        return future.result(20)

    def state(self) -> str:
        return str(self.server.worker.life.state)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(20)
        self._loop.close()

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        async with serve(Painter, options=HttpOptions(offers_per_minute=0, orphan_timeout=0)) as self.server:
            self._ready.set()
            await self._over.wait()

    server: MemoryServer


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    running = Running()
    yield running
    running.close()


def is_typed(response: httpx.Response) -> bool:
    body = response.json()
    return isinstance(body["detail"], str) and isinstance(body["code"], str)


@pytest.mark.parametrize("in_session", [False, True])
def test_schemathesis_finds_no_5xx(running: Running, in_session: bool) -> None:
    document = json.loads(openapi_file.current())
    # An endless stream is no answer to wait for.
    del document["paths"]["/events"]
    schema = schemathesis.openapi.from_dict(document)
    seen: set[tuple[str, int]] = set()
    failed: list[str] = []

    for operation in (result.ok() for result in schema.get_all_operations()):  # type: ignore[union-attr]  # each of them is one
        running.request("POST", "/start_session" if in_session else "/stop_session")
        strategy = operation.as_strategy() | operation.as_strategy(schemathesis.GenerationMode.NEGATIVE)
        for response in probed(running, strategy):
            seen.add((operation.label, response.status_code))
            if response.status_code >= 500 and not (response.status_code == 503 and is_typed(response)):
                failed.append(f"{response.request.method} {response.request.url} → {response.text}")
            elif 400 <= response.status_code < 500 and response.request.method != "HEAD":
                assert is_typed(response), response.text
    running.request("POST", "/stop_session")

    assert failed == []
    assert len({label for label, _ in seen}) == sum(len(o) for o in document["paths"].values())
    if in_session:
        # What is behind the session id is reached too, and not only refused.
        assert {("POST " + SIGNALLING.replace("local", "{session_id}") + "/connections", 201)} <= seen


def probed(running: Running, strategy: Any) -> list[httpx.Response]:
    """What the server answers to some requests of the strategy: the same ones in every run."""
    responses = []

    @given(case=strategy, ours=st.booleans())
    @settings(
        max_examples=8,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def probe(case: Any, ours: bool) -> None:
        if ours and "session_id" in case.path_parameters:
            case.path_parameters["session_id"] = "local"
        request = as_request(case)
        if request is not None:
            responses.append(
                running.request(
                    request.method, str(request.url), headers=dict(request.headers), content=request.read()
                )
            )

    probe()
    return responses


def as_request(case: Any) -> httpx.Request | None:
    """None for what cannot be written on a wire."""
    sent = case.as_transport_kwargs(base_url="http://localhost:8080")
    names = {"method", "url", "headers", "params", "json", "data", "content", "cookies"}
    arguments = {key: value for key, value in sent.items() if key in names and value is not None}
    if isinstance(arguments.get("data"), (str, bytes)):
        arguments["content"] = arguments.pop("data")
    try:
        return httpx.Request(**arguments)
    except (ValueError, TypeError):
        return None


# Half characters too: JSON can say them.
ANY = st.characters(exclude_categories=())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(ANY, max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(ANY, max_size=10), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ["sdp_offer", "track_mapping", "client_info", "candidates", "sdp", "type", "mid", "name", "kind"]
SHAPED = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5)
TARGETS = [
    ("POST", f"{SIGNALLING}/sdp_params"),
    ("PUT", f"{SIGNALLING}/sdp_params"),
    ("POST", f"{SIGNALLING}/ice_candidates"),
    ("POST", f"{SIGNALLING}/connections/1001/sdp_params"),
    ("POST", f"{SIGNALLING}/connections/1001/ice_candidates"),
    ("POST", "/sdp_params"),
]


@pytest.fixture
def waiting(running: Running) -> Iterator[Running]:
    """With a session that waits for its first client."""
    running.request("POST", "/stop_session")
    running.request("POST", "/start_session")
    yield running
    running.request("POST", "/stop_session")


def nothing_started(running: Running) -> bool:
    return running.state() == "WAITING" and not any(
        connection.presence.ready for connection in running.server.worker.clients.connections.values()
    )


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(target=st.sampled_from(TARGETS), body=JSON | SHAPED)
def test_random_bodies_are_refused_and_start_nothing(waiting: Running, target: Any, body: Any) -> None:
    content = json.dumps(body).encode()
    response = waiting.request(*target, content=content, headers={"content-type": "application/json"})

    if target[1].endswith("ice_candidates") and response.status_code == 202:
        assert isinstance(body, dict)
    else:
        assert 400 <= response.status_code < 500, response.text
        assert is_typed(response)
    assert nothing_started(waiting)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(target=st.sampled_from(TARGETS), content=st.binary(max_size=200))
def test_random_bytes_are_refused(waiting: Running, target: Any, content: bytes) -> None:
    response = waiting.request(*target, content=content, headers={"content-type": "application/json"})

    assert 400 <= response.status_code < 500
    assert is_typed(response)


def good_offer(running: Running) -> dict[str, Any]:
    async def make() -> dict[str, Any]:
        return await running.server.client().offer()

    return asyncio.run_coroutine_threadsafe(make(), running._loop).result(10)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_offers_are_answered_or_refused(waiting: Running, data: st.DataObject) -> None:
    body = good_offer(waiting)
    lines = body["sdp_offer"].split("\r\n")
    for _ in range(data.draw(st.integers(1, 4))):
        index = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["drop", "double", "swap", "cut", "text", "number", "mid"])):
            case "drop":
                del lines[index]
            case "double":
                lines.insert(index, lines[index])
            case "swap":
                other = data.draw(st.integers(0, len(lines) - 1))
                lines[index], lines[other] = lines[other], lines[index]
            case "cut":
                lines[index] = lines[index][: data.draw(st.integers(0, 12))]
            case "text":
                lines[index] = data.draw(st.text(ANY, max_size=30))
            case "number":
                lines[index] = lines[index].replace(
                    "9", data.draw(st.sampled_from(["-1", "²", "9" * 5000, ""]))
                )
            case "mid":
                lines[index] = f"a=mid:{data.draw(st.text(ANY, max_size=4))}"
        if not lines:
            lines = [""]
    body["sdp_offer"] = "\r\n".join(lines)
    mapping = body["track_mapping"]
    if data.draw(st.booleans()):
        entry = data.draw(st.sampled_from(mapping))
        entry[data.draw(st.sampled_from(["mid", "name"]))] = data.draw(st.text(ANY, max_size=8))
    content = json.dumps(body).encode()
    response = waiting.request(
        "PUT", f"{SIGNALLING}/sdp_params", content=content, headers={"content-type": "application/json"}
    )

    assert response.status_code == 202 or 400 <= response.status_code < 500, response.text
    if response.status_code == 202:
        assert waiting.request("GET", f"{SIGNALLING}/sdp_params").status_code == 200
    else:
        assert is_typed(response)
    assert nothing_started(waiting)
