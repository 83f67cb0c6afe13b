"""`reactor capabilities`"""

from __future__ import annotations

import json
from pathlib import Path

import click

from .options import path_option, verbose_option
from .output import author_prints_to_stderr


@click.command("capabilities")
@path_option
@verbose_option
def command(path: Path) -> None:
    """Print what the model can do, as JSON.

    The model is not constructed, so this needs neither its weights nor a GPU.
    """
    from reactor_runtime.authoring.capabilities import capabilities
    from reactor_runtime.project.discovery import find_model

    with author_prints_to_stderr():
        document = capabilities(find_model(path))
    click.echo(json.dumps(document, indent=2))
