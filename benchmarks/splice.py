"""What the splice of media over TCP costs: ``.venv-test/bin/python benchmarks/splice.py``.

A process of its own sends frames of 1,200 bytes at 4 Mbit/s into the engine's side; this one carries them to
the client's. Printed: the share of a core that this process took.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from typing import cast

from reactor_runtime.runtimes.door.connections import Connections, Slot
from reactor_runtime.runtimes.door.splice import MediaPort, Splice
from reactor_runtime.transports.tcp_media import TcpPeers

RATE_BPS, FRAME, SECONDS = 4_000_000, 1200, 10.0
USER = b"ours:theirs"
CHECK = bytes.fromhex("0024000100102112a442") + bytes(12) + b"\0\x06\0\x0b" + USER + b"\0"

SENDER = f"""
import asyncio, time
async def accept(reader, writer):
    frame, every = bytes({FRAME}), {FRAME} * 8 / {RATE_BPS}
    at = time.monotonic()
    while True:
        writer.write(frame)
        at += every
        await asyncio.sleep(max(0, at - time.monotonic()))
async def main():
    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""
RECEIVER = """
import socket, sys
sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
sock.sendall(bytes.fromhex(sys.argv[2]))
while sock.recv(65536):
    pass
"""


class Accepted(asyncio.Protocol):
    def __init__(self, media: MediaPort, connections: Connections) -> None:
        self.media, self.connections = media, connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast("asyncio.Transport", transport)
        slot = Slot(self.connections, stream, self, "127.0.0.1")
        self.connections.admit(slot)
        splice = slot.holder = Splice(self.media, slot, asyncio.get_running_loop())
        stream.set_protocol(splice)
        splice.connection_made(stream)

    def expire(self) -> None:
        pass


async def main() -> None:
    media, connections = MediaPort(peers := TcpPeers()), Connections(8)
    sending = [sys.executable, "-c", SENDER]
    sender = subprocess.Popen(sending, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220 # before anything runs
    assert sender.stdout is not None
    port = int(sender.stdout.readline())
    peers.expect(frozenset({"ours"}))
    place = peers.find("ours")
    assert place is not None
    place.found(("127.0.0.1", port))
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Accepted(media, connections), "127.0.0.1", 0)
    own = listening.sockets[0].getsockname()[1]
    receiving = [sys.executable, "-c", RECEIVER, str(own), CHECK.hex()]
    receiver = subprocess.Popen(receiving)  # noqa: ASYNC220 # the same
    try:
        await asyncio.sleep(1)
        wall, used, before = time.monotonic(), time.process_time(), media.bytes["out"]
        await asyncio.sleep(SECONDS)
        wall, used, passed = time.monotonic() - wall, time.process_time() - used, media.bytes["out"] - before
        print(f"{passed * 8 / wall / 1e6:.2f} Mbit/s, {100 * used / wall:.2f} % of a core")
    finally:
        receiver.kill()
        sender.kill()
        receiver.wait()
        sender.wait()
        listening.close()


if __name__ == "__main__":
    asyncio.run(main())
