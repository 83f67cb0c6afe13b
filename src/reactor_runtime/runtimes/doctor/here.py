"""All examinations of this machine, in the order in which they are said."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from reactor_runtime.clients.ice import IceSettings
from reactor_runtime.runtimes.door.interfaces import others_open

from . import machine, network
from .finding import Finding, problem
from .rungs import rungs

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """What `reactor run` would be started with."""

    host: str
    port: int
    advertise_ip: str = ""
    ice: IceSettings = field(default_factory=IceSettings)


def examine(plan: Plan) -> list[Finding]:
    own = others_open("0.0.0.0")
    checks: list[tuple[str, Callable[[], Any]]] = [
        ("port", lambda: network.port(plan.host, plan.port)),
        ("addresses", lambda: network.addresses(plan.host, plan.advertise_ip)),
        ("container", lambda: network.container(plan.advertise_ip, own)),
        ("udp", lambda: network.udp(own)),
        ("rungs", lambda: asyncio.run(rungs())),
        ("ice_servers", lambda: network.servers(plan.ice.servers(0))),
        ("encoders", machine.encoders),
        ("torch", machine.torch),
        ("disk", machine.disk),
        ("licence", machine.licence),
    ]
    findings: list[Finding] = []
    for name, check in checks:
        findings += _made(name, check)
    return findings


def _made(name: str, check: Callable[[], Any]) -> list[Finding]:
    try:
        found = check()
    # One examination that fails must not hide what the others say.
    except Exception as error:
        log.debug("The examination %s failed", name, exc_info=True)
        return [
            problem(name, f"This could not be found out ({type(error).__name__}: {error}); see it with -v.")
        ]
    if found is None:
        return []
    return list(found) if isinstance(found, list) else [found]
