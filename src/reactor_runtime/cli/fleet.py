"""`reactor fleet`"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from .options import F, examples, verbose_option
from .output import keep_stdout
from .secret import chosen_secret, secret_options

URL = "http://127.0.0.1:8080"


def _common(function: F) -> F:
    """Where the fleet is, who asks, and how the answer is printed."""
    url = click.option("--url", default=URL, show_default=True, help="The address of `reactor serve`.")
    as_json = click.option("--json", "as_json", is_flag=True, help="Print what the server says, as JSON.")
    return url(secret_options(as_json(verbose_option(function))))


@click.group(
    "fleet",
    epilog=examples(
        "reactor fleet status",
        "reactor fleet status --json",
        "reactor fleet drain w1 --limit 60",
        "reactor fleet kick w1",
        "reactor fleet scale 1:4",
    ),
)
def command() -> None:
    """Show and control what `reactor serve` runs."""


@command.command("status")
@_common
@click.pass_context
def status(ctx: click.Context, /, **options: Any) -> None:
    """Print the workers, what each does, and the line."""
    _print(ctx, options, "GET", "/fleet")


@command.command("drain")
@click.argument("worker", required=False)
@click.option("--all", "everything", is_flag=True, help="Every worker: nobody new is taken anywhere.")
@click.option(
    "--limit", type=click.FloatRange(0), metavar="SECONDS", help="Then a session that runs is ended."
)
@_common
@click.pass_context
def drain(
    ctx: click.Context, /, worker: str | None, everything: bool, limit: float | None, **options: Any
) -> None:
    """Give WORKER no further session; it ends when its present one is over."""
    if (worker is None) != everything:
        raise click.UsageError("Name a worker, or say --all.")
    body = {"worker": worker, **({} if limit is None else {"limit": limit})}
    _print(ctx, options, "POST", "/fleet/drain", body)


@command.command("kick")
@click.argument("worker")
@_common
@click.pass_context
def kick(ctx: click.Context, /, worker: str, **options: Any) -> None:
    """End the session of WORKER now."""
    _print(ctx, options, "POST", "/fleet/kick", {"worker": worker})


@command.command("scale")
@click.argument("workers", metavar="MIN:MAX")
@_common
@click.pass_context
def scale(ctx: click.Context, /, workers: str, **options: Any) -> None:
    """Set how many workers there may be."""
    found = re.fullmatch(r"([0-9]{1,4})(?::([0-9]{1,4}))?", workers)
    if found is None:
        raise click.UsageError("Write it as N or MIN:MAX, for example 1:4.")
    low, high = int(found[1]), int(found[2] or found[1])
    _print(ctx, options, "POST", "/fleet/scale", {"min": low, "max": high})


def _print(
    ctx: click.Context, options: dict[str, Any], method: str, path: str, body: dict[str, Any] | None = None
) -> None:
    from reactor_runtime.fleet import asking
    from reactor_runtime.runtimes.access.credentials import secrets_in

    write: Callable[[str], None] = keep_stdout()
    token_file: Path | None = options["token_file"]
    found = secrets_in(chosen_secret(ctx, options["token"], token_file))
    answer = asking.ask(options["url"], method, path, body, found[0] if found else "")
    write(json.dumps(answer, indent=2) if options["as_json"] else text_of(answer, time.time()))


def text_of(fleet: dict[str, Any], now: float) -> str:
    """What a person reads."""
    lines = [f"{'WORKER':<12}{'STATE':<10}{'SINCE':>8}  {'PID':>8}  SESSION"]
    for worker in fleet["workers"]:
        since = "" if worker["since"] is None else f"{max(0.0, now - worker['since']):.0f} s"
        pid, session = worker["pid"] or "", worker["session"] or ""
        lines.append(f"{worker['id']:<12}{worker['state']:<10}{since:>8}  {pid:>8}  {session}".rstrip())
        lines += [f"    {line}" for line in worker.get("last_lines", [])]
    queue, scale_ = fleet["queue"], fleet["scale"]
    waits = queue["head_waits_s"]
    first = "" if waits is None else f", the first for {waits:.0f} s"
    lines.append(
        f"{queue['length']} of {queue['limit']} wait{first}; {scale_['min']} to {scale_['max']} workers"
    )
    return "\n".join(lines)
