"""`reactor run`"""

from __future__ import annotations

import ipaddress
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reactor_runtime.clients import options as clients
from reactor_runtime.errors import WeightsError
from reactor_runtime.loglines import PACKAGE
from reactor_runtime.process import stdio
from reactor_runtime.project import environment
from reactor_runtime.runtimes.http import lifeline
from reactor_runtime.runtimes.http import options as http
from reactor_runtime.worker import options as work

from .options import (
    config_option,
    examples,
    path_option,
    seconds_option,
    target_argument,
    verbose_option,
    weights_option,
)
from .output import keep_stdout
from .overrides import OverridableCommand, overrides_of
from .reach import check_reach, reach_options
from .secret import chosen_secret, secret_options

if TYPE_CHECKING:
    from reactor_runtime.project.project import Project

RUNTIMES = ("http",)


LOWEST_PORT = 1024


def _impairment(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if value:
        from reactor_runtime.transports.impair.shaper import Impairment, ImpairmentError

        try:
            Impairment.parse(value)
        except ImpairmentError as error:
            raise click.BadParameter(error.message) from None
    return value


def _port_range(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    low, colon, high = value.partition(":")
    if not colon or not (low or "0").isdecimal() or not (high or "0").isdecimal():
        raise click.BadParameter("write it as MIN:MAX, for example 40000:40100.")
    first, last = int(low or LOWEST_PORT), int(high or 65535)
    if not LOWEST_PORT <= first <= last <= 65535:
        raise click.BadParameter(f"ports go from {LOWEST_PORT} to 65535, the lower one first.")
    return first, last


def _origins(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    for origin in value:
        if not re.fullmatch(r"https?://[^/\s*@]+/?", origin):
            raise click.BadParameter(f"{origin!r} is no origin; write it as https://app.example:8443.")
    return value


def _networks(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    for network in value:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError:
            raise click.BadParameter(f"{network!r} is no address and no network.") from None
    return value


def _ip_address(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if value:
        try:
            ipaddress.IPv4Address(value)
        except ValueError:
            raise click.BadParameter(f"{value!r} is no IPv4 address.") from None
    return value


class WholeText(click.types.StringParamType):
    """Text that may hold spaces; click would cut a variable of the environment at them."""

    def split_envvar_value(self, rv: str) -> list[str]:
        return [rv]


def _stun_servers(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    from reactor_runtime.clients.ice import stun_entries

    return tuple(entry for text in value for entry in stun_entries(text))


def _turn_servers(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    from reactor_runtime.clients.ice import turn_entries

    return tuple(entry for text in value for entry in turn_entries(text))


@click.command(
    "run",
    cls=OverridableCommand,
    epilog=examples(
        "reactor run",
        "reactor run model.py --port 8081",
        "reactor run -p . --model.speed=2 --config-help",
        "reactor run --host 0.0.0.0 --webrtc-port-range 40000:40100",
    ),
)
@target_argument
@path_option
@click.option(
    "--runtime", type=click.Choice(RUNTIMES), default="http", show_default=True, help="What to offer."
)
@config_option
@click.option(
    "--config-help",
    is_flag=True,
    help="Print each value of the configuration, where it comes from and its type, and exit.",
)
@click.option("--host", envvar=environment.HOST, default="127.0.0.1", show_default=True, show_envvar=True)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    envvar=environment.PORT,
    default=http.DEFAULT_PORT,
    show_default=True,
    show_envvar=True,
    help="0 picks a free one.",
)
@weights_option
@click.option(
    "--download", is_flag=True, help="Fetch the weights that are missing first, as reactor download."
)
@seconds_option(
    "--orphan-timeout",
    envvar=environment.ORPHAN_TIMEOUT,
    default=work.DEFAULT_ORPHAN_TIMEOUT_S,
    show_default=True,
    show_envvar=True,
    help="How long a session waits for a client that left; 0 for ever.",
)
@seconds_option(
    "--max-session-duration",
    envvar=environment.MAX_SESSION_DURATION,
    default=0.0,
    show_default="no limit",
    show_envvar=True,
    help="When a session ends at the latest.",
)
@seconds_option(
    "--kill-timeout",
    default=work.DEFAULT_KILL_TIMEOUT_S,
    show_default=True,
    help="How long a stopped session may keep the model busy before the process ends; 0 for ever.",
)
@click.option(
    "--on-reset-error",
    type=click.Choice(["rebuild", "exit"]),
    default="rebuild",
    show_default=True,
    help="After a reset() that raised: build the model again before the next user, or end with status 1.",
)
@click.option(
    "--allow-origin",
    "allow_origins",
    multiple=True,
    callback=_origins,
    metavar="ORIGIN",
    help="A web page that may connect, as https://app.example.",
)
@click.option(
    "--allow-host", "allow_hosts", multiple=True, metavar="HOST", help="A name this server is reached by."
)
@secret_options
@click.option("--no-token", is_flag=True, help="Off loopback, let everybody in without a token.")
@click.option(
    "--viewers",
    type=click.IntRange(0, 63),
    default=clients.DEFAULT_VIEWERS,
    show_default=True,
    help="How many clients may watch beside the one that steers.",
)
@click.option("--shared-control", is_flag=True, help="Let every client send commands.")
@click.option(
    "--offers-per-minute",
    type=click.IntRange(0),
    default=clients.DEFAULT_OFFERS_PER_MINUTE,
    show_default=True,
    help="Connections one address may ask for; 0 for no limit.",
)
@click.option(
    "--max-upload",
    type=click.IntRange(0),
    default=work.DEFAULT_MAX_UPLOAD_MIB,
    show_default=True,
    metavar="MIB",
    help="The largest file a client may send, for commands that take one; 0 takes none.",
)
@click.option(
    "--max-connections",
    type=click.IntRange(1),
    envvar=environment.MAX_CONNECTIONS,
    default=http.DEFAULT_MAX_CONNECTIONS,
    show_default=True,
    show_envvar=True,
    help="To the TCP port, and half as many for one address; over it the one goes that is idle longest.",
)
@click.option(
    "--trusted-proxy",
    "trusted_proxies",
    multiple=True,
    callback=_networks,
    envvar=environment.TRUSTED_PROXIES,
    default=http.DEFAULT_TRUSTED_PROXIES,
    show_default=True,
    show_envvar=True,
    metavar="ADDRESS",
    help="A reverse proxy, or a network of them as 10.0.0.0/8, that says in X-Forwarded-For who asks.",
)
@click.option(
    "--stun-server",
    "stun_servers",
    type=WholeText(),
    multiple=True,
    envvar=environment.STUN_SERVERS,
    show_envvar=True,
    callback=_stun_servers,
    metavar="URL",
    help="As in stun:host:3478; repeatable, or several with commas. None is contacted unless named.",
)
@click.option(
    "--turn-server",
    "turn_servers",
    type=WholeText(),
    multiple=True,
    envvar=environment.TURN_SERVERS,
    show_envvar=True,
    callback=_turn_servers,
    metavar="URL",
    help="turn:host:3478 with --turn-secret, or username;credential;turn:host:3478; repeatable, or several "
    "with commas.",
)
@click.option(
    "--turn-secret",
    envvar=environment.TURN_SECRET,
    default="",
    show_envvar=True,
    metavar="SECRET",
    help="Shared with the TURN server; short-lived credentials are made from it.",
)
@click.option(
    "--ice-transport-policy",
    type=click.Choice(["all", "relay"]),
    envvar=environment.ICE_TRANSPORT_POLICY,
    default="all",
    show_default=True,
    show_envvar=True,
    help="relay sends all media through a TURN server.",
)
@click.option(
    "--webrtc-port-range",
    "port_range",
    envvar=environment.WEBRTC_PORT_RANGE,
    show_envvar=True,
    callback=_port_range,
    metavar="MIN:MAX",
    help="The UDP ports media may use, for firewalls and Docker.",
)
@click.option(
    "--advertise-ip",
    default="",
    callback=_ip_address,
    metavar="IP",
    help="The address clients reach this machine by, where it is not one of its own.",
)
@reach_options
@click.option(
    "--encoder",
    type=click.Choice(["auto", "x264", "nvenc", "vp8"]),
    default="auto",
    show_default=True,
    help="What makes H.264; vp8 makes none. auto is x264.",
)
@click.option(
    "--audit",
    type=click.Choice(["off", "warn", "strict"]),
    default="warn",
    show_default=True,
    help="Tell what a session leaves to the next one; strict also builds the model again before it.",
)
@click.option(
    "--impair",
    default="",
    callback=_impairment,
    metavar="SPEC",
    help="Feel the real world on a laptop: loss=3,rtt=150,jitter=30,rate=2M,blackout=5@10.",
)
@verbose_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    target: str | None,
    path: Path,
    runtime: str,
    config_file: Path | None,
    config_help: bool,
    weights_dir: Path | None,
    download: bool,
    ice_transport_policy: str,
    token_file: Path | None,
    **options: Any,
) -> None:
    """Run the model of a folder and serve it.

    MODEL is a folder, path/to/file.py or package.module:Class; without it, the one of the folder. The page
    and the API are on one TCP port, media on UDP ports of its own. Stop with Ctrl-C.
    """
    from reactor_runtime.project.loading import load_project

    if config_help:
        _print_config(path, config_file, overrides_of(ctx), target)
        return
    options["lifeline"] = lifeline.found()
    if options["lifeline"] is not None:
        options["lifeline"].tie()
    options["token"] = chosen_secret(ctx, options["token"], token_file)
    relay_only = ice_transport_policy == "relay"
    _check_network(relay_only, options)
    if ctx.obj:
        # Before the author's files are imported, which may print, start threads and crash.
        stdio.keep(verbose=logging.getLogger(PACKAGE).isEnabledFor(logging.DEBUG))
    project = load_project(path, config_file, overrides_of(ctx), weights_dir, target)
    if download:
        _fetch_missing(project, weights_dir)
    from reactor_runtime.runtimes.http import serve

    ctx.exit(serve(project, http.HttpOptions(relay_only=relay_only, **options)))


def _check_network(relay_only: bool, options: dict[str, Any]) -> None:
    """Before the model loads, which may take minutes. Raises `IceConfigError`."""
    from reactor_runtime.clients.ice import IceSettings

    IceSettings(options["stun_servers"], options["turn_servers"], options["turn_secret"])
    if relay_only and not options["turn_servers"]:
        raise click.UsageError("--ice-transport-policy relay needs a --turn-server.")
    check_reach(options)


def _fetch_missing(project: Project, weights_dir: Path | None) -> None:
    """What the model's decorator lists and this machine has not. Raises `WeightsError`."""
    from reactor_runtime.authoring.decorator import spec_of
    from reactor_runtime.project.weights.store import cache_root

    from .download import fill, orders_for

    missing = []
    for name in spec_of(project.model_class).weights:
        try:
            project.weights.path(name)
        except WeightsError:
            missing.append(name)
    if missing:
        fill(orders_for(missing, project.path), cache_root(weights_dir), project.path, weights_dir)


def _print_config(path: Path, config_file: Path | None, overrides: list[str], target: str | None) -> None:
    from reactor_runtime.project.config_report import report
    from reactor_runtime.project.discovery import find_model
    from reactor_runtime.project.loading import check_config, effective_config

    write = keep_stdout()
    model_class = find_model(path, target)
    text, problems = report(effective_config(model_class, config_file, overrides))
    write(text)
    if problems:
        raise click.ClickException("\n".join(problems))
    check_config(model_class, config_file, overrides)
