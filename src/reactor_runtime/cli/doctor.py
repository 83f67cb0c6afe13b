"""`reactor doctor`"""

from __future__ import annotations

import json
from typing import Any

import click

from .options import examples, verbose_option
from .output import keep_stdout
from .settings import options_of, setting_options

MARKS = {"ok": "ok     ", "note": "note   ", "problem": "PROBLEM"}


@click.command(
    "doctor",
    epilog=examples("reactor doctor", "reactor doctor --json", "reactor doctor --host 0.0.0.0 --port 8081"),
)
@setting_options("host")
@setting_options("port", what="What `reactor run` would listen on.")
@setting_options("advertise_ip", "stun_servers", "turn_servers", "turn_secret", what="As for `reactor run`.")
@click.option("--url", metavar="URL", help="Look at a server that runs, from here, and not at this machine.")
@setting_options("token", what="Of that server.")
@click.option("--json", "as_json", is_flag=True, help="Print findings as JSON.")
@verbose_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    url: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Find out whether people will be able to connect, before they try.

    Each line says what is so and what to do. Status 1 when there is a problem.
    """
    from reactor_runtime.clients.ice import IceSettings
    from reactor_runtime.runtimes.doctor import examine, examine_url
    from reactor_runtime.runtimes.doctor.here import Plan

    write, options = keep_stdout(), options_of(given)
    if url is not None:
        findings = examine_url(url, options.token)
    else:
        ice = IceSettings(options.stun_servers, options.turn_servers, options.turn_secret)
        findings = examine(Plan(options.host, options.port, options.advertise_ip, ice))
    if as_json:
        write(json.dumps([finding.to_json() for finding in findings], indent=2))
    else:
        write("\n".join(f"{MARKS[finding.level]} {finding.sentence}" for finding in findings))
    ctx.exit(1 if any(finding.level == "problem" for finding in findings) else 0)
