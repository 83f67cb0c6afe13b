"""A visit, without a server: pip install 'reactor-runtime[testing]' pytest, then pytest."""

import asyncio

from model import Brightness

from reactor_runtime.testing import decode, serve


async def visit() -> None:
    async with serve(Brightness, {"width": 64, "height": 64}) as server:
        client = await server.join()
        assert decode(await client.wait_frames(1))[0].mean() > 20
        await client.command("set_brightness", brightness=0)
        shown = await client.wait_frames(len(client.frames()) + 5)
        assert decode(shown)[-1].mean() < 10
        assert await client.stop() == "READY"


def test_a_visit() -> None:
    asyncio.run(visit())
