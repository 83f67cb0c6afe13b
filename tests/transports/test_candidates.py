"""Which of a client's candidates an engine may see."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime.transports.candidates import (
    ADDRESSES_LIMIT,
    CANDIDATE_CHARACTERS,
    CandidateGate,
    address_of,
    is_loopback,
)

UDP = "candidate:1 1 udp 2113937151 192.0.2.7 50000 typ host"


def at(address: str, port: int = 50000) -> str:
    return f"candidate:1 1 udp 2113937151 {address} {port} typ host"


@pytest.mark.parametrize(
    "candidate",
    [
        UDP,
        f"a={UDP}",
        UDP.replace("udp", "UDP"),
        at("203.0.113.9"),
        at("10.0.0.1"),
        at("2001:db8::1"),
        at("fd00::2"),
        "candidate:1 1 udp 1 203.0.113.9 5000 typ srflx raddr 192.0.2.7 rport 50000 generation 0",
        "candidate:1 1 udp 1 203.0.113.9 5000 typ relay raddr 0.0.0.0 rport 9",
        "candidate:1 1 udp 1 203.0.113.9 5000 typ srflx generation 0 raddr 192.0.2.7 rport 50000",
        UDP + " generation 0 ufrag abcd network-id 1",
        UDP + " generation",
        at("192.0.2.7", 65535),
        UDP + " " + "x" * (CANDIDATE_CHARACTERS - len(UDP) - 1),
    ],
)
def test_addresses_that_may_lead_to_a_client(candidate: str) -> None:
    gate = CandidateGate(from_loopback=False)

    assert gate.admit(candidate) == candidate
    assert gate.filter(["a=mid:0", f"a={candidate}".replace("a=a=", "a=")])[1].endswith(candidate)
    assert gate.refused == 0


@pytest.mark.parametrize(
    "candidate",
    [
        at("localhost"),
        at("turn.example"),
        at("ab92c6ee-638b-421a-a7dd-1b102b86ccf5.local"),
        at("HOST.LOCAL"),
        at("127.0.0.1"),
        at("127.1.2.3"),
        at("::1"),
        at("::ffff:127.0.0.1"),
        at("::127.0.0.1"),
        at("64:ff9b::7f00:1"),
        at("169.254.169.254"),
        at("fe80::1"),
        at("fe80::1%eth0"),
        at("224.0.0.251"),
        at("ff02::fb"),
        at("0.0.0.0"),
        at("0.0.0.1"),
        at("::"),
        at("255.255.255.255"),
        at("2130706433"),
        at("0x7f.1"),
        at("127.1"),
        at("192.0.2.7", 0),
        at("192.0.2.7", 65536),
        "candidate:1 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active",
        "candidate:1 1 ssltcp 1 192.0.2.7 443 typ host",
        "candidate:1 1 udp 1 203.0.113.9 5000 typ srflx raddr lookup.example rport 50000",
        "candidate:1 1 udp 1 203.0.113.9 5000 typ srflx generation 0 raddr lookup.example rport 50000",
        "candidate:1 1 udp 1 203.0.113.9 5000 typ other",
        "candidate:1 1 udp 1 203.0.113.9 5000 type host",
        UDP.replace("candidate:", ""),
        UDP.replace("candidate:", "foundation:"),
        UDP + " " + "x" * (CANDIDATE_CHARACTERS - len(UDP)),
        "candidate:1 1 udp",
        "candidate:1 1 udp 1 192.0.2.7 nine typ host",
        "",
        "garbage",
        UDP + " x" * 2000,
    ],
)
def test_names_and_addresses_that_lead_elsewhere(candidate: str) -> None:
    gate = CandidateGate(from_loopback=False)

    assert gate.admit(candidate) is None
    assert gate.refused == 1
    if candidate.startswith("candidate:"):
        assert gate.filter(["a=mid:0", f"a={candidate}"]) == ["a=mid:0"]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_a_client_on_this_machine_may_name_its_loopback(address: str) -> None:
    assert CandidateGate(from_loopback=True).admit(at(address)) == at(address)
    assert is_loopback(address)
    assert not is_loopback("192.0.2.7")
    assert not is_loopback("localhost.example")


def test_a_peer_names_few_addresses() -> None:
    gate = CandidateGate(from_loopback=False)
    named = [gate.admit(at("192.0.2.7", port)) for port in range(1, 101)]

    assert sum(text is not None for text in named) == ADDRESSES_LIMIT
    assert gate.refused == 100 - ADDRESSES_LIMIT
    assert gate.admit(at("192.0.2.7", 1)), "one that was named is named again"
    gate.begin()
    assert gate.admit(at("192.0.2.7", 100)), "a restart names others"


@given(st.text(max_size=200))
def test_whatever_is_named(text: str) -> None:
    gate = CandidateGate(from_loopback=False)
    admitted = gate.admit(text)

    assert (admitted is None) == bool(gate.refused)
    if admitted is not None:
        assert address_of(admitted.split(" ")[4]) is not None
