"""The network of this machine: its port, its addresses, and what passes between them."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from reactor_runtime.clock import WALL
from reactor_runtime.runtimes.door.interfaces import others_open
from reactor_runtime.transports.port import IceServer
from reactor_runtime.transports.stun import BINDING_REQUEST, MAGIC_COOKIE

from .finding import Finding, note, ok, problem

PACKET_S = 1.0
"""How long a packet to ourselves, or a STUN server's answer, may take."""
IN_CONTAINER = (Path("/.dockerenv"), Path("/run/.containerenv"))
DOCKER_NETWORK = ipaddress.ip_network("172.16.0.0/12")
"""Where Docker's bridges are, unless somebody chose otherwise."""


def port(host: str, number: int) -> Finding:
    try:
        family, kind, protocol, address = _place(host, number)
    except OSError as error:
        return problem(
            "port",
            f"--host {host} names no address that this machine knows ({error.strerror or error}): write one,"
            " or 0.0.0.0 for all of them.",
        )
    try:
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return problem(
                "port", f"Port {number} is taken: end the other server, or choose another with --port."
            )
        if error.errno == errno.EACCES:
            return problem(
                "port", f"Port {number} is for the administrator: choose one from 1024 on, with --port."
            )
        return problem("port", f"Cannot listen on {host}:{number}: {error.strerror or error}. Choose --host.")
    return ok("port", f"Port {number} on {host} is free.")


def _place(host: str, number: int) -> tuple[socket.AddressFamily, socket.SocketKind, int, Any]:
    """Where `reactor run` would listen; `host` may be a name. Raises OSError."""
    try:
        found = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except UnicodeError as error:
        raise OSError("no name of a host is written so") from error
    family, kind, protocol, _, address = found
    return family, kind, protocol, address


def addresses(host: str, advertised: str) -> Finding | None:
    """None for a name without an address: `port` tells."""
    try:
        bound = str(_place(host, 0)[-1][0])
    except OSError:
        return None
    found = others_open("0.0.0.0", advertised)
    if not found:
        return problem(
            "addresses",
            "This machine has no address but loopback, and the media engine uses none of that: bring an"
            " interface up (`ip link`); without any network, `ip link add reactor0 type dummy` makes one.",
        )
    if ipaddress.ip_address(bound).is_loopback:
        return ok(
            "addresses",
            f"The page is for this machine alone; others come through a tunnel, or with --host 0.0.0.0 to "
            f"{', '.join(found)}.",
        )
    return ok("addresses", f"Others open the page at {', '.join(others_open(bound, advertised))}.")


def container(
    advertised: str, own: Sequence[str] = (), marks: Iterable[Path] = IN_CONTAINER
) -> Finding | None:
    """Docker's bridge gives addresses that nobody outside reaches."""
    inside = any(path.exists() for path in marks)
    own = own or others_open("0.0.0.0")
    bridged = [each for each in own if ":" not in each and ipaddress.ip_address(each) in DOCKER_NETWORK]
    if not inside:
        return None
    if advertised:
        return ok("container", f"This is a container, and clients are told {advertised}.")
    if bridged:
        return note(
            "container",
            f"This is a container whose address, {bridged[0]}, nobody outside reaches over UDP. Media comes"
            " over TCP on the published port; for UDP, publish --webrtc-port-range and name --advertise-ip.",
        )
    return note(
        "container", "This is a container. Where its addresses are not the host's, name --advertise-ip."
    )


def udp(own: Iterable[str], within: float = PACKET_S) -> Finding:
    """Whether packets pass between this host's own addresses, as they do for a browser on it."""
    failed = []
    for address in own:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        if not _packet_passes(family, address, within):
            failed.append(address)
    if failed:
        return problem(
            "udp",
            f"UDP to this machine's own address {failed[0]} does not arrive: a firewall drops it. Open it, or"
            " leave the media to TCP on the HTTP port.",
        )
    return ok("udp", "UDP passes between this machine's addresses.")


def _packet_passes(family: socket.AddressFamily, address: str, within: float) -> bool:
    try:
        with (
            socket.socket(family, socket.SOCK_DGRAM) as there,
            socket.socket(family, socket.SOCK_DGRAM) as here,
        ):
            there.bind((address, 0))
            there.settimeout(within)
            here.sendto(b"reactor doctor", there.getsockname())
            return there.recv(64) == b"reactor doctor"
    except OSError:
        return False


def servers(configured: Iterable[IceServer], within: float = PACKET_S) -> list[Finding]:
    """STUN and TURN, where any is configured: does it answer a binding request?"""
    found = []
    for server in configured:
        for url in server.urls:
            kind, _, rest = url.partition(":")
            if kind.endswith("s") or "transport=tcp" in rest:
                found.append(note("ice_servers", f"{url} was not tried: it is not asked over UDP."))
                continue
            host, number = _host_and_port(rest.partition("?")[0])
            if _answers(host, number, within):
                found.append(ok("ice_servers", f"{url} answers."))
            else:
                found.append(
                    problem(
                        "ice_servers", f"{url} does not answer over UDP: is it up, and is port {number} open?"
                    )
                )
    return found


def _host_and_port(text: str) -> tuple[str, int]:
    host, colon, number = text.rpartition(":")
    if colon and number.isdigit():
        return host.strip("[]"), int(number)
    return text.strip("[]"), 3478


def _answers(host: str, number: int, within: float) -> bool:
    transaction = os.urandom(12)
    request = BINDING_REQUEST + struct.pack("!H", 0) + MAGIC_COOKIE + transaction
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, number, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as sock:
            sock.settimeout(within)
            sock.connect(address)
            deadline = WALL.time() + within
            sock.send(request)
            while WALL.time() < deadline:
                if sock.recv(2048)[8:20] == transaction:
                    return True
    except OSError:
        pass  # no answer, whatever the reason: the sentence says what to look at
    return False
