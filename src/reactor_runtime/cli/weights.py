"""`reactor weights`"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import examples, path_option, verbose_option, weights_option
from .output import keep_stdout

if TYPE_CHECKING:
    from reactor_runtime.project.weights.inventory import Row

REVISION_CHARS = 12


@click.group(
    "weights",
    invoke_without_command=True,
    epilog=examples("reactor weights", "reactor weights -p . list", "reactor weights prune --dry-run"),
)
@path_option
@weights_option
@verbose_option
@click.pass_context
def command(ctx: click.Context, path: Path, weights_dir: Path | None) -> None:
    """Say which weights are on this machine, and who asks for them."""
    given = {"path": path, "weights_dir": weights_dir}
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_command, **given)
    # What stands before the subcommand counts for it too.
    ctx.default_map = dict.fromkeys(command.commands, given)


@command.command("list")
@path_option
@weights_option
@verbose_option
def list_command(path: Path, weights_dir: Path | None) -> None:
    """Name, size, revision, place, source, and who asks for it; the default."""
    from reactor_runtime.project.target import project_folder
    from reactor_runtime.project.weights.inventory import inventory

    rows = inventory(project_folder(path), weights_dir)
    if not rows:
        click.echo("There are no weights here, and this project names none.")
    for row in rows:
        click.echo(_text(row))


@command.command("path")
@click.argument("name")
@path_option
@weights_option
@verbose_option
def path_command(name: str, path: Path, weights_dir: Path | None) -> None:
    """Print the folder that the model would take, and nothing else."""
    from reactor_runtime.project.target import project_folder
    from reactor_runtime.project.weights import WeightsStore

    write = keep_stdout()
    write(str(WeightsStore(project_folder(path), weights_dir).path(name)))


@command.command("prune")
@weights_option
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@verbose_option
def prune_command(weights_dir: Path | None, dry_run: bool, yes: bool) -> None:
    """Remove downloads that no project on this machine asks for any more.

    A project asks while its folder is there, and its reactor.toml or its model names them. What was not made
    by reactor download is never removed.
    """
    from reactor_runtime.project.weights.disk import size_text
    from reactor_runtime.project.weights.inventory import remove, unasked
    from reactor_runtime.project.weights.store import cache_root

    root = cache_root(weights_dir)
    rows = unasked(root)
    if not rows:
        click.echo(f"Every download in {root} is asked for.")
        return
    for row in rows:
        click.echo(f"{row.place}  {size_text(row.size)}{f'  ({row.note})' if row.note else ''}")
    if dry_run:
        return
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("nobody is here to be asked; give --yes to remove them.")
        click.confirm("Remove them?", abort=True)
    gone = [row for row in rows if remove(root, row)]
    kept = len(rows) - len(gone)
    busy = f"; {kept} left alone, because another process is at them" if kept else ""
    click.echo(f"Removed {len(gone)}, {size_text(sum(row.size for row in gone))}{busy}.")


def _text(row: Row) -> str:
    from reactor_runtime.project.weights.disk import size_text

    if row.place is None:
        lines = [f"{row.name}  not on this machine"]
    else:
        revision = f"  revision {row.revision[:REVISION_CHARS]}" if row.revision else ""
        lines = [f"{row.name}  {size_text(row.size)}{revision}", f"  in {row.place}"]
    if row.source:
        lines.append(f"  from {row.source}")
    if row.note and row.place is not None:
        lines.append(f"  {row.note}")
    lines.append(f"  asked for by {', '.join(row.asked_by) or 'nobody'}")
    return "\n".join(lines)
