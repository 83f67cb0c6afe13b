"""`reactor token`"""

from __future__ import annotations

import re
from pathlib import Path

import click

from reactor_runtime.project import environment

from .options import examples, verbose_option
from .secret import chosen_secret, secret_options

ROLES = ("view", "control", "admin")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LONGEST_S = 366 * UNITS["d"]


def _lifetime(ctx: click.Context, param: click.Parameter, value: str) -> int:
    found = re.fullmatch(r"([0-9]{1,9})([smhd]?)", value.strip())
    seconds = int(found[1]) * UNITS[found[2] or "s"] if found else 0
    if not 0 < seconds <= LONGEST_S:
        raise click.BadParameter(f"{value!r} is no lifetime; write 90s, 15m, 1h or 7d, a year at most.")
    return seconds


def _name(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    from reactor_runtime.runtimes.access.credentials import SUBJECT_LIMIT

    if value is not None and not 0 < len(value) <= SUBJECT_LIMIT:
        raise click.BadParameter(f"it has 1 to {SUBJECT_LIMIT} characters.")
    return value


@click.command("token", epilog=examples("reactor token --role view --ttl 1h"))
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default="control",
    show_default=True,
    help="view watches; control plays, and ends what it began; admin does everything.",
)
@click.option(
    "--ttl",
    default="1h",
    show_default=True,
    callback=_lifetime,
    metavar="TIME",
    help="How long it opens: 90s, 15m, 1h, 7d.",
)
@click.option(
    "--subject", callback=_name, metavar="NAME", help="Whom it is for; a name of its own when not given."
)
@click.option("--session", callback=_name, metavar="ID", help="The one session it is for.")
@secret_options
@verbose_option
@click.pass_context
def command(
    ctx: click.Context,
    role: str,
    ttl: int,
    subject: str | None,
    session: str | None,
    token: str,
    token_file: Path | None,
) -> None:
    """Make a token that lets somebody in for a while.

    It goes where the secret goes: into Authorization: Bearer, ?token=, or http://host:8080/t/TOKEN.
    """
    from reactor_runtime.runtimes.access.credentials import STRONG_SECRET, Keys, TokenRole, secrets_in

    found = secrets_in(chosen_secret(ctx, token, token_file))
    if not found:
        raise click.UsageError(
            f"A token is signed with the server's own: give that in {environment.TOKEN} or with --token-file."
        )
    if len(found[0]) < STRONG_SECRET:
        click.echo(
            f"Warning: the server's own token has fewer than {STRONG_SECRET} characters; who holds one made "
            "from it can guess it. `openssl rand -base64 24` makes a better one.",
            err=True,
        )
    click.echo(Keys(found[:1]).mint(TokenRole(role), ttl, subject or "", session))
