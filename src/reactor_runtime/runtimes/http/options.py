"""Everything `reactor run` can set about the HTTP runtime."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

from reactor_runtime.project import environment
from reactor_runtime.runtimes.access.credentials import secrets_in
from reactor_runtime.settings import setting, settings
from reactor_runtime.worker.lifeline import Lifeline
from reactor_runtime.worker.options import WorkerOptions

DEFAULT_TRUSTED_PROXIES = ("127.0.0.1", "::1")
_ORIGIN = re.compile(r"https?://[^/\s*@]+/?")


def _origin(text: str) -> list[str]:
    if not _ORIGIN.fullmatch(text):
        raise ValueError(f"{text!r} is no origin; write it as https://app.example:8443.")
    return [text]


def _network(text: str) -> list[str]:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is no address and no network.") from None
    return [text]


def _root_path(text: str) -> str:
    from reactor_runtime.runtimes.door.prefix import clean

    found = clean(text)
    if found is None:
        raise ValueError(f"{text!r} is no path; write it as /model.")
    return found


def _impairment(text: str) -> str:
    from reactor_runtime.transports.impair.shaper import Impairment, ImpairmentError

    try:
        Impairment.parse(text)
    except ImpairmentError as error:
        raise ValueError(error.message) from None
    return text


@dataclass(frozen=True)
class HttpOptions(WorkerOptions):
    """Options of one server process. Times are in seconds; 0 turns a limit off."""

    host: str = setting("127.0.0.1", "The address to listen on.", variable=environment.HOST)
    port: int = setting(8080, "0 picks a free one.", variable=environment.PORT, most=65535)
    allow_origins: tuple[str, ...] = settings(
        (),
        "A web page that may connect, as https://app.example.",
        flag="--allow-origin",
        form="ORIGIN",
        read=_origin,
    )
    allow_hosts: tuple[str, ...] = settings(
        (), "A name this server is reached by.", flag="--allow-host", form="HOST"
    )
    token: str = setting(
        "",
        "What clients must hold, or what signs their tokens (reactor token). Off loopback one is made when "
        "none is given.",
        variable=environment.TOKEN,
        form="TOKEN",
        secret=True,
    )
    """In a second line the one before it. Empty means that nobody is asked."""
    no_token: bool = setting(False, "Off loopback, let everybody in without a token.")
    max_connections: int = setting(
        512,
        "To the TCP port, and half as many for one address; over it the one goes that is idle longest.",
        variable=environment.MAX_CONNECTIONS,
        least=1,
    )
    trusted_proxies: tuple[str, ...] = settings(
        DEFAULT_TRUSTED_PROXIES,
        "A reverse proxy, or a network of them as 10.0.0.0/8, that says in X-Forwarded-For who asks.",
        flag="--trusted-proxy",
        variable=environment.TRUSTED_PROXIES,
        form="ADDRESS",
        read=_network,
    )
    root_path: str = setting(
        "",
        "The path a proxy serves this below, as /model, where it does not say so in X-Forwarded-Prefix.",
        form="PATH",
        read=_root_path,
    )
    tls_cert: Path | None = setting(
        None, "Speak https with this certificate (PEM), and --tls-key.", form="FILE"
    )
    tls_key: Path | None = setting(None, "The certificate's key (PEM).", form="FILE")
    impair: str = setting(
        "",
        "Feel the real world on a laptop: loss=3,rtt=150,jitter=30,rate=2M,blackout=5@10.",
        form="SPEC",
        read=_impairment,
    )
    """A bad network for our own media; see `transports.impair`."""
    open_page: bool = setting(False, "Open the page in a browser of this machine.", flag="--open")
    qr: bool = setting(False, "Show the address as a QR code, for a telephone.")
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

    @property
    def in_fleet(self) -> bool:
        return self.lifeline is not None
