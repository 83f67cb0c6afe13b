"""The words about the way that media take: which one carries and why, and what to do where none does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser
NewPage = Callable[..., Any]
Open = Callable[..., Any]

UDP = "candidate:1 1 udp 2122260223 10.0.0.3 40123 typ host"
TCP = "candidate:1 1 tcp 1518280447 127.0.0.1 8080 typ host tcptype passive"
RELAY = "candidate:1 1 udp 41885439 192.0.2.1 49152 typ relay raddr 0.0.0.0 rport 0"


@pytest.fixture
def ask(new_page: NewPage, files: str) -> Callable[..., Any]:
    """Calls a function of `ladder.js`, `way.js` or `noway.js`."""
    page = new_page()
    page.goto(f"{files}/blank")

    def call(expression: str, *given: Any) -> Any:
        modules = ", ".join(f"...await import('/web/core/{name}.js')" for name in ("ladder", "way", "noway"))
        return page.evaluate(
            f"async (given) => {{ const ladder = {{ {modules} }}; return {expression}; }}",
            list(given),
        )

    return call


def test_the_ladder_keeps_the_places_of_what_is_not_built(ask: Callable[..., Any]) -> None:
    rungs = ask("ladder.RUNGS")
    assert [(each["rung"], each["wire"], each.get("built", True)) for each in rungs] == [
        (1, "udp", True),
        (2, "tcp", True),
        (3, "turn", True),
        (4, "websocket", False),
        (5, "notebook", False),
    ]


@pytest.mark.parametrize(
    ("search", "wish", "sentence"),
    [
        ("", None, ""),
        ("?wire=udp", "udp", ""),
        ("?a=1&wire=tcp", "tcp", ""),
        ("?wire=quic", None, "the wire “quic”, which there is not"),
        ("?wire=websocket", None, "the wire “websocket”, which this page cannot do yet"),
        ("?wire=" + "x" * 5000, None, "the wire “xxxxxxxxxxxxxxxxxxxx”, which there is not"),
    ],
)
def test_an_address_may_ask_for_a_wire(
    ask: Callable[..., Any], search: str, wish: str | None, sentence: str
) -> None:
    found = ask("ladder.wishIn(given[0])", search)
    assert found["wish"] == wish
    assert sentence in found["sentence"]
    assert bool(sentence) == bool(found["sentence"])


@pytest.mark.parametrize(
    ("wish", "own", "left"),
    [
        (None, False, [UDP, TCP, RELAY]),
        ("udp", False, [UDP]),
        ("tcp", False, [TCP]),
        ("tcp", True, []),
        ("udp", True, [UDP]),
    ],
)
def test_a_wish_leaves_the_other_candidates_out(
    ask: Callable[..., Any], wish: str | None, own: bool, left: list[str]
) -> None:
    sdp = "".join(f"a={line}\r\n" for line in (UDP, TCP, RELAY, "end-of-candidates"))
    found = ask("ladder.onlyWished(...given)", sdp, wish, own)
    assert found.splitlines() == [f"a={line}" for line in (*left, "end-of-candidates")]


ASKED = "because the address asks for it (?wire={})"


def report(protocol: str, port: int = 8080, kind: str = "host") -> list[Any]:
    return [
        ["T", {"id": "T", "type": "transport", "selectedCandidatePairId": "P"}],
        ["Q", {"id": "Q", "type": "candidate-pair", "nominated": True, "remoteCandidateId": "X"}],
        ["P", {"id": "P", "type": "candidate-pair", "localCandidateId": "L", "remoteCandidateId": "R"}],
        ["L", {"id": "L", "type": "local-candidate", "candidateType": kind}],
        ["R", {"id": "R", "type": "remote-candidate", "protocol": protocol, "port": port}],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("stats", "wish", "remote", "name", "sentence"),
    [
        (report("udp"), None, [UDP, TCP], "UDP", "UDP, the direct way"),
        (report("tcp"), None, [UDP, TCP], "TCP", "TCP on port 8080, because no UDP packet came back"),
        (report("tcp"), None, [TCP], "TCP", "TCP on port 8080, because the server offers nothing else"),
        (report("tcp", 80), "tcp", [TCP], "TCP", f"TCP on port 80, {ASKED.format('tcp')}"),
        (report("udp"), "udp", [UDP], "UDP", f"UDP, {ASKED.format('udp')}"),
        (report("udp", kind="relay"), None, [RELAY], "TURN", "a TURN server, because no direct way led"),
    ],
)  # fmt: skip
def test_which_rung_carries_and_why(
    ask: Callable[..., Any], stats: list[Any], wish: str | None, remote: list[str], name: str, sentence: str
) -> None:
    way = ask(
        "ladder.wayOf(ladder.carrierOf(new Map(given[0])),"
        " {wish: given[1], remote: given[2].map(ladder.readCandidate)})",
        stats,
        wish,
        remote,
    )
    assert way["name"] == name
    assert way["sentence"].startswith(sentence)


def test_nothing_carries_before_anything_does(ask: Callable[..., Any]) -> None:
    assert ask("ladder.carrierOf(new Map())") is None


CHROMIUM = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"
TUNNEL = "ssh -L 8080:localhost:8080"


@pytest.mark.parametrize(
    ("address", "agent", "wish", "remote", "words"),
    [
        ("http://localhost:8080/", FIREFOX, None, [UDP, TCP], ["Firefox", "Chromium-based browser"]),
        ("http://localhost:8080/", CHROMIUM, None, [UDP, TCP], ["Neither UDP nor TCP", "--advertise-port"]),
        ("http://192.0.2.7:8080/", CHROMIUM, None, [UDP], ["UDP between", TUNNEL, "--webrtc-port-range"]),
        ("https://gpu.example/model/", CHROMIUM, None, [UDP], ["A proxy passes this page on", TUNNEL]),
        ("http://hub/user/ada/proxy/8080", CHROMIUM, None, [UDP], ["A proxy passes this page on", TUNNEL]),
        ("http://localhost:8080/", CHROMIUM, None, [], ["named no address of its own", "--advertise-ip"]),
        ("http://localhost:8080/", CHROMIUM, "udp", [UDP], ["without ?wire=udp"]),
        ("http://localhost:8080/", CHROMIUM, "tcp", [], ["--no-tcp-media"]),
    ],
)
def test_where_nothing_carries_it_says_what_to_do(
    ask: Callable[..., Any], address: str, agent: str, wish: str | None, remote: list[str], words: list[str]
) -> None:
    sentence = ask(
        "ladder.noWay({wish: given[2], local: given[3].map(ladder.readCandidate),"
        " remote: given[3].map(ladder.readCandidate), page: ladder.placeOf(given[0], given[1])})",
        address,
        agent,
        wish,
        remote,
    )
    for word in ["The server answers, but no media gets through.", "Tried from this browser: ", *words]:
        assert word in sentence
    assert "undefined" not in sentence


def test_why_nothing_carries_stays_while_the_page_tries_again(open_page: Open) -> None:
    page = open_page(
        """runtime.phases = [];
           addEventListener('DOMContentLoaded', () => new MutationObserver(() =>
             runtime.phases.push(document.documentElement.dataset.phase))
             .observe(document.documentElement, {attributeFilter: ['data-phase']}));
           runtime.broken = true;
           const set = RTCPeerConnection.prototype.setRemoteDescription;
           RTCPeerConnection.prototype.setRemoteDescription = function (description) {
             if (description.type !== 'answer' || !runtime.broken) return set.call(this, description);
             setTimeout(() => {
               Object.defineProperty(this, 'connectionState', {get: () => 'failed'});
               this.dispatchEvent(new Event('connectionstatechange'));
             }, 50);
             return Promise.resolve();
           };"""
    )
    page.locator("html[data-phase=noroute]").wait_for()
    asked = len(page.evaluate("runtime.offers"))
    while len(page.evaluate("runtime.offers")) < asked + 3:
        page.wait_for_timeout(50)
        assert page.locator(".veil").get_by_text("no media gets through").is_visible()
    phases = page.evaluate("runtime.phases")
    assert phases[phases.index("noroute") :] == ["noroute"] * (len(phases) - phases.index("noroute"))
    page.evaluate("runtime.broken = false")
    page.locator("html[data-phase=live]").wait_for()


def test_an_unknown_wire_is_told_and_the_page_plays(new_page: NewPage, files: str, pretended: str) -> None:
    page = new_page(script=pretended)
    page.goto(f"{files}/?wire=quic")
    page.locator("html[data-phase=live]").wait_for()
    page.get_by_text("The address asks for the wire “quic”").wait_for()


def test_the_statistics_name_the_rung(open_page: Open) -> None:
    page = open_page()
    page.locator("html[data-phase=live]").wait_for()
    page.get_by_role("tab", name="Statistics").click()
    page.get_by_text("over UDP, the direct way").wait_for()
    assert page.locator(".facts").inner_text().count("UDP") == 1
