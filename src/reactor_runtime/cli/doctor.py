"""`reactor doctor`"""

from __future__ import annotations

import json

import click

from reactor_runtime.project import environment
from reactor_runtime.runtimes.http import options as http

from .options import examples, verbose_option
from .output import keep_stdout

MARKS = {"ok": "ok     ", "note": "note   ", "problem": "PROBLEM"}


@click.command(
    "doctor",
    epilog=examples("reactor doctor", "reactor doctor --json", "reactor doctor --host 0.0.0.0 --port 8081"),
)
@click.option("--host", envvar=environment.HOST, default="127.0.0.1", show_default=True, show_envvar=True)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    envvar=environment.PORT,
    default=http.DEFAULT_PORT,
    show_default=True,
    show_envvar=True,
    help="What `reactor run` would listen on.",
)
@click.option("--advertise-ip", default="", metavar="IP", help="As for `reactor run`.")
@click.option("--stun-server", "stun", multiple=True, metavar="URL", help="As for `reactor run`.")
@click.option("--turn-server", "turn", multiple=True, metavar="URL", help="As for `reactor run`.")
@click.option(
    "--turn-secret",
    envvar=environment.TURN_SECRET,
    default="",
    show_envvar=True,
    help="As for `reactor run`.",
)
@click.option("--url", metavar="URL", help="Look at a server that runs, from here, and not at this machine.")
@click.option("--token", envvar=environment.TOKEN, default="", show_envvar=True, help="Of that server.")
@click.option("--json", "as_json", is_flag=True, help="Print findings as JSON.")
@verbose_option
@click.pass_context
def command(
    ctx: click.Context,
    host: str,
    port: int,
    advertise_ip: str,
    stun: tuple[str, ...],
    turn: tuple[str, ...],
    turn_secret: str,
    url: str | None,
    token: str,
    as_json: bool,
) -> None:
    """Find out whether people will be able to connect, before they try.

    Each line says what is so and what to do. Status 1 when there is a problem.
    """
    from reactor_runtime.clients.ice import IceSettings
    from reactor_runtime.runtimes.doctor import examine, examine_url
    from reactor_runtime.runtimes.doctor.here import Plan

    write = keep_stdout()
    if url is not None:
        findings = examine_url(url, token)
    else:
        host = "127.0.0.1" if host == "localhost" else host
        findings = examine(Plan(host, port, advertise_ip, IceSettings(stun, turn, turn_secret)))
    if as_json:
        write(json.dumps([finding.to_json() for finding in findings], indent=2))
    else:
        write("\n".join(f"{MARKS[finding.level]} {finding.sentence}" for finding in findings))
    ctx.exit(1 if any(finding.level == "problem" for finding in findings) else 0)
