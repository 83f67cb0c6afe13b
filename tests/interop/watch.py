"""Watch what somebody else plays: ``python watch.py BASE_URL``. Prints what the SDK saw, as JSON."""

from __future__ import annotations

import asyncio
import json
import sys

from play import until
from reactor_sdk import Reactor, ReactorError


async def main(base: str) -> None:
    viewer = Reactor("echo", local=True, api_url=base)
    seen: list[float] = []
    viewer.track("main_video").on_frame(lambda frame: seen.append(float(frame.mean())))
    await viewer.connect()
    await until(lambda: len(seen) > 10, "the picture of what somebody else plays")
    try:
        await viewer.send_command("set_shade", {"shade": "dark"})
        code = "taken"
    except ReactorError as error:
        code = error.code
    await viewer.disconnect()
    print(json.dumps({"command": code}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
