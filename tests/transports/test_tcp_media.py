"""What an engine that takes media over TCP keeps to itself, and what it tells who passes media on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from reactor_runtime.transports.port import CandidateFound, Engine, IceCandidate, Peer, PeerConfig, Section
from reactor_runtime.transports.tcp_media import (
    Place,
    TcpMediaEngine,
    TcpPeers,
    is_tcp,
    with_passive,
    without_candidates,
)
from reactor_runtime.transports.wire import Handle

UDP = "candidate:1 1 udp 2122260223 10.77.0.1 51221 typ host generation 0 ufrag {} network-id 3"
TCP = "candidate:2 1 tcp 1518280447 10.77.0.1 55125 typ host tcptype passive generation 0 ufrag {}"


def answer_of(user: str) -> str:
    return f"v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:{user}\r\n"


class FakePeer:
    """Answers with one ufrag after another, and finds candidates when it is told to."""

    def __init__(self, config: PeerConfig, handle: Handle) -> None:
        self.config = config
        self.handle = handle
        self.users = iter(("first", "second", "third"))
        self.user = ""
        self.offers: list[str] = []
        self.heard: list[str] = []
        self.closed = False

    async def answer(self, offer: str, sections: Sequence[Section]) -> str:
        self.offers.append(offer)
        self.user = next(self.users)
        return answer_of(self.user)

    restart = answer

    async def add_candidate(self, candidate: IceCandidate) -> None:
        self.heard.append(candidate.candidate)

    async def gathered(self, within: float) -> str:
        lines = [f"a={text.format(self.user)}\r\n" for text in (UDP, TCP)]
        return answer_of(self.user) + "".join(lines) + "a=end-of-candidates\r\n"

    async def close(self) -> None:
        self.closed = True

    def find(self, text: str, user: str = "") -> None:
        self.handle(CandidateFound(IceCandidate(text.format(user or self.user), "0", 0)))


class FakeEngine:
    name = "fake"
    descriptors_per_peer = 3
    closed = False

    def close(self) -> None:
        self.closed = True

    async def create_peer(self, config: PeerConfig, handle: Handle) -> Peer:
        return cast("Peer", FakePeer(config, handle))


class Told:
    """Keeps the candidates."""

    def __init__(self) -> None:
        self.candidates: list[str] = []

    def handle(self, event: CandidateFound) -> None:
        self.candidates.append(event.candidate.candidate)


async def peer_of(
    peers: TcpPeers, *, only: bool = False, config: PeerConfig | None = None
) -> tuple[Any, FakePeer, Told]:
    told = Told()
    inner = cast("Engine", FakeEngine())
    engine = TcpMediaEngine(inner, peers, only=True) if only else TcpMediaEngine(inner, peers)
    peer: Any = await engine.create_peer(config or PeerConfig(), told.handle)
    return peer, cast("FakePeer", getattr(peer, "_peer", peer)), told


async def test_the_engines_own_addresses_for_tcp_stay_inside() -> None:
    peers = TcpPeers()
    peer, inner, told = await peer_of(peers)
    assert inner.config.tcp
    answer = await peer.answer("offer", [])
    inner.find(UDP)
    inner.find(TCP)
    assert " tcp " not in await peer.gathered(1)
    end = "a=end-of-candidates\r\n"
    assert await peer.gathered(1) == f"{answer_of('first')}a={UDP.format('first')}\r\n{end}"
    assert told.candidates == [UDP.format("first")]

    place = peers.find("first")
    assert place is not None
    assert await place.address() == ("10.77.0.1", 55125)
    assert peers.serve(answer)
    assert peer.heard is inner.heard, "what it does not know itself is the inner one's"


async def test_what_is_found_before_the_answer_is_kept_for_it() -> None:
    peers = TcpPeers()
    peer, inner, _ = await peer_of(peers)
    inner.find(TCP, "first")
    inner.find(TCP.replace("55125", "1"), "of an attempt that failed")
    await peer.answer("offer", [])
    place = peers.find("first")
    assert place is not None
    assert await place.address() == ("10.77.0.1", 55125)


async def test_a_restart_has_its_own_place_and_an_end_has_none() -> None:
    peers = TcpPeers()
    peer, inner, _ = await peer_of(peers)
    await peer.answer("offer", [])
    await peer.restart("offer", [])
    assert peers.find("first") is None
    assert peers.find("second") is not None
    await peer.close()
    assert peers.find("second") is None
    assert inner.closed


async def test_a_wire_of_tcp_alone_tells_the_engine_of_no_candidate() -> None:
    peer, inner, _ = await peer_of(TcpPeers(), only=True)
    await peer.answer("v=0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\na=mid:0\r\n", [])
    await peer.add_candidate(IceCandidate("candidate:1 1 udp 1 192.0.2.1 9 typ host"))
    assert inner.offers == ["v=0\r\na=mid:0\r\n"]
    assert inner.heard == []
    assert "a=candidate" not in await peer.gathered(1)


async def test_relay_only_leaves_tcp_out() -> None:
    peers = TcpPeers()
    peer, inner, _ = await peer_of(peers, config=PeerConfig(relay_only=True))
    answer = await peer.answer("offer", [])
    assert not inner.config.tcp
    assert not peers.serve(answer)


async def test_peers_beyond_the_ports_of_a_range_get_other_ports() -> None:
    engine = TcpMediaEngine(cast("Engine", FakeEngine()), TcpPeers())
    config = PeerConfig(port_range=(40000, 40001))
    made: list[Any] = [await engine.create_peer(config, Told().handle) for _ in range(3)]
    assert [each._peer.config.port_range for each in made] == [(40000, 40001), (40000, 40001), None]
    await made[0].close()
    again: Any = await engine.create_peer(config, Told().handle)
    assert again._peer.config.port_range == (40000, 40001)


async def test_peers_that_need_no_port_of_a_range_take_none_from_others() -> None:
    engine = TcpMediaEngine(cast("Engine", FakeEngine()), TcpPeers())
    config = PeerConfig(port_range=(40000, 40000))
    for free in (PeerConfig(), PeerConfig(port_range=(40000, 40000), relay_only=True)):
        await engine.create_peer(free, Told().handle)
    made: list[Any] = [await engine.create_peer(config, Told().handle) for _ in range(2)]
    assert [each._peer.config.port_range for each in made] == [(40000, 40000), None]
    await made[1].close()
    assert cast("Any", await engine.create_peer(config, Told().handle))._peer.config.port_range is None


def test_an_engine_with_tcp_is_the_one_inside_with_more_descriptors() -> None:
    inner = FakeEngine()
    engine = TcpMediaEngine(cast("Engine", inner), TcpPeers())
    assert (engine.name, engine.descriptors_per_peer) == ("fake", 6)
    engine.close()
    assert inner.closed


async def test_who_asks_before_the_engine_listens_waits_for_it() -> None:
    place = Place()
    asking = asyncio.ensure_future(place.address())
    await asyncio.sleep(0)
    assert not asking.done()
    place.found(("10.77.0.1", 1))
    assert await asking == ("10.77.0.1", 1)


async def test_any_of_the_engines_networks_does_and_the_first_one_stays() -> None:
    place = Place()
    place.found(("10.77.0.1", 1))
    place.found(("10.77.0.2", 2))
    assert await place.address() == ("10.77.0.1", 1)


async def test_an_answer_with_the_same_user_keeps_its_place() -> None:
    peers = TcpPeers()
    peer, inner, _ = await peer_of(peers)
    inner.users = iter(("first", "first"))
    await peer.answer("offer", [])
    place = peers.find("first")
    await peer.restart("offer", [])
    assert peers.find("first") is place
    assert not peers.serve(answer_of("nobody"))
    peers.forget(frozenset({"nobody"}))


async def test_what_was_found_before_an_answer_is_of_no_use_after_another() -> None:
    peers = TcpPeers()
    peer, inner, _ = await peer_of(peers)
    inner.find(TCP, "second")
    await peer.answer("offer", [])
    await peer.restart("offer", [])
    place = peers.find("second")
    assert place is not None
    assert not place._known.is_set()


@pytest.mark.parametrize("only", [True, False])
async def test_a_clients_candidates_reach_an_engine_that_has_udp(only: bool) -> None:
    offer = "v=0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
    peer, inner, _ = await peer_of(TcpPeers(), only=only)
    await peer.answer(offer, [])
    await peer.restart(offer, [])
    await peer.add_candidate(IceCandidate("candidate:1 1 udp 1 192.0.2.1 9 typ host"))
    assert ("candidate" in "".join(inner.offers)) is not only
    assert len(inner.heard) == (not only)


@pytest.mark.parametrize(
    ("candidate", "tcp"),
    [
        (TCP, True),
        (TCP.replace(" tcp ", " TCP "), True),
        (f"a={TCP}", True),
        (UDP, False),
        (UDP.replace("typ host", "typ host x tcp"), False),
        ("candidate:1 tcp", False),
        ("", False),
    ],
)
def test_what_is_a_candidate_for_tcp(candidate: str, tcp: bool) -> None:
    assert is_tcp(candidate) is tcp


def test_an_offer_without_candidates_is_otherwise_the_same() -> None:
    assert without_candidates(f"v=0\na={UDP}\r\na=mid:0\r\n") == "v=0\r\na=mid:0\r\n"


def test_the_clients_candidate_stands_in_every_section() -> None:
    answer = "m=audio 9\r\na=end-of-candidates\r\nm=video 9\r\na=end-of-candidates\r\n"
    lines = with_passive(answer, "127.0.0.1", 8080).split("\r\n")
    found = [line for line in lines if line.startswith("a=candidate:")]
    assert len(found) == 2
    assert found[0].split()[2:8] == ["tcp", "1518280447", "127.0.0.1", "8080", "typ", "host"]
    assert "tcptype passive" in found[0]


def test_no_networks_cost_puts_tcp_before_udp() -> None:
    answer = f"m=video 9\r\na={UDP.format('first')} network-cost 50 x y\r\na=end-of-candidates\r\n"
    lines = with_passive(answer, "127.0.0.1", 8080).split("\r\n")
    assert lines[1] == f"a={UDP.format('first')} x y"
    assert not any("network-cost" in line for line in lines)
