"""`reactor init`"""

from __future__ import annotations

from pathlib import Path

import click

from .options import examples, verbose_option


@click.command("init", epilog=examples("reactor init my-model"))
@click.argument("name")
@verbose_option
def command(name: str) -> None:
    """Make a folder with a model that runs.

    NAME becomes the folder and the model's name.
    """
    from reactor_runtime.project.scaffold import create_project

    folder = create_project(name, Path())
    click.echo(f"Made {folder}. Run it:\n\n  reactor run -p {folder}\n")
