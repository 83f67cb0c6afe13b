"""`reactor schema`"""

from __future__ import annotations

import json
from pathlib import Path

import click

from .options import path_option, verbose_option
from .output import author_prints_to_stderr


@click.command("schema")
@path_option
@verbose_option
def command(path: Path) -> None:
    """Print the model's commands as an OpenAPI document.

    The model is not constructed, so this needs neither its weights nor a GPU.
    """
    from reactor_runtime.project.discovery import find_model
    from reactor_runtime.protocol.openapi import model_schema

    with author_prints_to_stderr():
        document = model_schema(find_model(path))
    click.echo(json.dumps(document, indent=2))
