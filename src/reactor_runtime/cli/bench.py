"""`reactor bench`"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import config_option, examples, path_option, target_argument, verbose_option, weights_option
from .output import keep_stdout
from .overrides import OverridableCommand, overrides_of

if TYPE_CHECKING:
    from reactor_runtime.bench import Figures

MIN_SECONDS, MAX_SECONDS = 1.0, 3600.0


def _commands(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> list[tuple[str, Mapping[str, Any]]]:
    return [_parse_command(value) for value in values]


def _parse_command(text: str) -> tuple[str, Mapping[str, Any]]:
    name, _, arguments = text.partition("=")
    try:
        parsed = json.loads(arguments) if arguments else {}
    except ValueError as error:
        raise click.BadParameter(f"the arguments of {name!r} are no JSON: {error}") from None
    if not isinstance(parsed, dict):
        raise click.BadParameter(f'the arguments of {name!r} must be a JSON object, like {{"speed": 2}}')
    return name, parsed


@click.command(
    "bench",
    cls=OverridableCommand,
    epilog=examples(
        "reactor bench --seconds 1",
        "reactor bench --seconds 1 --codec VP8 --command 'set_brightness={\"brightness\": 0.5}' --json",
    ),
)
@target_argument
@path_option
@config_option
@weights_option
@click.option(
    "--seconds",
    type=click.FloatRange(MIN_SECONDS, MAX_SECONDS),
    default=10.0,
    show_default=True,
    help="How long to measure.",
)
@click.option(
    "--codec",
    type=click.Choice(["H264", "VP8"], case_sensitive=False),
    default="H264",
    show_default=True,
    help="What the viewer takes.",
)
@click.option(
    "--command",
    "commands",
    multiple=True,
    callback=_commands,
    metavar="NAME=JSON",
    help="Send this command when the measuring begins; repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON document.")
@verbose_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    target: str | None,
    path: Path,
    config_file: Path | None,
    weights_dir: Path | None,
    seconds: float,
    codec: str,
    commands: list[tuple[str, Mapping[str, Any]]],
    as_json: bool,
) -> None:
    """Measure the model with everything behind it, without a browser.

    MODEL is a folder, path/to/file.py or package.module:Class. It runs here, and its frames are paced and
    encoded as for one viewer. The last line sums it up.
    """
    from reactor_runtime.project.loading import load_project

    write = keep_stdout()
    project = load_project(path, config_file, overrides_of(ctx), weights_dir, target)
    from reactor_runtime.bench import bench
    from reactor_runtime.media.encoders import VideoCodec

    figures = bench(
        project.model_class,
        project.config,
        weights=project.weights,
        seconds=seconds,
        codec=VideoCodec(codec.upper()),
        commands=commands,
    )
    write(json.dumps(figures.to_json(), indent=2) if as_json else _text(figures))
    refused = [each for each in figures.commands if each.error]
    if refused:
        raise click.ClickException("; ".join(f"{each.name}: {each.error}" for each in refused))


def _text(figures: Figures) -> str:
    rows = figures.lines()
    width = max(len(what) for what, _ in rows)
    lines = [f"{what:<{width}}  {how_much}" for what, how_much in rows]
    return "\n".join([*lines, *figures.notes, "", figures.verdict])
