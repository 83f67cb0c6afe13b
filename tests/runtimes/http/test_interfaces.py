"""Which addresses a server prints that is bound to all of them."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from reactor_runtime.runtimes.door import interfaces
from reactor_runtime.runtimes.door.interfaces import MAX_SHOWN, others_open


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "192.168.1.5"])
def test_one_address_is_itself(host: str) -> None:
    assert others_open(host) == [host]


@pytest.mark.parametrize(("host", "version"), [("0.0.0.0", 4), ("::", 6)])
def test_every_address_is_those_of_the_interfaces(host: str, version: int) -> None:
    for found in others_open(host):
        parsed = ipaddress.ip_address(found)
        assert parsed.version == version
        assert not any((parsed.is_loopback, parsed.is_unspecified, parsed.is_link_local))
        family = socket.AF_INET if version == 4 else socket.AF_INET6
        with socket.socket(family) as listening:
            listening.bind((found, 0))  # this machine's own


def test_the_interfaces_are_read_from_the_operating_system() -> None:
    assert "127.0.0.1" in interfaces._of_interfaces(socket.AF_INET)


def test_the_likeliest_comes_first_and_not_all_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [f"172.17.{n}.1" for n in range(20)] + ["127.0.0.1", "169.254.1.1", "10.0.0.5"]
    monkeypatch.setattr(interfaces, "_of_interfaces", lambda family: iter(many))
    monkeypatch.setattr(interfaces, "_towards_others", lambda family: "192.168.1.5")
    found = others_open("0.0.0.0", "203.0.113.9")
    assert found[:3] == ["203.0.113.9", "192.168.1.5", "10.0.0.5"]
    assert len(found) == MAX_SHOWN
    assert "127.0.0.1" not in found
    assert "169.254.1.1" not in found
