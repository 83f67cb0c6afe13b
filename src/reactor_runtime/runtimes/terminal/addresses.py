"""Where a server can be opened, with which token, and telling it to whoever started it."""

from __future__ import annotations

import dataclasses
import ipaddress
import secrets
import socket
import sys
from typing import TYPE_CHECKING
from urllib.parse import quote

from reactor_runtime import loglines
from reactor_runtime.runtimes.access.credentials import encoded
from reactor_runtime.runtimes.door.interfaces import others_open

from .hints import hints

if TYPE_CHECKING:
    from reactor_runtime.runtimes.http.options import HttpOptions


def with_token(options: HttpOptions, sock: socket.socket) -> HttpOptions:
    """Off loopback, strangers can reach us: without a token of the operator's we make one."""
    address = ipaddress.ip_address(sock.getsockname()[0])
    if options.secrets or options.no_token or address.is_loopback:
        return options
    return dataclasses.replace(options, token=secrets.token_urlsafe(24))


def urls_of(sock: socket.socket, options: HttpOptions) -> list[str]:
    """Where the server can be opened: 0.0.0.0 is no address that anybody could type."""
    host, port = sock.getsockname()[:2]
    hosts = others_open(host, options.advertise_ip) or ["::1" if ":" in host else "127.0.0.1"]
    scheme = "https" if options.tls_cert else "http"
    return [f"{scheme}://[{each}]:{port}" if ":" in each else f"{scheme}://{each}:{port}" for each in hosts]


def print_addresses(urls: list[str], sock: socket.socket, options: HttpOptions) -> None:
    """To the terminal of whoever started us, once; the token never goes into a log."""
    host, port = sock.getsockname()[:2]
    for line in hints(urls, host, port, query(options), options):
        print(loglines.plain(line), file=sys.stderr, flush=True)


def query(options: HttpOptions) -> str:
    """What comes behind such an address, so that its page has the token."""
    return f"/?token={quote(encoded(options.secrets[0]), safe='')}" if options.secrets else ""
