"""Run a command in a network of its own: ``python tests/netns.py COMMAND…``.

The media engine offers no loopback address to its peers, so the wire tests need another one, and Wi-Fi is not
one to rely on. As root on Linux the command gets a namespace with `lo`, a pair of connected addresses and no
way out; elsewhere it runs where it is, on the machine's own address.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import subprocess
import sys

ADDRESSES = ("10.77.0.1", "10.77.0.2")
INSIDE = "REACTOR_TEST_NETNS"
"""Set to "1" for the command when it runs in the namespace."""

SETUP = (
    "ip link set lo up",
    "ip link add media0 type veth peer name media1",
    f"ip address add {ADDRESSES[0]}/24 dev media0",
    f"ip address add {ADDRESSES[1]}/24 dev media1",
    "ip link set media0 up",
    "ip link set media1 up",
)
CLONE_NEWNET = 0x40000000
"""Of linux/sched.h. `os.unshare` came with Python 3.12."""


def own() -> None:
    """Leave the namespace that others share for such a one of this thread's own, and of what it starts.

    Workers call it: what a test does to its network (a firewall, an interface, a port) is no other worker's.
    """
    if os.environ.get(INSIDE) != "1":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    for line in SETUP:
        subprocess.run(shlex.split(line), check=True)


def available() -> bool:
    """Whether this process may make the namespace, found out by making one."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return False
    if not (shutil.which("unshare") and shutil.which("ip")):
        return False
    return subprocess.run(_wrapped(["true"]), capture_output=True, check=False).returncode == 0


def _wrapped(command: list[str]) -> list[str]:
    script = " && ".join((*SETUP, 'exec "$@"'))
    return ["unshare", "--net", "sh", "-c", script, "netns", *command]


def main(command: list[str]) -> None:
    """Becomes `command`; does not return."""
    if available():
        os.environ[INSIDE] = "1"
        command = _wrapped(command)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
