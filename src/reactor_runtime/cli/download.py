"""`reactor download`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reactor_runtime.errors import WeightsError
from reactor_runtime.project import environment

from .options import examples, path_option, verbose_option, weights_option

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reactor_runtime.project.weights.download import Order, Outcome


@click.command(
    "download",
    epilog=examples("reactor download", "reactor download -p .", "reactor download --verify"),
)
@click.argument("names", nargs=-1, metavar="[NAME[=SOURCE]…]")
@path_option
@weights_option
@click.option("--verify", is_flag=True, help="Fetch nothing; read what is here and compare its checksums.")
@click.option("--repair", is_flag=True, help="Read what is here, and fetch what is not as it was.")
@click.option(
    "--offline",
    is_flag=True,
    help=f"Fetch nothing; say whether all is here. {environment.HUB_OFFLINE}=1 does the same.",
)
@verbose_option
def command(
    names: tuple[str, ...], path: Path, weights_dir: Path | None, verify: bool, repair: bool, offline: bool
) -> None:
    """Fetch the weights of a project, whole and verified.

    NAME is one of the table [weights] in reactor.toml; without any, all of them. NAME=SOURCE takes another
    source: hf://org/repo@revision, s3://bucket/prefix, gs://…, az://…, https://…, or file:DIR. They go to
    --weights-dir, else to ~/.cache/reactor/weights. What arrived before it was stopped need not come again.
    """
    from reactor_runtime.project.target import project_folder
    from reactor_runtime.project.weights.store import cache_root

    if verify and repair:
        raise click.UsageError("--verify changes nothing and --repair does; give one of them.")
    project = project_folder(path)
    root = cache_root(weights_dir)
    if verify:
        _verify(_plain(names) or _known(project, root), root, project)
        return
    orders = _orders(names, project, offline, repair)
    if not orders:
        click.echo("This project names no weights: there is nothing to fetch.")
    fill(orders, root, project, weights_dir)


def fill(orders: Iterable[Order], root: Path, project: Path, weights_dir: Path | None) -> None:
    """All of them, one after the other. Raises `WeightsError`."""
    from reactor_runtime.project.weights.download import download

    from .bars import Bars

    for order in orders:
        outcome = download(order, root, Bars())
        click.echo(_told(order.name, outcome), err=True)
        _warn_hidden(order.name, outcome, project, weights_dir)


def orders_for(
    names: Iterable[str], project: Path, *, offline: bool = False, repair: bool = False
) -> list[Order]:
    """Raises `WeightsError` where the project names no source for one of them."""
    return _orders(tuple(names), project, offline, repair)


def _orders(names: tuple[str, ...], project: Path, offline: bool, repair: bool) -> list[Order]:
    from reactor_runtime.project.weights.asked import asked_names
    from reactor_runtime.project.weights.declared import declared_sources, lines_for
    from reactor_runtime.project.weights.download import Order
    from reactor_runtime.project.weights.names import check_name
    from reactor_runtime.project.weights.source import parse_source

    declared = declared_sources(project)
    orders = {}
    for text in names or tuple(dict.fromkeys((*declared.sources, *asked_names(project)))):
        name, given, source_text = text.partition("=")
        check_name(name)
        known = declared.sources.get(name)
        source = parse_source(source_text, Path.cwd()) if given else known
        if source is None:
            others = f" It names: {', '.join(declared.sources)}." if declared.sources else ""
            raise WeightsError(
                f"Nothing says where {name} comes from.{others} Please {lines_for(name, project)}\n\n"
                f"or name it here: reactor download {name}=SOURCE"
            )
        orders[name] = Order(name, source, known, project, offline, repair)
    return list(orders.values())


def _told(name: str, outcome: Outcome) -> str:
    from reactor_runtime.project.weights.disk import size_text

    what = "is here and verified" if outcome.fetched else "is here already"
    revision = f", revision {outcome.manifest.revision[:12]}" if outcome.manifest.revision else ""
    return f"{name} {what}: {outcome.folder} ({size_text(outcome.manifest.size)}{revision})"


def _warn_hidden(name: str, outcome: Outcome, project: Path, weights_dir: Path | None) -> None:
    """Where the model would take another folder of this name."""
    from reactor_runtime.project.weights import WeightsStore

    try:
        found = WeightsStore(project, weights_dir or environment.weights_dir()).path(name)
    except WeightsError as error:
        click.echo(f"Warning: the model would not find it.\n{error.message}", err=True)
        return
    if found != outcome.folder:
        click.echo(f"Warning: the model takes {found}, which comes first.", err=True)


def _plain(names: tuple[str, ...]) -> list[str]:
    return [name.partition("=")[0] for name in names]


def _known(project: Path, root: Path) -> list[str]:
    """What the project names and this machine has; what is missing is for others to say."""
    from reactor_runtime.project.weights.asked import asked_names
    from reactor_runtime.project.weights.declared import declared_sources
    from reactor_runtime.project.weights.manifest import read_manifest

    names = dict.fromkeys((*declared_sources(project).sources, *asked_names(project)))
    return [name for name in names if name in declared_sources(project).sources or read_manifest(root / name)]


def _verify(names: list[str], root: Path, project: Path) -> None:
    from reactor_runtime.project.weights.disk import count_text
    from reactor_runtime.project.weights.manifest import read_manifest
    from reactor_runtime.project.weights.names import check_name
    from reactor_runtime.project.weights.store import download_command
    from reactor_runtime.project.weights.verify import problems, strangers

    if not names:
        click.echo("This project names no weights: there is nothing to verify.")
    bad = []
    for name in names:
        check_name(name)
        folder = root / name
        manifest = read_manifest(folder)
        if manifest is None:
            why = "was not made by `reactor download`" if folder.is_dir() else "is not there"
            bad.append(f"{folder} {why}: {download_command(name, project)}")
            continue
        found = problems(folder, manifest)
        bad += [f"{problem}: {download_command(name, project)} --repair" for problem in found]
        for path in strangers(folder, manifest):
            click.echo(f"Warning: {folder / path} did not come with the others.", err=True)
        if not found:
            click.echo(f"{name} is as it arrived: {count_text(len(manifest.files))} in {folder}")
    if bad:
        raise WeightsError("\n".join(bad))
