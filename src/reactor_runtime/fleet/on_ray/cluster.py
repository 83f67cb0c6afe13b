"""A Ray cluster: one that runs, or one of this machine alone that lives as long as we do. What we ask of Ray
is here: where an actor is, and that it ends.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reactor_runtime.errors import FleetError
from reactor_runtime.fleet.hosting import LOOPBACK
from reactor_runtime.project import environment

from .actor import SlotActor

log = logging.getLogger(__name__)

INSTALL = "pip install 'reactor-runtime[ray]'"
LOCAL = "local"
"""Instead of an address: a cluster of this machine."""
OBJECTS = 80 * 1024 * 1024
"""Bytes of a local cluster's store of objects, the least that Ray takes: nothing large passes through it."""
_STATISTICS = "RAY_USAGE_STATS_ENABLED"
_VISIBLE = "CUDA_VISIBLE_DEVICES"
_TOKEN_MODE = "RAY_AUTH_MODE"
_TOKENS = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
_TOKEN_FILE = Path(".ray") / "auth_token"
"""Below the home folder, where Ray keeps a cluster's token."""

Actor = Any
"""Ray's handle of a `SlotActor`."""


def show_token(home: Path) -> None:
    """Where a token is, `ray start` asks for it, and who joins must say so before Ray is imported.

    A cluster that asks for none takes no offence.
    """
    there = any(environment.is_set(name) for name in _TOKENS) or (home / _TOKEN_FILE).is_file()
    if there and not environment.is_set(_TOKEN_MODE):
        environment.tell(_TOKEN_MODE, "token")


class Cluster:
    def __init__(self, address: str = LOCAL, gpus: Sequence[str] = ()) -> None:
        """`gpus` are those that a local cluster may use; without them it takes all that Ray finds."""
        self._address = address
        self._gpus = gpus
        self.namespace = f"reactor-{secrets.token_hex(4)}"
        self._ours = False

    def join(self) -> None:
        """Takes seconds, and a thread that lives as long as the cluster is needed: the kernel ends what Ray
        starts here with the thread that started it. Raises `FleetError`."""
        if self._address != LOCAL:
            show_token(environment.without_tilde(Path("~")))
        try:
            import ray
        except ImportError:
            raise FleetError("ray", f"--ray needs a library that is not installed: {INSTALL}.") from None
        self._ray = ray
        self.errors: tuple[type[BaseException], ...] = (ray.exceptions.RayError, TimeoutError)
        """What a call to an actor raises when Ray cannot make it, its method failed, or it came to no end."""
        if not ray.is_initialized():
            self._init()
        self.here: str = ray.util.get_node_ip_address()
        """The address from which we speak to workers."""
        some = self._address != LOCAL or ray.cluster_resources().get("GPU", 0) >= 1
        self._per_worker = 1 if some else 0
        log.info("Workers are actors of Ray, in the namespace %s", self.namespace)

    def actor(self, name: str, arguments: Sequence[str], variables: Mapping[str, str]) -> Actor:
        """Ray looks for a place for it from now on. No call is made twice: what came of one is an event.
        An actor that dies comes back, without its worker."""
        made = self._ray.remote(SlotActor).options(
            name=name,
            namespace=self.namespace,
            num_cpus=0,
            num_gpus=self._per_worker,
            max_restarts=-1,
            max_task_retries=0,
        )
        return made.remote(arguments, variables, self.here)

    def kill(self, actor: Actor) -> None:
        """End an actor for good; the kernel ends its worker."""
        self._ray.kill(actor, no_restart=True)

    def leave(self) -> None:
        if self._ours:
            self._ray.shutdown()

    def _init(self) -> None:
        if not environment.is_set(_STATISTICS):
            environment.tell(_STATISTICS, "0")
        options: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
        if self._address == LOCAL:
            options |= {"_node_ip_address": LOOPBACK, "include_dashboard": False}
            options |= {"object_store_memory": OBJECTS}
            if self._gpus:
                environment.tell(_VISIBLE, ",".join(self._gpus))
                options["num_gpus"] = len(self._gpus)
        try:
            self._ray.init(address=self._address, namespace=self.namespace, **options)
        except (ConnectionError, RuntimeError, ValueError) as error:
            said = str(error).strip().partition("\n")[0]
            raise FleetError(
                "ray",
                f"The Ray cluster at {self._address!r} cannot be joined: {said or type(error).__name__}",
            ) from error
        self._ours = True
