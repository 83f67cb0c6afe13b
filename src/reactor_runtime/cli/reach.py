"""Options of `reactor run` about how others reach the server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import F


def _root_path(ctx: click.Context, param: click.Parameter, value: str) -> str:
    from reactor_runtime.runtimes.door.prefix import clean

    found = clean(value)
    if found is None:
        raise click.BadParameter(f"{value!r} is no path; write it as /model.")
    return found


def _wire(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    return value or ""


_OPTIONS = (
    click.option(
        "--advertise-port",
        type=click.IntRange(0, 65535),
        default=0,
        metavar="PORT",
        help="The TCP port clients reach this server by, where it is another one (Docker, clouds).",
    ),
    click.option(
        "--no-tcp-media",
        "tcp_media",
        flag_value=False,
        default=True,
        help="Take no media on the HTTP port: only over UDP or TURN.",
    ),
    click.option(
        "--wire",
        type=click.Choice(["udp", "tcp"]),
        callback=_wire,
        help="Send media this way and no other, to find out what a network carries.",
    ),
    click.option(
        "--root-path",
        default="",
        callback=_root_path,
        metavar="PATH",
        help="The path a proxy serves this below, as /model, where it does not say so in X-Forwarded-Prefix.",
    ),
    click.option(
        "--tls-cert",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Speak https with this certificate (PEM), and --tls-key.",
    ),
    click.option(
        "--tls-key", type=click.Path(path_type=Path), metavar="FILE", help="The certificate's key (PEM)."
    ),
)


def reach_options(function: F) -> F:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def check_reach(options: dict[str, Any]) -> None:
    """Raises `click.UsageError` for options that do not go together."""
    if (options["tls_cert"] is None) != (options["tls_key"] is None):
        raise click.UsageError("--tls-cert and --tls-key go together.")
    if options["wire"] == "tcp" and not options["tcp_media"]:
        raise click.UsageError("--wire tcp and --no-tcp-media leave no way for the media.")
    if options["wire"] == "tcp" and options["impair"]:
        raise click.UsageError("--impair makes UDP worse, and --wire tcp leaves it out; choose one of them.")
