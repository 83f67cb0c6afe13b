"""Where people open the page: which rung carries, what the page says, and that it plays.

Each row is a network of its own with a real browser in it; nobody clicks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.browser.pages import until
from tests.browser.server import Server as Mortal
from tests.chromium import launched

from .browser import find_chromium
from .firefox import FIREFOX, needs_firefox
from .firefox import launched as firefox_launched
from .networks import published, without_udp
from .server import MODELS, Server, running
from .test_network import ADDRESSES, inside_only
from .test_proxies import NAME, NGINX, nginx
from .test_tcp_media import KEEP_PEERS, PAIR, WAIT_MS, metric, plays, port_of
from .tunnel import tunnel
from .turn import turn_server

CHROMIUM = find_chromium() or ""
PROJECT = "echo"
OPTIONS = ("--offers-per-minute", "0")
pytestmark = [
    pytest.mark.wire,
    pytest.mark.usefixtures("free_slot"),
    pytest.mark.skipif(not CHROMIUM, reason="Needs Debian's chromium or CHROMIUM=."),
    inside_only,
    pytest.mark.timeout(180),
]
LATE_MS, LATER_MS = 3_000, 7_500
"""From the page's beginning to its first picture, and where a rung has to be given up first: three times what
`benchmarks/first_frame.py` holds it to."""

LOADING = """
import time
from pathlib import Path

import numpy as np
from reactor_runtime import VideoModel, get_ctx, model


@model("slow")
class Slow(VideoModel):
    def __init__(self):
        self.progress(0.5, "Reading the weights")
        while not Path({go!r}).exists():
            time.sleep(0.02)

    def start_session(self):
        while not get_ctx().wait_stop(1 / 30):
            get_ctx().get_track().emit(np.zeros((240, 320, 3), np.uint8))
"""
FIRST_PICTURE = """
window.pictureAt = null;
addEventListener("playing", ({target}) => target.requestVideoFrameCallback?.(
  () => (window.pictureAt ??= performance.now())), true);
