"""Two networks that share one stream, as an SSH tunnel does: a browser in one, the server in the other.

As a script, one end of it: ``tunnel.py near SOCKET PORT ADDRESS`` listens where the browser is, and
``tunnel.py far SOCKET PORT ADDRESS DELAY RATE`` connects to the server. SIGUSR1 makes the far end stand still
for a second.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

STALL_S = 1.0
PIECE = 4096
WAITING_LIMIT = 64
"""Pieces on the way in one direction of a connection; more is the sender's to hold back."""

SETUP = (
    # The browser's own network: it has addresses, so that it gathers candidates, and they lead nowhere else.
    "ip link set lo up",
    "ip link add laptop0 type veth peer name laptop1",
    # An address that comes by itself a second later would make Chromium give up what it is loading just
    # then: the page heals itself, and takes a second for it.
    "ip link set laptop0 addrgenmode none",
    "ip link set laptop1 addrgenmode none",
    "ip address add 10.88.0.1/24 dev laptop0",
    "ip link set laptop0 up",
    "ip link set laptop1 up",
)


@dataclass
class Tunnel:
    url: str
    """Where the browser opens the server."""
    chromium: str
    """A program that is Chromium, or the browser that was named, in the network without the server."""
    _far: subprocess.Popen[str] | None = None

    def stall(self) -> None:
        """Nothing passes for a second."""
        assert self._far is not None
        self._far.send_signal(signal.SIGUSR1)


@contextmanager
def tunnel(
    port: int,
    chromium: str,
    folder: Path,
    *,
    delay_s: float = 0,
    rate_bps: float = 0,
    near: str = "localhost",
    near_port: int = 18099,
    apart: bool = True,
) -> Iterator[Tunnel]:
    """`near`: the address at which the browser finds its end. `apart`: in a network of its own."""
    socket = folder / "stream"
    here = [sys.executable, __file__]
    far = subprocess.Popen(
        [*here, "far", str(socket), str(port), "127.0.0.1", str(delay_s), str(rate_bps)],
        stdout=subprocess.PIPE,
        text=True,
    )
    script = " && ".join((*SETUP, 'exec "$@"'))
    listening = ["near", str(socket), str(near_port), near.replace("localhost", "127.0.0.1")]
    network = ["unshare", "--net", "sh", "-c", script, "near"] if apart else []
    close = subprocess.Popen([*network, *here, *listening], stdout=subprocess.PIPE, text=True)
    try:
        for end in (far, close):
            assert end.stdout is not None
            assert end.stdout.readline() == "open\n"
        program = inside(close.pid, chromium, folder) if apart else chromium
        yield Tunnel(f"http://{near}:{near_port}", program, far)
    finally:
        for end in (close, far):
            end.terminate()
            end.wait()
            assert end.stdout is not None
            end.stdout.close()


def inside(pid: int, program: str, folder: Path) -> str:
    """A program that is `program`, in the network of a process."""
    wrapper = folder / Path(program).name
    enter = f"{shutil.which('nsenter')} --net=/proc/{pid}/ns/net"
    wrapper.write_text(f'#!/bin/sh\nexec {enter} {shutil.which(program) or program} "$@"\n')
    wrapper.chmod(0o755)
    return str(wrapper)


class Link:
    """What all connections share in one direction: when the next piece may leave."""

    def __init__(self, rate_bps: float) -> None:
        self._rate = rate_bps
        self._free = 0.0
        self.still_until = 0.0

    def leave_at(self, size: int, now: float) -> float:
        self._free = max(self._free, now) + (8 * size / self._rate if self._rate else 0)
        return self._free


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: Link, delay: float) -> None:
    loop = asyncio.get_running_loop()
    way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(WAITING_LIMIT)

    async def arrive() -> None:
        while True:
            at, data = await way.get()
            # A stall may begin while it waits.
            while (rest := max(at, link.still_until) - loop.time()) > 0:  # noqa: ASYNC110 # it is a clock
                await asyncio.sleep(rest)
            if not data:
                break
            writer.write(data)
            await writer.drain()
        writer.close()

    arriving = asyncio.ensure_future(arrive())
    try:
        while data := await reader.read(PIECE):
            leaves = link.leave_at(len(data), loop.time())
            await asyncio.sleep(max(0.0, leaves - loop.time()))
            await way.put((loop.time() + delay, data))
    except ConnectionError:
        pass  # as good as an end
    finally:
        await way.put((loop.time() + delay, b""))
        await asyncio.gather(arriving, return_exceptions=True)


async def join(
    near: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    far: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    links: tuple[Link, Link],
    delay: float,
) -> None:
    there = carry(near[0], far[1], links[0], delay)
    back = carry(far[0], near[1], links[1], delay)
    await asyncio.gather(there, back)


async def run(end: str, path: str, port: int, address: str, delay: float = 0, rate: float = 0) -> None:
    links = Link(rate), Link(rate)

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if end == "far":
                other = await asyncio.open_connection(address, port)
            else:
                other = await asyncio.open_unix_connection(path)
        except OSError:
            writer.close()
            return
        await join((reader, writer), other, links, delay)

    def stall() -> None:
        for link in links:
            link.still_until = asyncio.get_running_loop().time() + STALL_S

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, stall)
    if end == "far":
        server = await asyncio.start_unix_server(accepted, path)
    else:
        server = await asyncio.start_server(accepted, address, port)
    print("open", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], *map(float, sys.argv[5:])))
