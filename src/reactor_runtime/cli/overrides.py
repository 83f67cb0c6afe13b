"""``--model.key=value`` on the command line, wherever it stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import click

PREFIX = "--model."
_META = "reactor_runtime.overrides"
_NEGATIVE_NUMBER = re.compile(r"-\.?\d.*")


class OverridableCommand(click.Command):
    """A command that takes `PREFIX` options without knowing their names."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest, ctx.meta[_META] = take_overrides(args, ctx)
        return super().parse_args(ctx, rest)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        with formatter.section("Configuration"):
            formatter.write_dl(
                [("--model.KEY=VALUE", "Override one value; repeatable, nested keys with dots.")]
            )


def overrides_of(ctx: click.Context) -> list[str]:
    """The ``key=value`` texts of this call, in order."""
    overrides: list[str] = ctx.meta[_META]
    return overrides


def take_overrides(args: Sequence[str], ctx: Any = None) -> tuple[list[str], list[str]]:
    """Split arguments into the others and the overrides (``key=value``). Raises `click.UsageError`."""
    rest: list[str] = []
    overrides: list[str] = []
    waiting = list(args)
    while waiting:
        arg = waiting.pop(0)
        if arg == "--":
            return [*rest, arg, *waiting], overrides
        if not arg.startswith(PREFIX):
            rest.append(arg)
            continue
        override = arg.removeprefix(PREFIX)
        if "=" not in override:
            if not waiting or _is_option(waiting[0]):
                raise click.UsageError(f"{arg} needs a value: {arg}=VALUE.", ctx)
            override = f"{override}={waiting.pop(0)}"
        overrides.append(override)
    return rest, overrides


def _is_option(arg: str) -> bool:
    return arg.startswith("-") and arg != "-" and not _NEGATIVE_NUMBER.fullmatch(arg)
