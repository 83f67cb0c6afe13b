"""What a person needs next who has just started a server: where to open it, and what will carry media."""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Mapping, Sequence

from reactor_runtime.project import environment
from reactor_runtime.runtimes.door.interfaces import others_open

from .options import HttpOptions

SSH_PORT = 22
_USER = re.compile(r"[A-Za-z0-9._-]{1,64}")


def hints(
    urls: Sequence[str],
    host: str,
    port: int,
    query: str,
    options: HttpOptions,
    variables: Mapping[str, str] | None = None,
) -> list[str]:
    """Lines for the terminal. `query` holds the token, and goes nowhere else."""
    variables = environment.inherited() if variables is None else variables
    loopback = ipaddress.ip_address(host.partition("%")[0]).is_loopback
    lines = [f"Open {url}{query}" for url in urls] if query or not loopback else []
    tunnel = _tunnel(variables, port)
    if tunnel:
        scheme = "https" if options.tls_cert else "http"
        lines.append(f"From your own computer: {tunnel}")
        lines.append(f"and there, in a Chromium-based browser: {scheme}://localhost:{port}{query or '/'}")
    if tunnel or not loopback:
        lines.append(_rungs(options))
    return lines


def _tunnel(environment: Mapping[str, str], port: int) -> str:
    """The line for a terminal of the other end of an SSH session; "" where this is none."""
    parts = environment.get("SSH_CONNECTION", "").split()
    if len(parts) != 4:
        return ""
    try:
        here, sshd = str(ipaddress.ip_address(parts[2].partition("%")[0])), int(parts[3])
    except ValueError:
        return ""
    user = environment.get("USER", "")
    place = f"{user}@{here}" if _USER.fullmatch(user) else here
    return shlex.join(
        ["ssh", *(["-p", str(sshd)] if sshd != SSH_PORT else []), "-L", f"{port}:localhost:{port}", place]
    )


def _rungs(options: HttpOptions) -> str:
    if options.relay_only:
        return "Media goes through TURN alone (--ice-transport-policy relay)."
    ways = []
    if options.wire != "tcp":
        ports = "any UDP port"
        if options.port_range is not None:
            low, high = options.port_range
            ports = f"UDP ports {low} to {high}" if low != high else f"UDP port {low}"
        ways.append(ports)
    if options.takes_tcp_media:
        ways.append("TCP on the port of the page, where UDP is closed")
    if options.turn_servers:
        ways.append("TURN")
    if not others_open("0.0.0.0"):
        return "Media finds no way: this machine has no address but loopback; `reactor doctor` says more."
    return f"Media takes {'; or '.join(ways)}."
