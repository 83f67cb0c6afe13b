"""Every environment variable this package reads. The command line shows these names beside its options."""

from __future__ import annotations

import os
from pathlib import Path

WEIGHTS_DIR = "REACTOR_WEIGHTS_DIR"
HOST = "REACTOR_HOST"
PORT = "REACTOR_PORT"
ORPHAN_TIMEOUT = "ORPHAN_TIMEOUT"
MAX_SESSION_DURATION = "MAX_SESSION_DURATION_SECONDS"
TOKEN = "REACTOR_TOKEN"
MAX_CONNECTIONS = "REACTOR_MAX_CONNECTIONS"
TRUSTED_PROXIES = "REACTOR_TRUSTED_PROXIES"
STUN_SERVERS = "STUN_SERVERS"
TURN_SERVERS = "TURN_SERVERS"
TURN_SECRET = "TURN_SECRET"
ICE_TRANSPORT_POLICY = "ICE_TRANSPORT_POLICY"
WEBRTC_PORT_RANGE = "WEBRTC_PORT_RANGE"
WORKER = "REACTOR_WORKER"
"""Set by a fleet's engine for its workers: the worker's name."""
WORKER_PARENT = "REACTOR_WORKER_PARENT"
"""The process id of the engine."""
WORKER_FD = "REACTOR_WORKER_FD"
"""The pipe into which the worker writes its port."""

HUB_OFFLINE = "HF_HUB_OFFLINE"
HUB_ENDPOINT = "HF_ENDPOINT"

FOR_WORKERS = (
    *(WEIGHTS_DIR, ORPHAN_TIMEOUT, MAX_SESSION_DURATION, STUN_SERVERS, TURN_SERVERS, TURN_SECRET),
    *(ICE_TRANSPORT_POLICY, WEBRTC_PORT_RANGE, HUB_OFFLINE, HUB_ENDPOINT, "OMP_NUM_THREADS"),
)
"""What workers of a fleet read on other machines too; secrets of buckets and hubs are those machines' own."""


def hub_endpoint() -> str | None:
    """Of another hub than the public one."""
    return os.environ.get(HUB_ENDPOINT, "").strip().rstrip("/") or None


def hub_is_offline() -> bool:
    """Whether nothing is to be fetched, said as the hub's own library understands it."""
    return os.environ.get(HUB_OFFLINE, "").strip().upper() in {"1", "ON", "YES", "TRUE"}


def weights_dir() -> Path | None:
    """The folder of weights the environment names, for callers that have no command line."""
    value = os.environ.get(WEIGHTS_DIR, "").strip()
    return Path(value) if value else None


def value(name: str) -> str:
    """What a variable says; "" where it is not set."""
    return os.environ.get(name, "")


def take(name: str) -> str:
    """The same, and child processes do not inherit it."""
    return os.environ.pop(name, "")


def inherited() -> dict[str, str]:
    """What a child process would get."""
    return dict(os.environ)


def of_workers() -> dict[str, str]:
    """What is set here of that which a worker on another machine is to read as well."""
    return {name: os.environ[name] for name in FOR_WORKERS if name in os.environ}


def tell(name: str, value: str) -> None:
    """Set one that a library of this process reads."""
    os.environ[name] = value


def is_set(name: str) -> bool:
    return name in os.environ


def without_tilde(path: Path) -> Path:
    """`path` with ``~`` written out; as it is where nobody can say whose home that would be.

    A container with a random user has neither HOME nor an entry among the users.
    """
    try:
        return path.expanduser()
    except RuntimeError:
        return path
