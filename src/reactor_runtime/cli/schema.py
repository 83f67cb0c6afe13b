"""`reactor schema`"""

from __future__ import annotations

import json
from pathlib import Path

import click

from .options import examples, path_option, target_argument, verbose_option
from .output import keep_stdout


@click.command("schema", epilog=examples("reactor schema", "reactor schema model:MyModel"))
@target_argument
@path_option
@verbose_option
def command(target: str | None, path: Path) -> None:
    """Print the model's commands as an OpenAPI document.

    MODEL is a folder, path/to/file.py or package.module:Class. It is not constructed, so this needs neither
    its weights nor a GPU.
    """
    from reactor_runtime.authoring.description import describe
    from reactor_runtime.project.discovery import find_model
    from reactor_runtime.protocol.openapi import model_schema

    write = keep_stdout()
    document = model_schema(describe(find_model(path, target)))
    write(json.dumps(document, indent=2))
