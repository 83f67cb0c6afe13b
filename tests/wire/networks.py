"""Networks that let some packets through and drop the others without a word, as firewalls and Docker do.

Each is a namespace beside this one, joined with it by a pair of interfaces. The kernel's own nftables
drops and translates.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from .tunnel import Tunnel, inside

NFT = shutil.which("nft", path="/usr/sbin:/sbin:/usr/bin:/bin")
WITHOUT_UDP = "10.89.0.1"
"""This network, seen from the one that passes no UDP on."""
CONTAINER, BRIDGE = "172.17.0.2", "172.17.0.1"
"""Of Docker's own bridge: this network is the container's."""
HOST, LAN = "10.90.0.1", "10.90.0.0/24"
PUBLISHED = 18100

DROPPED = """
table inet silent {{
  chain prerouting {{
    type filter hook prerouting priority -300;
    {interface} meta l4proto udp drop
  }}
}}
"""
PASSED = "flush table inet silent"
DOCKER = f"""
table ip docker {{
  chain prerouting {{
    type nat hook prerouting priority dstnat;
    iifname "lan0" tcp dport {PUBLISHED} dnat to {CONTAINER}:PORT
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    ip saddr {CONTAINER} oifname "lan0" masquerade
  }}
  chain forward {{
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname "docker0" accept
    ct status dnat accept
  }}
}}
"""
"""What Docker sets up for ``-p 18100:PORT``: the container may reach out, and one port leads in."""


class Network:
    """A namespace that lives as long as a process in it."""

    def __init__(self) -> None:
        words = ["unshare", "--net", "sh", "-c", "ip link set lo up && echo open; exec cat"]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self._process.pid
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "open\n"

    def run(self, *lines: str) -> None:
        for line in lines:
            subprocess.run(["nsenter", f"--net=/proc/{self.pid}/ns/net", *line.split()], check=True)

    def rules(self, text: str) -> None:
        rules(text, "nsenter", f"--net=/proc/{self.pid}/ns/net")

    def close(self) -> None:
        self._process.communicate()


@dataclass
class Walled:
    url: str
    """Of the server, without its port."""
    chromium: str
    """A program that is Chromium in the other network."""
    _other: Network

    def let_through(self) -> None:
        """From now on UDP passes."""
        rules(PASSED)
        self._other.rules(PASSED)


def needs_nft() -> None:
    if NFT is None:
        pytest.skip("Needs Debian's nftables.")


def rules(text: str, *there: str) -> None:
    """Load rules, here or where `there` leads."""
    assert NFT is not None
    subprocess.run([*there, NFT, "-f", "-"], input=text, text=True, check=True)


def here(*lines: str) -> None:
    for line in lines:
        subprocess.run(line.split(), check=True)


@contextmanager
def networks(count: int, interface: str) -> Iterator[list[Network]]:
    """So many, and `interface` of this one, which leads there, goes with them."""
    made = [Network() for _ in range(count)]
    try:
        yield made
    finally:
        for network in made:
            network.close()
        with contextlib.suppress(subprocess.CalledProcessError):  # it went with the other network
            subprocess.run(["ip", "link", "del", interface], check=True, stderr=subprocess.DEVNULL)


@contextmanager
def udp_dropped() -> Iterator[None]:
    """In this network no UDP packet arrives, not even from itself."""
    needs_nft()
    rules(DROPPED.format(interface=""))
    try:
        yield
    finally:
        rules("delete table inet silent")


@contextmanager
def without_udp(chromium: str, folder: Path) -> Iterator[Walled]:
    """A second network that reaches `WITHOUT_UDP` of this one; what is UDP arrives at neither end."""
    needs_nft()
    with networks(1, "lan0") as [other]:
        here(
            f"ip link add lan0 type veth peer name lan1 netns {other.pid}",
            f"ip address add {WITHOUT_UDP}/24 dev lan0",
            "ip link set lan0 addrgenmode none",
            "ip link set lan0 up",
        )
        other.run(
            "ip address add 10.89.0.2/24 dev lan1",
            "ip link set lan1 addrgenmode none",
            "ip link set lan1 up",
        )
        other.rules(DROPPED.format(interface='iifname "lan1"'))
        rules(DROPPED.format(interface='iifname "lan0"'))
        try:
            yield Walled(f"http://{WITHOUT_UDP}", inside(other.pid, chromium, folder), other)
        finally:
            rules("delete table inet silent")


@contextmanager
def published(port: int, chromium: str, folder: Path) -> Iterator[Tunnel]:
    """A browser on a LAN, a host on it, and this network as a container behind that host's translation."""
    needs_nft()
    with networks(2, "eth9") as [host, laptop]:
        here(
            f"ip link add eth9 type veth peer name docker0 netns {host.pid}",
            f"ip address add {CONTAINER}/16 dev eth9",
            "ip link set eth9 addrgenmode none",
            "ip link set eth9 up",
            f"ip route add {LAN} via {BRIDGE}",
        )
        host.run(
            f"ip address add {BRIDGE}/16 dev docker0",
            "ip link set docker0 up",
            f"ip link add lan0 type veth peer name lan1 netns {laptop.pid}",
            f"ip address add {HOST}/24 dev lan0",
            "ip link set lan0 up",
            "sysctl -qw net.ipv4.ip_forward=1",
        )
        host.rules(DOCKER.replace("PORT", str(port)))
        laptop.run(
            "ip address add 10.90.0.2/24 dev lan1",
            "ip link set lan1 addrgenmode none",
            "ip link set lan1 up",
            f"ip route add default via {HOST}",
        )
        yield Tunnel(f"http://{HOST}:{PUBLISHED}", inside(laptop.pid, chromium, folder))
