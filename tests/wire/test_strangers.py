"""What a page of another site can do in a real browser, and what a hostile offer can do to a real engine."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import httpx
import pytest
from tests.chromium import launched
from tests.sites import page_served

from .client import PATH
from .server import running

pytestmark = pytest.mark.wire
OFFERS = sorted((Path(__file__).parents[1] / "transports" / "offers").glob("*.sdp"))

# Everything a page may try without asking: each attempt says whether it could read anything.
ATTEMPTS = """async (target) => {
  const tried = {};
  const attempt = async (name, action) => {
    try { tried[name] = await action(); } catch (error) { tried[name] = "refused"; }
  };
  for (const path of ["/session", "/schema", "/metrics", "/openapi.json", "/health"])
    await attempt(`read ${path}`, async () => (await fetch(target + path)).text());
  await attempt("start", async () => (await fetch(target + "/start_session", { method: "POST" })).text());
  await attempt("start, json", async () =>
    (await fetch(target + "/start_session", { method: "POST", body: "{}",
      headers: { "content-type": "application/json" } })).text());
  for (const path of ["/start_session", "/stop_session", "/sessions/local/transport/webrtc/connections"])
    await attempt(`blind ${path}`, async () =>
      (await fetch(target + path, { method: "POST", mode: "no-cors" })).text());
  await attempt("form", () => new Promise((done) => {
    const frame = document.createElement("iframe");
    frame.name = "frame";
    const form = document.createElement("form");
    Object.assign(form, { method: "POST", action: target + "/start_session", target: "frame" });
    frame.onload = () => done("sent");
    document.body.append(frame, form);
    form.submit();
    setTimeout(() => done("sent"), 1000);
  }));
  await attempt("events", () => new Promise((done, fail) => {
    const source = new EventSource(target + "/events?since=0");
    source.onmessage = source.onopen = () => { source.close(); done("open"); };
    source.onerror = () => { source.close(); fail(); };
  }));
  await attempt("socket", () => new Promise((done, fail) => {
    const socket = new WebSocket(target.replace("http", "ws") + "/events");
    socket.onopen = () => done("open");
    socket.onerror = fail;
  }));
  await attempt("script", () => new Promise((done, fail) => {
    const script = document.createElement("script");
    script.src = target + "/session";
    script.onload = () => done("loaded");
    script.onerror = fail;
    document.body.append(script);
  }));
  await attempt("image", () => new Promise((done, fail) => {
    const image = new Image();
    image.onload = () => done("loaded");
    image.onerror = fail;
    image.src = target + "/metrics";
  }));
  return tried;
}"""


ANOTHER_SITE = "<!doctype html><title>another site</title><body></body>"


@pytest.mark.browser
@pytest.mark.skipif(
    os.environ.get("REACTOR_TEST_NETNS") != "1",
    reason="Only in the namespace that tests/netns.py makes, as root on Linux.",
)
def test_a_page_of_another_site_starts_stops_watches_and_reads_nothing(chromium: str) -> None:
    # Without a token, so that nothing but Host and Origin protects.
    with (
        running("echo", "--host", "10.77.0.1", "--no-token") as server,
        page_served(ANOTHER_SITE, "10.77.0.2") as port,
        launched(chromium, without=("LocalNetworkAccessChecks",)) as browser,
    ):
        page = browser.new_page()
        page.goto(f"http://10.77.0.2:{port}")
        tried = page.evaluate(ATTEMPTS, server.url)
        assert server.state() == "READY"
        readable = {name: said for name, said in tried.items() if said not in ("refused", "sent")}
        assert {name for name in readable if not name.startswith("blind")} == set()
        assert set(readable.values()) <= {""}

        # And with a session that runs, nothing ends it.
        httpx.post(f"{server.url}/start_session")
        page.evaluate(ATTEMPTS, server.url)
        assert server.state() == "WAITING"
        assert httpx.get(f"{server.url}/session").json()["clients"] == []

        # The same attempts from a page that may: this test's eyes are open.
        page.goto(f"{server.url}/health")
        own = page.evaluate(ATTEMPTS, server.url)
        assert "READY" in own["read /session"] or "WAITING" in own["read /session"]


def test_hostile_offers_are_refused_and_the_engine_lives() -> None:
    dice = random.Random(7)
    mapping = [{"mid": "0", "name": "main_video", "kind": "video", "direction": "recvonly"}]
    texts = [path.read_bytes().decode().replace("\r\n", "\n").split("\n") for path in OFFERS]
    with running("echo", "--offers-per-minute", "0") as server, httpx.Client(base_url=server.url) as http:
        http.post("/start_session")
        seen = set()
        for _ in range(60):
            lines = list(dice.choice(texts))
            for _ in range(dice.randint(1, 4)):
                at = dice.randrange(len(lines))
                match dice.randrange(5):
                    case 0:
                        del lines[at]
                    case 1:
                        lines.insert(at, lines[at])
                    case 2:
                        lines[at] = lines[at][: dice.randint(0, len(lines[at]))]
                    case 3:
                        lines[at] += dice.choice(["\0", " x", "=", "\ud83d", " " * 3000])
                    case 4:
                        lines[at] = lines[at].replace(
                            dice.choice("0123456789"), dice.choice(["-1", "9" * 30])
                        )
            body = {"sdp_offer": "\r\n".join(lines), "track_mapping": mapping}
            # Escaped, because UTF-8 has no half characters.
            content, kind = json.dumps(body).encode(), {"content-type": "application/json"}
            response = http.put(f"{PATH}/sdp_params", content=content, headers=kind)
            seen.add(response.status_code)
            assert response.status_code == 202 or 400 <= response.status_code < 500, response.text
            if response.status_code != 202:
                assert set(response.json()) <= {"detail", "code", "field"}
        assert seen == {202, 400}
        assert server.state() == "WAITING"
        assert "Traceback" not in server.log
