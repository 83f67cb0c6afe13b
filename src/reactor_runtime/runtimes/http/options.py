"""Everything `reactor run` can set about the HTTP runtime."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from reactor_runtime.runtimes.access.credentials import secrets_in
from reactor_runtime.worker.options import WorkerOptions

from .lifeline import Lifeline

DEFAULT_PORT = 8080
DEFAULT_MAX_CONNECTIONS = 512
DEFAULT_TRUSTED_PROXIES = ("127.0.0.1", "::1")


@dataclass(frozen=True)
class HttpOptions(WorkerOptions):
    """Options of one server process. Times are in seconds; 0 turns a limit off."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    allow_origins: tuple[str, ...] = field(default=())
    allow_hosts: tuple[str, ...] = field(default=())
    token: str = field(default="", repr=False)
    """The secret that clients hold or that signs their tokens, and in a second line the one before it. Empty
    means that nobody is asked. Off loopback the server makes one."""
    no_token: bool = False
    """Off loopback, ask nobody for a token all the same."""
    max_connections: int = DEFAULT_MAX_CONNECTIONS
    """To the TCP port; one address gets half of them."""
    trusted_proxies: tuple[str, ...] = DEFAULT_TRUSTED_PROXIES
    """Addresses and networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."""
    root_path: str = ""
    """The path below which a proxy serves us, as in ``/model``, where it does not say so itself."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    impair: str = ""
    """A bad network for our own media; see `transports.impair`."""
    lifeline: Lifeline | None = None
    """Of a worker that a fleet's engine has started."""

    @property
    def takes_tcp_media(self) -> bool:
        """Whether the port of the page takes media too."""
        return self.tcp_media and self.wire != "udp" and not self.impair

    @property
    def secrets(self) -> tuple[str, ...]:
        """The first signs; each of them opens. Raises `SecretError`."""
        return secrets_in(self.token)

    @property
    def private_ids(self) -> bool:
        return bool(self.secrets)
