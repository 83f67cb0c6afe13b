"""`reactor serve`"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from reactor_runtime.fleet.limits import QUEUE_WAIT_LIMIT_S
from reactor_runtime.process.importing import uncollected
from reactor_runtime.runtimes.http import options as http

from .options import (
    config_option,
    examples,
    log_arguments,
    log_options,
    path_option,
    seconds_option,
    target_argument,
    verbose_option,
    weights_option,
)
from .overrides import PREFIX, OverridableCommand, overrides_of
from .secret import chosen_secret, secret_options
from .settings import SETTINGS, setting_options

WORKERS_LIMIT = 64
"""Local workers; a larger fleet has more than one machine."""
FOR_WORKERS = (
    *("orphan_timeout", "kill_timeout", "on_reset_error", "viewers"),
    *("shared_control", "offers_per_minute", "max_upload", "stun_servers", "turn_servers"),
    *("ice_transport_policy", "port_range", "advertise_ip", "tcp_media", "wire", "encoder", "impair", "seed"),
)
"""Settings of `reactor run` that `reactor serve` takes too, and hands to its workers."""
FOR_GATEWAY = (
    "host",
    "port",
    "allow_origins",
    "allow_hosts",
    "no_token",
    "max_connections",
    "trusted_proxies",
    "advertise_port",
)
"""Those that are about the address that clients reach."""
BOTH = ("max_upload", "advertise_ip", "tcp_media", "wire", "impair")
"""Settings of the workers that the gateway keeps to as well."""


def _workers(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]{1,4})(?::([0-9]{1,4}))?", value)
    low = int(found[1]) if found else 0
    high = int(found[2] or low) if found else 0
    if not 0 <= low <= high <= WORKERS_LIMIT or high < 1:
        raise click.BadParameter(f"write it as N or MIN:MAX, for example 1:4, with {WORKERS_LIMIT} at most.")
    return low, high


def _gpus(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, ...]:
    gpus = tuple(part.strip() for part in value.split(",")) if value else ()
    if not all(re.fullmatch(r"[A-Za-z0-9-]{1,80}(/[0-9]+)*", gpu) for gpu in gpus):
        raise click.BadParameter("write the numbers of GPUs with commas, for example 0,1,2,3.")
    return gpus


def _ray(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if "://" in value:
        raise click.BadParameter("run reactor serve on a machine of the cluster, and say auto or HOST:PORT.")
    return value


@click.command(
    "serve",
    cls=OverridableCommand,
    epilog=examples(
        "reactor serve --workers 2",
        "reactor serve -p . --workers 1:4 --gpus 0,1,2,3 --queue 50",
        "reactor serve -p /models/mine --workers 1:8 --ray auto",
    ),
)
@target_argument
@path_option
@click.option(
    "--workers",
    default="1:1",
    callback=_workers,
    show_default=True,
    metavar="MIN:MAX",
    help="How many sessions at a time: so many workers are kept, and up to so many started.",
)
@click.option(
    "--gpus",
    default="",
    callback=_gpus,
    metavar="LIST",
    help="As 0,1,2,3: each worker sees one of them (CUDA_VISIBLE_DEVICES).",
)
@click.option("--queue", type=click.IntRange(0), default=200, show_default=True, help="How many may wait.")
@seconds_option(
    "--session-cap", default=0.0, show_default="no limit", help="How long a session may last, from its claim."
)
@click.option(
    "--queue-wait",
    type=click.FloatRange(0, QUEUE_WAIT_LIMIT_S),
    default=0.0,
    show_default=True,
    metavar="SECONDS",
    help="How long clients that know no line are held inside POST /start_session.",
)
@seconds_option(
    "--scale-after",
    default=10.0,
    show_default=True,
    help="How long the first in line waits for one worker more.",
)
@seconds_option(
    "--idle", default=300.0, show_default=True, help="When a worker above MIN that nobody uses ends."
)
@seconds_option(
    "--drain-limit",
    default=0.0,
    show_default="no limit",
    help="How long a session may go on that runs on a worker that is drained.",
)
@click.option(
    "--store",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keeps the line through a restart (SQLite). Without it, who waits is told to queue again.",
)
@click.option("--preview", is_flag=True, help="Let who waits watch a session that runs.")
@click.option(
    "--ray",
    default="",
    metavar="ADDRESS",
    callback=_ray,
    help="Run the workers on a Ray cluster, one GPU each: HOST:PORT or auto of one that runs, or local "
    "for one of this machine.",
)
@setting_options(*FOR_GATEWAY)
@secret_options
@config_option
@weights_option
@setting_options(*FOR_WORKERS)
@log_options
@verbose_option
@click.pass_context
def command(ctx: click.Context, /, target: str | None, path: Path, **options: Any) -> None:
    """Serve the model to many users: a waiting line, and a worker for each session.

    Each worker is a `reactor run` of its own, started anew when it ends, on this machine or those of a Ray
    cluster; clients reach all of them at one address. `reactor fleet` shows and controls what runs here.
    """
    from reactor_runtime.fleet.gateway import given as gateway

    if (given := gateway.found()) is not None:
        with uncollected():
            from reactor_runtime.fleet.gateway import process
        ctx.exit(process.run(given))
    from reactor_runtime.fleet import serving

    ctx.exit(serving.serve(_serve(ctx, target, path, options)))


def _serve(ctx: click.Context, target: str | None, path: Path, options: dict[str, Any]) -> Any:
    from reactor_runtime.fleet.gateway.options import GatewayOptions
    from reactor_runtime.fleet.limits import FleetLimits
    from reactor_runtime.fleet.serving import Serve

    low, high = options["workers"]
    if options["ray"] not in ("", "local") and options["gpus"]:
        raise click.UsageError("--gpus is about this machine; a Ray cluster hands out its GPUs itself.")
    secret = chosen_secret(ctx, options["token"], options["token_file"])
    chosen = {name: options[name] for name in (*FOR_GATEWAY, *BOTH)}
    gateway = GatewayOptions(
        FleetLimits(
            workers_min=low,
            workers_max=high,
            queue=options["queue"],
            session_cap=options["session_cap"],
            scale_after=options["scale_after"],
            idle=options["idle"],
        ),
        slots=high,
        http=http.HttpOptions(token=secret, **chosen),
        queue_wait=options["queue_wait"],
        drain_limit=options["drain_limit"],
        store=str(options["store"].absolute()) if options["store"] else "",
        preview=options["preview"],
    )
    return Serve(
        gateway,
        worker_command(ctx, target, path, options),
        options["gpus"],
        options["ray"],
        tuple(log_arguments(ctx)),
    )


def worker_command(
    ctx: click.Context, target: str | None, path: Path, options: dict[str, Any]
) -> tuple[str, ...]:
    """A `reactor run` with what was said here; what the environment says reaches it by itself.

    Where it listens is its engine's to say.
    """
    command = [sys.executable, "-m", "reactor_runtime", "run", *([target] if target else [])]
    command += ["--path", str(path.absolute()), "--port", "0", "--allow-host", "*"]
    command += log_arguments(ctx)
    for name, flag in (("config_file", "--config"), ("weights_dir", "--weights-dir")):
        if _said(ctx, name):
            command += [flag, str(options[name].absolute())]
    for name in FOR_WORKERS:
        if _said(ctx, name):
            command += SETTINGS[name].arguments(options[name])
    command += [f"{PREFIX}{override}" for override in overrides_of(ctx)]
    return tuple(command)


def _said(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
