from __future__ import annotations

import sys

import numpy as np
import pytest
from tests.testing.documents import ROOT, run_test

from reactor_runtime import VideoModel, command, get_ctx, model
from reactor_runtime.errors import CommandError, WeightsError
from reactor_runtime.session.states import State
from reactor_runtime.testing import VirtualClock, decode, serve


@model("example", weights=["big"])
class Example(VideoModel):
    def __init__(self, config) -> None:  # type: ignore[no-untyped-def] # as authors write it
        self.level = config.get("level", 0)

    def start_session(self) -> None:
        ctx = get_ctx()
        while not ctx.should_stop():
            ctx.emit_block(np.full((16, 16, 3), self.level, np.uint8))

    @command("set_level")
    def set_level(self, level: int) -> None:
        self.level = level

    @command("where")
    def where(self) -> str:
        return str(VideoModel.weights("big"))


def test_the_test_of_the_guide(monkeypatch: pytest.MonkeyPatch) -> None:
    section = (ROOT / "docs" / "guide.md").read_text().partition("## Testing")[2]
    run_test(section, "test_a_visit", monkeypatch)


async def test_without_httpx_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(ImportError, match=r"reactor-runtime\[testing\]"):
        async with serve(Example):
            pass


async def test_the_example_of_the_documentation() -> None:
    async with serve(Example, {"level": 100}) as server:
        client = await server.join()
        assert await client.command("set_level", level=200) is None
        frames = await client.wait_frames(10)
        pictures = decode(frames)
        assert abs(int(pictures[0].mean()) - 100) < 6
        assert abs(int(pictures[-1].mean()) - 200) < 6
        assert await client.stop() == State.READY

        assert client.end == {"reason": "stopped", "message": "The client ended the session."}


async def test_weights_are_found_below_the_folder(tmp_path) -> None:  # type: ignore[no-untyped-def] # pytest's
    async with serve(Example, weights=tmp_path) as server:
        client = await server.join()

        assert await client.command("where") == str(tmp_path / "big")


async def test_without_a_folder_of_weights_there_are_none(caplog: pytest.LogCaptureFixture) -> None:
    async with serve(Example) as server:
        client = await server.join()
        with pytest.raises(CommandError):
            await client.command("where")
    assert WeightsError.__name__ in caplog.text


async def test_leaving_in_the_middle_ends_everything() -> None:
    async with serve(Example) as server:
        client = await server.join()
        await client.wait_frames(1)
    assert client.wire.closed


def test_the_clock_stands_still_until_it_is_moved() -> None:
    clock = VirtualClock(5.0)

    assert clock() == 5.0
    assert clock.advance(1.5) == clock() == 6.5
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1.0)
