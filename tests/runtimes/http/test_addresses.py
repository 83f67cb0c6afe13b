"""Whose request it is."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime.runtimes.door.addresses import HOPS_LIMIT, Proxies, is_loopback, network_of, parse
from reactor_runtime.runtimes.http.options import DEFAULT_TRUSTED_PROXIES

HERE, PROXY, CLIENT, LIAR = "127.0.0.1", "10.0.0.1", "198.51.100.7", "6.6.6.6"


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        (HERE, "", HERE),
        (HERE, CLIENT, CLIENT),
        (HERE, f" {LIAR},{CLIENT} ", CLIENT),
        (HERE, f"{LIAR}, {CLIENT}, {PROXY}", CLIENT),
        (HERE, f"{LIAR}, {CLIENT}, {PROXY}, 10.9.9.9", CLIENT),
        (CLIENT, LIAR, CLIENT),
        ("::1", "2001:db8::1", "2001:db8::1"),
        ("::ffff:127.0.0.1", f"::ffff:{CLIENT}", CLIENT),
        (HERE, f"{CLIENT}:4711", CLIENT),
        (HERE, "[2001:db8::1]:4711", "2001:db8::1"),
        (HERE, f"{LIAR}, unknown", HERE),
        (HERE, f"{LIAR}, {PROXY}, ", HERE),
        (HERE, f"unknown, {PROXY}", PROXY),
        (HERE, ",".join([LIAR] + [PROXY] * HOPS_LIMIT), PROXY),
        ("", LIAR, ""),
    ],
)
def test_the_last_hop_that_is_no_proxy_of_ours(peer: str, forwarded: str, client: str) -> None:
    assert Proxies([*DEFAULT_TRUSTED_PROXIES, "10.0.0.0/8"]).client(peer, forwarded) == client


@given(st.text(st.characters(max_codepoint=255)), st.sampled_from([HERE, CLIENT]))
def test_whatever_is_forwarded_a_client_has_an_address(forwarded: str, peer: str) -> None:
    found = Proxies([HERE]).client(peer, forwarded)
    ipaddress.ip_address(found)
    assert peer == HERE or found == CLIENT


@given(st.ip_addresses())
def test_addresses_are_read_as_they_are_written(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    for text in (
        str(address),
        f"[{address}]",
        f"[{address}]:80" if address.version == 6 else f"{address}:80",
    ):
        assert parse(text) == (getattr(address, "ipv4_mapped", None) or address)


@pytest.mark.parametrize(
    ("text", "loopback"),
    [(HERE, True), ("::1", True), ("::ffff:127.0.0.9", True), (CLIENT, False), ("", False)],
)
def test_loopback(text: str, loopback: bool) -> None:
    assert is_loopback(text) is loopback


@pytest.mark.parametrize(
    ("address", "network"),
    [
        (CLIENT, CLIENT),
        ("::ffff:198.51.100.7", CLIENT),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_limits_count_an_ipv6_network_as_one(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [
        (PROXY, True),
        ("10.255.0.9", True),
        (f"::ffff:{PROXY}", True),
        ("2001:db8::7", True),
        (CLIENT, False),
        ("11.0.0.1", False),
        ("2001:db9::7", False),
        ("unknown", False),
        ("", False),
    ],
)
def test_whose_word_is_taken(peer: str, trusted: bool) -> None:
    """Networks may be written by any address of theirs."""
    assert Proxies(["10.0.0.1/8", "2001:db8::1/32"]).trust(peer) is trusted
