"""`reactor init`"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from reactor_runtime.project.template_names import DEFAULT_TEMPLATE, TEMPLATES

from .options import examples, verbose_option


@click.command("init", epilog=examples("reactor init my-model", "reactor init my-world --template world"))
@click.argument("name", required=False)
@click.option(
    "--template",
    type=click.Choice(list(TEMPLATES)),
    help="What it begins as: "
    + "; ".join(f"{name}, {what}" for name, what in TEMPLATES.items())
    + f".  [default: {DEFAULT_TEMPLATE}]",
)
@verbose_option
@click.pass_context
def command(ctx: click.Context, /, name: str | None, template: str | None) -> None:
    """Make a folder with a model that runs.

    NAME becomes the folder and the model's name. Without it, a terminal is asked.
    """
    from reactor_runtime.project.scaffold import create_project

    if name is None:
        if not _is_terminal():
            raise click.UsageError("Missing argument 'NAME', as in: reactor init my-model", ctx)
        template = template or _ask_template()
        name = _ask_name(template)
    folder = create_project(name, Path(), template or DEFAULT_TEMPLATE)
    click.echo(f"Made {folder}. Run it:\n\n  reactor run -p {folder}\n")


def _ask_template() -> str:
    click.echo("What does it begin as?\n")
    names = list(TEMPLATES)
    for number, (name, what) in enumerate(TEMPLATES.items(), 1):
        click.echo(f"  {number}  {name:10} {what}")
    click.echo()
    choices = click.Choice([str(number) for number in range(1, len(names) + 1)] + names)
    default = str(names.index(DEFAULT_TEMPLATE) + 1)
    answer = click.prompt("Template", type=choices, default=default, show_choices=False)
    return names[int(answer) - 1] if answer.isdecimal() else str(answer)


def _ask_name(template: str) -> str:
    """Asks until the name is one and its place is free."""
    from reactor_runtime.errors import ProjectError
    from reactor_runtime.project.scaffold import check_name

    def checked(name: str) -> str:
        try:
            check_name(name, Path())
        except ProjectError as error:
            raise click.BadParameter(error.message) from None
        return name

    name: str = click.prompt("Name", default=f"my-{template}", value_proc=checked)
    return name


def _is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
