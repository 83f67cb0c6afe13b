"""`reactor run`"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reactor_runtime.errors import WeightsError
from reactor_runtime.loglines import PACKAGE
from reactor_runtime.process import stdio
from reactor_runtime.process.importing import uncollected
from reactor_runtime.worker import lifeline

from .options import (
    config_option,
    examples,
    log_options,
    path_option,
    target_argument,
    verbose_option,
    weights_option,
)
from .output import keep_stdout
from .overrides import OverridableCommand, overrides_of
from .secret import chosen_secret, secret_options
from .settings import options_of, setting_options

if TYPE_CHECKING:
    from reactor_runtime.project.project import Project
    from reactor_runtime.runtimes.http.options import HttpOptions

RUNTIMES = ("http",)


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
@setting_options("host", "port")
@weights_option
@click.option(
    "--download", is_flag=True, help="Fetch the weights that are missing first, as reactor download."
)
@setting_options(
    *("orphan_timeout", "max_session_duration", "kill_timeout", "on_reset_error"),
    *("allow_origins", "allow_hosts"),
)
@secret_options
@setting_options(
    *("no_token", "viewers", "shared_control", "offers_per_minute", "max_upload", "max_connections"),
    *("trusted_proxies", "stun_servers", "turn_servers", "turn_secret", "ice_transport_policy"),
    *("port_range", "advertise_ip", "advertise_port", "tcp_media", "wire", "root_path", "tls_cert"),
    *("tls_key", "encoder", "audit", "impair", "seed", "open_page", "qr"),
)
@log_options
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
    token_file: Path | None,
    **given: Any,
) -> None:
    """Run the model of a folder and serve it.

    MODEL is a folder, path/to/file.py or package.module:Class; without it, the one of the folder. The page
    and the API are on one TCP port, media on UDP ports of its own. Stop with Ctrl-C.
    """
    with uncollected():
        from reactor_runtime.project.loading import load_project

    if config_help:
        _print_config(path, config_file, overrides_of(ctx), target)
        return
    tied = lifeline.found()
    if tied is not None:
        tied.tie()
    options = options_of(given)
    options = replace(options, lifeline=tied, token=chosen_secret(ctx, options.token, token_file))
    _check_network(options)
    if ctx.obj:
        # Before the author's files are imported, which may print, start threads and crash.
        stdio.keep(verbose=logging.getLogger(PACKAGE).isEnabledFor(logging.DEBUG))
    project = load_project(path, config_file, overrides_of(ctx), weights_dir, target)
    if download:
        _fetch_missing(project, weights_dir)
    from reactor_runtime.runtimes.http import serve

    ctx.exit(serve(project, options))


def _check_network(options: HttpOptions) -> None:
    """Before the model loads, which may take minutes. Raises `IceConfigError`, `click.UsageError`."""
    from reactor_runtime.clients.ice import IceSettings

    IceSettings(options.stun_servers, options.turn_servers, options.turn_secret)
    if options.relay_only and not options.turn_servers:
        raise click.UsageError("--ice-transport-policy relay needs a --turn-server.")
    if (options.tls_cert is None) != (options.tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key go together.")
    if options.wire == "tcp" and not options.tcp_media:
        raise click.UsageError("--wire tcp and --no-tcp-media leave no way for the media.")
    if options.wire == "tcp" and options.impair:
        raise click.UsageError("--impair makes UDP worse, and --wire tcp leaves it out; choose one of them.")


def _fetch_missing(project: Project, weights_dir: Path | None) -> None:
    """What the model's decorator lists and this machine has not. Raises `WeightsError`."""
    from reactor_runtime.authoring.spec import spec_of
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
