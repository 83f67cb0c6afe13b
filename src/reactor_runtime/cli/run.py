"""`reactor run`"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reactor_runtime.project import environment
from reactor_runtime.runtimes.http import options as http

from .options import path_option, seconds_option, verbose_option
from .output import author_prints_to_stderr
from .overrides import OverridableCommand, overrides_of

RUNTIMES = ("http",)


@click.command("run", cls=OverridableCommand)
@path_option
@click.option(
    "--runtime", type=click.Choice(RUNTIMES), default="http", show_default=True, help="What to offer."
)
@click.option(
    "-c",
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A YAML file that takes the place of the one @model names.",
)
@click.option(
    "--config-help", is_flag=True, help="Print the configuration and where each value comes from, and exit."
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
@click.option(
    "--weights-dir",
    type=click.Path(path_type=Path),
    envvar=environment.WEIGHTS_DIR,
    show_envvar=True,
    metavar="DIR",
    help="The folder that holds folders of weights.",
)
@seconds_option(
    "--orphan-timeout",
    envvar=environment.ORPHAN_TIMEOUT,
    default=http.DEFAULT_ORPHAN_TIMEOUT_S,
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
    default=http.DEFAULT_KILL_TIMEOUT_S,
    show_default=True,
    help="How long a stopped session may keep the model busy before the process ends; 0 for ever.",
)
@click.option(
    "--allow-origin", "allow_origins", multiple=True, metavar="ORIGIN", help="A web page that may connect."
)
@click.option(
    "--allow-host", "allow_hosts", multiple=True, metavar="HOST", help="A name this server is reached by."
)
@verbose_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    path: Path,
    runtime: str,
    config_file: Path | None,
    config_help: bool,
    weights_dir: Path | None,
    **options: Any,
) -> None:
    """Run the model of a folder and serve it.

    The page, the API and the media are all on one port. Stop with Ctrl-C.
    """
    from reactor_runtime.project.loading import load_project

    if config_help:
        _print_config(path, config_file, overrides_of(ctx))
        return
    project = load_project(path, config_file, overrides_of(ctx), weights_dir)
    from reactor_runtime.runtimes.http import serve

    ctx.exit(serve(project, http.HttpOptions(**options)))


def _print_config(path: Path, config_file: Path | None, overrides: list[str]) -> None:
    from reactor_runtime.project.config_report import report
    from reactor_runtime.project.discovery import find_model
    from reactor_runtime.project.loading import effective_config

    with author_prints_to_stderr():
        model_class = find_model(path)
    text, problems = report(effective_config(model_class, config_file, overrides))
    click.echo(text)
    if problems:
        raise click.ClickException("\n".join(problems))
