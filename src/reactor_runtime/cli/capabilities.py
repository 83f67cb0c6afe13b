"""`reactor capabilities`"""

from __future__ import annotations

import json
from pathlib import Path

import click

from .options import examples, path_option, target_argument, verbose_option
from .output import keep_stdout


@click.command("capabilities", epilog=examples("reactor capabilities", "reactor capabilities model.py"))
@target_argument
@path_option
@verbose_option
def command(target: str | None, path: Path) -> None:
    """Print what the model can do, as JSON.

    MODEL is a folder, path/to/file.py or package.module:Class. It is not constructed, so this needs neither
    its weights nor a GPU.
    """
    from reactor_runtime.authoring.capabilities import capabilities
    from reactor_runtime.project.discovery import find_model

    write = keep_stdout()
    document = capabilities(find_model(path, target))
    write(json.dumps(document, indent=2))
