"""`reactor test`"""

from __future__ import annotations

import json
from pathlib import Path

import click

from .options import config_option, examples, path_option, target_argument, verbose_option, weights_option
from .overrides import OverridableCommand, overrides_of


@click.command(
    "test",
    cls=OverridableCommand,
    epilog=examples("reactor test --leaks", "reactor test --leaks --report leaks.json --junit leaks.xml"),
)
@target_argument
@path_option
@config_option
@weights_option
@click.option("--leaks", is_flag=True, help="Whether one user leaves anything to the next.")
@click.option(
    "--strict", is_flag=True, help="Count what is new after a session as a leak too, unless @model keeps it."
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.json",
    help="Write a certificate: the model, versions, what was tried and found.",
)
@click.option(
    "--junit",
    "junit_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.xml",
    help="Write what continuous integration reads.",
)
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="Of both users.")
@verbose_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    target: str | None,
    path: Path,
    leaks: bool,
    strict: bool,
    report: Path | None,
    junit_file: Path | None,
    seed: int,
    config_file: Path | None,
    weights_dir: Path | None,
) -> None:
    """Test the model of a folder, without a server and without waiting.

    MODEL is a folder, path/to/file.py or package.module:Class. With --leaks two made-up users play, alone and
    in both orders, in processes of their own. Status: 0 no leak, 1 a leak, 2 it could not be told.
    """
    if not leaks:
        raise click.UsageError("Say what to test: --leaks.", ctx)
    from reactor_runtime.leaks import judge
    from reactor_runtime.leaks.certificate import certificate, junit
    from reactor_runtime.leaks.verdict import Order

    verdict = judge(Order(path, config_file, overrides_of(ctx), weights_dir, seed, target), strict)
    for note in verdict.notes:
        click.echo(f"note: {note}", err=True)
    for leak in verdict.leaks:
        click.echo(leak.line)
    if not verdict.leaks:
        click.echo(f"cannot tell: {verdict.reason}" if verdict.reason else "no leak")
    try:
        if report is not None:
            report.write_text(json.dumps(certificate(verdict, strict, seed), indent=2) + "\n", "utf-8")
        if junit_file is not None:
            junit_file.write_bytes(junit(verdict))
    except OSError as error:
        raise click.ClickException(f"{error.filename} cannot be written: {error.strerror}.") from None
    ctx.exit(verdict.status)
