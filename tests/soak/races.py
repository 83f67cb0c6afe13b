"""Memory over races: four clients start, connect and leave at once, again and again, over a real wire.

Prints what the server holds after every `--every` rounds, and at the end whether that levels off: the second
half of the run may add a quarter of what the first half added, or `SPARE_MB`, whichever is more.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from pathlib import Path

import httpx
from tests.wire.client import Client
from tests.wire.server import Server, running

WARM_UP = 20
"""Rounds before the first reading: encoders, parsers and pools are made once."""
SPARE_MB = 10.0


def reading(pid: int) -> tuple[float, int, int]:
    """Resident memory in MB, threads and descriptors of a process."""
    fields = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line
    )
    return (
        int(fields["VmRSS"].split()[0]) / 1000,
        int(fields["Threads"]),
        len(os.listdir(f"/proc/{pid}/fd")),
    )


async def visit(server: Server, patience: float | None) -> bool:
    """One client: it starts a session or joins the one that is there, waits for a picture and leaves.

    With `patience` it leaves after so many seconds, wherever it is by then.
    """
    client = Client(server.url)
    try:
        async with asyncio.timeout(patience):
            await client.http.post("/start_session", json={})
            await client.connect((await client.http.get("/session")).json())
            await client.until(lambda: len(client.frames.get("main_video", [])) > 1, "frames", within=10)
        return True
    # A race that is lost is what is played here: the session may have ended in between.
    except (AssertionError, httpx.HTTPError, TimeoutError):
        return False
    finally:
        await client.close()


async def play(server: Server, rounds: int, every: int) -> bool:
    readings: list[float] = []
    seen, began = 0, time.monotonic()
    chance = random.Random(1)
    for number in range(1, rounds + 1):
        # Two stay for the picture, two leave on their way to it.
        patiences = [None, None, 0.5 * chance.random(), 0.5 * chance.random()]
        seen += sum(await asyncio.gather(*(visit(server, patience) for patience in patiences)))
        await asyncio.to_thread(server.stop_session)
        if number == WARM_UP or number % every == 0:
            memory, threads, files = reading(server.process.pid)
            readings.append(memory)
            took = time.monotonic() - began
            print(
                f"round {number}: {memory:.1f} MB, {threads} threads, {files} descriptors, "
                f"{seen} visits saw pictures, {took:.0f} s",
                flush=True,
            )
    middle = readings[len(readings) // 2]
    first, second = middle - readings[0], readings[-1] - middle
    print(f"first half {first:+.1f} MB, second half {second:+.1f} MB")
    return second <= max(SPARE_MB, first / 4)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--every", type=int, default=20)
    arguments = parser.parse_args()
    with running("indexed", "--viewers", "8", "--offers-per-minute", "0") as server:
        server.wait_ready()
        level = asyncio.run(play(server, arguments.rounds, arguments.every))
    print("It levels off." if level else "It grows on.")
    return 0 if level else 1


if __name__ == "__main__":
    sys.exit(main())
