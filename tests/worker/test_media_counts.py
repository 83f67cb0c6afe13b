"""What the media of a session did is counted, and shown."""

from __future__ import annotations

import asyncio
import re

import numpy as np

from reactor_runtime import VideoModel, get_ctx, model
from reactor_runtime.testing import MemoryServer, serve


@model(name="counted")
class Counted(VideoModel):
    def start_session(self) -> None:
        ctx = get_ctx()
        while not ctx.should_stop():
            ctx.emit_block(np.zeros((16, 16, 3), np.uint8))


async def shown(server: MemoryServer) -> dict[str, float]:
    text = (await server.http.get("/metrics")).text
    found = re.findall(r'reactor_media_total\{what="(\w+)"\} (\S+)', text)
    return {what: float(number) for what, number in found}


async def test_frames_keyframes_and_bits_are_shown() -> None:
    async with serve(Counted) as server:
        client = await server.join()
        frames = await client.wait_frames(5)
        counts = await shown(server)

    assert counts["frames_encoded"] >= 5
    assert counts["pictures_shown"] >= 5
    assert 1 <= counts["keyframes"] <= counts["frames_encoded"]
    assert counts["bits_encoded"] >= sum(len(frame.data) * 8 for frame in frames[:5])
    assert counts["frames_skipped"] >= 0
    assert counts["encode_failed"] == counts["sound_underruns"] == 0


async def test_what_was_encoded_for_a_client_that_left_is_not_forgotten() -> None:
    async with serve(Counted) as server:
        first = await server.join()
        await first.wait_frames(5)
        session = server.worker.session
        assert session is not None
        first.leave()
        while session.media.plane.encodings:
            await server.worker.clients.drop_silent()
            await asyncio.sleep(0.01)
        before = session.media.plane.encoded()
        assert before.encoded >= 5
        assert (await shown(server))["frames_encoded"] == before.encoded

        again = server.client()
        await again.connect("PUT")
        await again.wait_frames(3)

        assert (await shown(server))["frames_encoded"] >= before.encoded + 3
