"""Options that several commands share."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from reactor_runtime.project import environment

from . import logs

F = TypeVar("F", bound=Callable[..., Any])


def seconds_option(flag: str, **settings: Any) -> Callable[[F], F]:
    """A finite number of seconds, 0 or more."""
    return click.option(flag, type=click.FloatRange(min=0), callback=_finite, metavar="SECONDS", **settings)


def _finite(ctx: click.Context, param: click.Parameter, value: float) -> float:
    if not math.isfinite(value):
        raise click.BadParameter(f"{value} is not a number of seconds; 0 turns the limit off.")
    return value


def _setup_logs(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Each of the options of the log, in any order."""
    if param.name is not None:
        ctx.meta[f"{__name__}.{param.name}"] = value
    given = {name: ctx.meta.get(f"{__name__}.{name}") for name in ("verbose", "log_format", "log_level")}
    logs.setup(bool(given["verbose"]), given["log_format"] or "text", given["log_level"] or "")


def log_arguments(ctx: click.Context) -> list[str]:
    """The options of the log that were given, for a process that is to log the same way."""
    given = {name: ctx.meta.get(f"{__name__}.{name}") for name in ("log_format", "log_level")}
    said = [
        text for name, value in given.items() if value for text in (f"--{name.replace('_', '-')}", str(value))
    ]
    return [*said, *(["--verbose"] if ctx.meta.get(f"{__name__}.verbose") else [])]


def examples(*commands: str) -> str:
    """The end of a command's help. A test runs each of them in a new project."""
    return "\b\nExamples:\n" + "\n".join(f"  {command}" for command in commands)


def path_option(function: F) -> F:
    return click.option(
        "-p",
        "--path",
        type=click.Path(path_type=Path),
        default=Path(),
        show_default="the current folder",
        metavar="DIR",
        help="The model's folder, or its file.",
    )(function)


def target_argument(function: F) -> F:
    """What may be named without an option; `path_option` is where it is looked for."""
    return click.argument("target", required=False, metavar="[MODEL]")(function)


def config_option(function: F) -> F:
    return click.option(
        "-c",
        "--config",
        "config_file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="A YAML file that takes the place of the one @model names.",
    )(function)


def weights_option(function: F) -> F:
    return click.option(
        "--weights-dir",
        type=click.Path(path_type=Path),
        envvar=environment.WEIGHTS_DIR,
        show_envvar=True,
        metavar="DIR",
        help="The folder that holds folders of weights.",
    )(function)


def log_options(function: F) -> F:
    """What a command that serves adds to `verbose_option`."""
    settings: dict[str, Any] = {"is_eager": True, "expose_value": False, "callback": _setup_logs}
    level = click.option(
        "--log-level",
        type=click.Choice(logs.LEVELS),
        default="info",
        show_default=True,
        help="The least that is logged.",
        **settings,
    )
    form = click.option(
        "--log-format",
        type=click.Choice(list(logs.FORMATS)),
        default="text",
        show_default=True,
        help="json: one object a line, with time, level, logger, message, session and client.",
        **settings,
    )
    return form(level(function))


def verbose_option(function: F) -> F:
    return click.option(
        "-v",
        "--verbose",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_setup_logs,
        help="Log more, and show tracebacks.",
    )(function)
