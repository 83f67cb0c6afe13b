"""docs/cli.md: every command and option, as click knows them. `scripts/cli-docs` writes the file again.

Made from the parameters and not from click's own pages, which another version lays out otherwise.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import click

from reactor_runtime.cli.main import COMMANDS, reactor

FILE = Path(__file__).parents[2] / "docs" / "cli.md"
HEAD = """\
# The command line

Written by `scripts/cli-docs` from what the commands say of themselves. Errors are sentences on stderr; the
exit status is 0 for success, 1 for a failure, 2 for bad usage, 130 after Ctrl-C. `reactor run` exits with 70
when a model does not let go of its session. Everywhere, `-v` shows tracebacks and `-h` help.
"""
EVERYWHERE = {"verbose", "help"}


def text() -> str:
    parts = [HEAD]
    for name in COMMANDS:
        command = reactor.get_command(click.Context(reactor), name)
        assert command is not None
        parts.append(_section(name, command))
        below = command.commands.items() if isinstance(command, click.Group) else ()
        parts += [_section(f"{name} {each}", sub) for each, sub in below]
    return "\n".join(parts)


def _section(name: str, command: click.Command) -> str:
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    options = [
        param for param in command.params if isinstance(param, click.Option) and param.name not in EVERYWHERE
    ]
    usage = " ".join([f"reactor {name}", *(["[OPTIONS]"] if options else []), *map(_argument, arguments)])
    lines = [f"## reactor {name}", "", f"`{usage}`", "", inspect.cleandoc(command.help or ""), ""]
    if isinstance(command, click.Group):
        parts = [_section(f"{name} {each}", part) for each, part in command.commands.items()]
        return "\n".join([*lines, *_examples(command), *parts])
    if options:
        lines += ["| option | what it does |", "|---|---|", *map(_row, options), ""]
    if type(command).__name__ == "OverridableCommand":
        lines += [
            "`--model.KEY=VALUE` overrides one value of the configuration; see [the guide](guide.md).",
            "",
        ]
    return "\n".join([*lines, *_examples(command)])


def _examples(command: click.Command) -> list[str]:
    examples = [line[2:] for line in (command.epilog or "").splitlines() if line.startswith("  ")]
    return ["```sh", *examples, "```", ""] if examples else []


def _argument(param: click.Argument) -> str:
    if isinstance(param.type, click.Choice):
        return "|".join(param.type.choices)
    return param.metavar or (param.name or "").upper()


def _row(param: click.Option) -> str:
    names = ", ".join(f"`{each}`" for each in param.opts)
    value = "" if param.is_flag else f" {_value(param)}"
    said = [param.help or "", *_more(param)]
    return f"| {names}{value} | {' '.join(each for each in said if each)} |"


def _value(param: click.Option) -> str:
    if isinstance(param.type, click.Choice):
        return ", ".join(f"`{choice}`" for choice in param.type.choices)
    return param.metavar or param.type.name.split()[0].upper()


def _more(param: click.Option) -> list[str]:
    more: list[str] = []
    default: Any = param.default
    if isinstance(param.show_default, str):
        more.append(f"Default: {param.show_default}.")
    elif param.show_default and default is not None:
        more.append(f"Default: `{default:g}`." if isinstance(default, float) else f"Default: `{default}`.")
    if param.envvar:
        more.append(f"Environment: `{param.envvar}`.")
    return more


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
