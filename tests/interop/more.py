"""What SDK 1.x can ask beyond a visit, and a second client beside the first: ``python more.py``.

Prints one JSON object: what each request brought, an error as its code.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from typing import Any

from play import Native, until
from reactor_sdk import Reactor, ReactorError


async def outcome(request: Awaitable[Any]) -> Any:
    try:
        return await request
    except ReactorError as error:
        return error.code


async def main() -> None:
    client = Native()
    await client.connect()
    sdk = client.sdk
    schema = await sdk.request_schema()
    seen = {
        "schema": "/events/add" in schema["paths"],
        "clip": await outcome(sdk.request_clip(2)),
        "recording": await outcome(sdk.request_recording()),
        "upload": (await sdk.upload_file(b"abc")).size,
        "no file": await outcome(client.command("weigh", file={"upload_id": "nothing"})),
        "unknown track": await outcome(sdk.publish_track("nothing")),
        "unknown command": await outcome(client.command("nothing")),
        "refused command": await outcome(client.command("refuse")),
        "broken command": await outcome(client.command("break")),
        "done": await outcome(client.command("set_shade", shade="light")),
        "result": await outcome(client.command("add", a=1, b=2)),
    }
    viewer = Reactor("echo", local=True)
    watched: list[float] = []
    viewer.track("main_video").on_frame(lambda frame: watched.append(float(frame.mean())))
    await viewer.connect(session_id=sdk.session_id)
    await until(lambda: watched and abs(watched[-1] - 220) < 12, "the viewer sees what the first made of it")
    seen["viewer's command"] = await outcome(viewer.send_command("set_shade", {"shade": "dark"}))
    await viewer.disconnect()
    await sdk.track("main_video").pause()
    await asyncio.sleep(0.5)
    before = client.frames["main_video"]
    await asyncio.sleep(0.5)
    seen["paused"] = client.frames["main_video"] - before
    await sdk.track("main_video").resume()
    await until(lambda: client.frames["main_video"] > before + 10, "the picture goes on")
    await client.leave()
    print(json.dumps(seen))


if __name__ == "__main__":
    asyncio.run(main())
