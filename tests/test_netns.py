"""A worker's network is its own: what one does to it reaches no other."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from tests.wire.test_network import inside_only

pytestmark = inside_only

ASIDE = """
import os, socket, sys
from tests import netns
netns.own()
with socket.create_server(("127.0.0.1", int(sys.argv[1]))):  # the port is free here
    for address in netns.ADDRESSES:
        socket.create_server((address, 0)).close()
    print(os.readlink("/proc/thread-self/ns/net"))
"""


def test_another_has_the_same_ports_and_addresses() -> None:
    root = Path(__file__).parents[1]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = str(listening.getsockname()[1])
        done = subprocess.run([sys.executable, "-c", ASIDE, port], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("net:[")
    assert done.stdout.strip() != os.readlink("/proc/thread-self/ns/net")
