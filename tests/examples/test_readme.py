"""The first example that people read runs as it stands, at 30 pictures a second."""

from __future__ import annotations

import asyncio
import itertools
import re
import statistics
from pathlib import Path
from typing import Any

from reactor_runtime.testing import serve

README = Path(__file__).parents[2] / "README.md"


def first_example() -> Any:
    (code, *_) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    names: dict[str, Any] = {"__name__": "readme"}
    exec(compile(code, str(README), "exec"), names)
    return names["Waves"]


async def steps(cls: Any) -> list[int]:
    async with serve(cls) as server:
        client = await server.join()
        await client.command("set_speed", speed=2.0)
        shown = await client.wait_frames(31, within=20.0)
        await client.stop()
    times = [frame.timestamp for frame in shown]
    return [after - before for before, after in itertools.pairwise(times)]


def test_it_plays_at_30_pictures_a_second() -> None:
    # In ticks of 90 kHz: the machine may be busy, the clock of the pictures is not.
    assert abs(statistics.median(asyncio.run(steps(first_example()))) - 3_000) <= 150
