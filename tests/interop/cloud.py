"""Connect as to a cloud, with the address of a local server: prints what the SDK says, a line a way."""

from __future__ import annotations

import asyncio
from typing import Any

from reactor_sdk import Reactor

WAYS: tuple[dict[str, Any], ...] = ({}, {"jwt": "a.b.c"}, {"api_key": "a key"})


async def main() -> None:
    for way in WAYS:
        try:
            await Reactor("echo", api_url="http://localhost:8080", **way).connect()
        except Exception as error:  # whatever the SDK makes of the answer
            print(error)


if __name__ == "__main__":
    asyncio.run(main())