"""


@dataclass
class Place:
    """Where a person is, and what happens there."""

    url: str
    browser: str = CHROMIUM
    flags: tuple[str, ...] = ()
    server: str = ""
    """Its own address, where its counters are read."""
    spoil: Callable[[], Any] | None = None
    """Happens once it plays."""
    mend: Callable[[], Any] = field(default=lambda: None)
    """Happens once the words have been read."""
    first: str = ""
    """The rung of the first picture, where another carries later."""
    peers: int = 1
    """How many connections it takes."""
    ready: str = "0"
    """In the page: when the server could begin, in milliseconds."""


@dataclass
class Servers:
    """Those that most situations share."""

    local: Server
    wide: Server
    """On every address, and behind a proxy."""

    @property
    def wide_port(self) -> int:
        return port_of(self.wide)


Where = Callable[[Servers, Path], AbstractContextManager[Place]]
SITUATIONS: dict[str, tuple[Where, str | None, str]] = {}
"""By name: the place, the wire that carries or None, and words on the page."""


def situation(rung: str | None, words: str) -> Callable[[Callable[..., Iterator[Place]]], None]:
    def add(where: Callable[..., Iterator[Place]]) -> None:
        SITUATIONS[where.__name__] = (contextmanager(where), rung, words)

    return add


DIRECT = "over UDP, the direct way"
NO_UDP = "because no UDP packet came back"


@situation("udp", DIRECT)
def loopback(servers: Servers, folder: Path) -> Iterator[Place]:
    yield Place(servers.local.url)


@situation("udp", DIRECT)
def lan(servers: Servers, folder: Path) -> Iterator[Place]:
    yield Place(f"http://{ADDRESSES[0]}:{servers.wide_port}")


@situation("tcp", NO_UDP)
def udp_dropped(servers: Servers, folder: Path) -> Iterator[Place]:
    with without_udp(CHROMIUM, folder) as there:
        yield Place(f"{there.url}:{servers.wide_port}", there.chromium)


@situation("udp", DIRECT)
def udp_comes_late(servers: Servers, folder: Path) -> Iterator[Place]:
    """As on a machine whose processors were busy with others: TCP came first, and is not kept for that."""
    with without_udp(CHROMIUM, folder) as there:
        yield Place(f"{there.url}:{servers.wide_port}", there.chromium, spoil=there.let_through, first="tcp")


@situation("tcp", f"TCP on port 18099, {NO_UDP}")
def in_a_tunnel(servers: Servers, folder: Path) -> Iterator[Place]:
    with tunnel(port_of(servers.local), CHROMIUM, folder) as through:
        yield Place(through.url, through.chromium, server=servers.local.url)


@situation("tcp", NO_UDP)
def in_a_slow_tunnel_that_stalls(servers: Servers, folder: Path) -> Iterator[Place]:
    with tunnel(port_of(servers.local), CHROMIUM, folder, delay_s=0.03, rate_bps=1.5e6) as through:
        yield Place(through.url, through.chromium, spoil=through.stall, mend=through.stall)


@situation(None, "open the page in a Chromium-based browser")
def in_a_tunnel_with_firefox(servers: Servers, folder: Path) -> Iterator[Place]:
    """Playwright reaches a Firefox in its own network only, where UDP would pass: the server offers none."""
    needs_firefox()
    assert FIREFOX is not None
    with (
        running(PROJECT, "--wire", "tcp") as other,
        tunnel(port_of(other), FIREFOX, folder, apart=False) as through,
    ):
        yield Place(through.url, through.chromium)


@situation("tcp", NO_UDP)
def behind_one_published_port(servers: Servers, folder: Path) -> Iterator[Place]:
    """As Docker publishes one: its host passes the port on, and has another address and number for it."""
    port = servers.wide_port
    with published(port, CHROMIUM, folder) as there:
        yield Place(there.url, there.chromium, server=f"http://127.0.0.1:{port}")


def proxied(*flags: str) -> Where:
    @contextmanager
    def where(servers: Servers, folder: Path) -> Iterator[Place]:
        if NGINX is None:
            pytest.skip("Needs nginx.")
        with nginx(folder, servers.wide_port) as url:
            yield Place(url, flags=(f"--host-resolver-rules=MAP {NAME} 127.0.0.1", *flags))

    return where


NO_MEDIA = "--webrtc-ip-handling-policy=disable_non_proxied_udp"
SITUATIONS["behind_an_https_proxy_alone"] = (proxied(NO_MEDIA), None, "A proxy passes this page on")
SITUATIONS["below_a_path"] = (proxied(), "udp", DIRECT)


@situation("udp", "The server does not answer")
def the_server_goes_and_comes_back(servers: Servers, folder: Path) -> Iterator[Place]:
    mortal = Mortal(MODELS / PROJECT)
    mortal.start()
    try:
        yield Place(mortal.url, spoil=mortal.kill, mend=mortal.start, peers=2)
    finally:
        mortal.kill()


@situation("udp", "Reading the weights")
def the_model_is_loading(servers: Servers, folder: Path) -> Iterator[Place]:
    go = folder / "go"
    (folder / "model.py").write_text(LOADING.format(go=str(go)))
    loading = Mortal(folder)
    loading.start()
    try:
        yield Place(loading.url, mend=go.touch, ready="window.begunAt")
    finally:
        loading.kill()


@situation("turn", "a TURN server, because no direct way led to the server")
def turn_alone(servers: Servers, folder: Path) -> Iterator[Place]:
    with turn_server(ADDRESSES[0], folder, "--lt-cred-mech", "--user=ada:lovelace") as url:
        options = ("--turn-server", f"ada;lovelace;{url}", "--ice-transport-policy", "relay")
        with running(PROJECT, *options) as other:
            yield Place(other.url)


@pytest.fixture(scope="module")
def wide() -> Iterator[Server]:
    with running(PROJECT, *OPTIONS, "--host", "0.0.0.0", "--no-token", "--allow-host", NAME) as wide:
        yield wide


@pytest.fixture
def servers(server: Server, wide: Server) -> Iterator[Servers]:
    yield Servers(server, wide)
    httpx.post(f"http://127.0.0.1:{port_of(wide)}/stop_session", timeout=20)


@contextmanager
def opened(place: Place) -> Iterator[Any]:
    if FIREFOX is not None and Path(place.browser).name == Path(FIREFOX).name:
        started = firefox_launched(place.browser)
    else:
        started = launched(place.browser, *place.flags)
    with started as browser:
        page = browser.new_context(ignore_https_errors=True).new_page()
        page.set_default_timeout(WAIT_MS)
        page.add_init_script(KEEP_PEERS + FIRST_PICTURE)
        page.goto(place.url)
        yield page


@pytest.mark.parametrize("name", sorted(SITUATIONS))
def test_a_situation(name: str, servers: Servers, tmp_path: Path) -> None:
    where, rung, words = SITUATIONS[name]
    with where(servers, tmp_path) as place, opened(place) as page:
        if place.spoil is not None:
            plays(page)
            place.spoil()
        said = page.get_by_text(words).filter(visible=True).first
        if rung is not None and place.peers == 1:  # which rung carries stands in the statistics
            page.get_by_role("tab", name="Statistics").click()
        said.wait_for()
        if rung is None:
            page.wait_for_timeout(500)
            assert said.is_visible(), "what is said stays"
            assert page.locator("html").get_attribute("data-phase") == "noroute"
            return
        place.mend()
        plays(page)
        carried(page, place, rung)


def carried(page: Any, place: Place, rung: str) -> None:
    pair = page.evaluate(PAIR)
    assert (pair["type"] if rung == "turn" else pair["protocol"]) == {"turn": "relay"}.get(rung, rung)
    names = {"udp": "UDP", "tcp": "TCP", "turn": "TURN"}
    page.locator(".facts").get_by_text(names[rung]).wait_for()
    assert page.evaluate("window.peers.length") == place.peers
    assert page.evaluate("document.querySelector('video').getRootNode() === document"), "in the light DOM"
    until(page, "window.pictureAt !== null")
    late = LATER_MS if "tcp" in (rung, place.first) else LATE_MS
    # Of a server that went and came back it is the picture before that.
    assert page.evaluate(f"window.pictureAt - {place.ready}") <= late
    if place.server:
        assert metric(place.server, "reactor_tcp_media_connections") >= 1
        assert httpx.get(f"{place.server}/session").json()["clients"][0]["role"] == "controller"
