"""What every wire does, as a suite.

::

    @pytest.mark.parametrize("case", WIRE_CASES, ids=lambda case: case.__name__)
    def test_my_wire(case):
        asyncio.run(check_wire(case, MyRig))
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from reactor_runtime.media.encoders import EncodedFrame, VideoCodec
from reactor_runtime.transports.wire import (
    Handle,
    KeyframeRequested,
    MessageReceived,
    Opened,
    PeerState,
    StateChanged,
    Wire,
    WireEvent,
)

from .cases import WITHIN_S

CHANNEL = "data"
QUIET_S = 0.05
"""How long nothing must happen: too short a wait can miss a fault, and finds none that is not there."""
POLL_S = 0.01


class WireRig(Protocol):
    """One wire and its client, for one case. Made on the event loop."""

    async def open(self, handle: Handle) -> Wire:
        """A wire that nobody has come to yet. It reports to `handle`, and sends one video in VP8."""

    async def connect(self) -> None:
        """The client comes, and opens the channel `data`."""

    async def say(self, text: str) -> None:
        """The client sends on the channel `data`."""

    async def close(self) -> None:
        """Let go of everything; the wire may be closed already."""


class Reported:
    """Everything that a wire reported, and what waits for some of it."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def handle(self, event: Any) -> None:
        """Any thread."""
        self.events.append(event)
        self._loop.call_soon_threadsafe(self._changed.set)

    async def until(self, event: WireEvent) -> None:
        """Return when that was reported. Raises `TimeoutError`."""
        async with asyncio.timeout(WITHIN_S):
            while event not in self.events:
                self._changed.clear()
                await self._changed.wait()


async def connected(rig: WireRig, reported: Reported) -> Wire:
    wire = await rig.open(reported.handle)
    await rig.connect()
    await reported.until(StateChanged(PeerState.CONNECTED))
    await reported.until(Opened(CHANNEL))
    return wire


def picture(index: int, *, key: bool = False) -> EncodedFrame:
    return EncodedFrame(VideoCodec.VP8, b"x" * 200, key, 64, 36, 90_000 + index * 3000, index)


async def a_wire_is_silent_until_somebody_comes(rig: WireRig, reported: Reported) -> None:
    wire = await rig.open(reported.handle)
    await asyncio.sleep(0)
    assert reported.events == []
    assert (list(wire.video_senders), list(wire.audio_senders)) == ([], [])
    assert not wire.send(CHANNEL, b"early")
    assert wire.buffered() == 0


async def messages_go_both_ways_on_open_channels_alone(rig: WireRig, reported: Reported) -> None:
    wire = await connected(rig, reported)
    await rig.say("hello")
    await reported.until(MessageReceived(CHANNEL, b"hello", False))
    assert wire.send(CHANNEL, b"back")
    assert not wire.send("another", b"back")
    async with asyncio.timeout(WITHIN_S):
        while wire.buffered():  # noqa: ASYNC110 - no wire has an event that says "empty"
            await asyncio.sleep(POLL_S)


async def a_connected_wire_has_reported_that_and_no_end(rig: WireRig, reported: Reported) -> None:
    await connected(rig, reported)
    states = [event.state for event in reported.events if isinstance(event, StateChanged)]
    assert states[-1] is PeerState.CONNECTED
    assert PeerState.CLOSED not in states


async def a_sender_asks_for_the_keyframe_that_it_begins_with(rig: WireRig, reported: Reported) -> None:
    wire = await connected(rig, reported)
    [sender] = wire.video_senders
    assert sender.codec is VideoCodec.VP8
    sender.push(picture(0))
    await reported.until(KeyframeRequested(sender.mid))
    sender.push(picture(1, key=True))
    assert sender.gate.dropped + sender.dropped >= 1
    assert [each["mid"] for each in (await wire.stats())["outbound"]] == [sender.mid]


async def after_its_end_a_wire_reports_and_takes_nothing(rig: WireRig, reported: Reported) -> None:
    wire = await connected(rig, reported)
    [sender] = wire.video_senders
    await wire.close()
    await wire.close()
    before = len(reported.events)
    assert not wire.send(CHANNEL, b"late")
    await asyncio.to_thread(sender.push, picture(0, key=True))
    await asyncio.sleep(QUIET_S)
    # What is no event of this port belongs to how the wire came about.
    assert [event for event in reported.events[before:] if isinstance(event, WireEvent)] == []


WireCase = Callable[[WireRig, Reported], Awaitable[None]]
WIRE_CASES: tuple[WireCase, ...] = (
    a_wire_is_silent_until_somebody_comes,
    messages_go_both_ways_on_open_channels_alone,
    a_connected_wire_has_reported_that_and_no_end,
    a_sender_asks_for_the_keyframe_that_it_begins_with,
    after_its_end_a_wire_reports_and_takes_nothing,
)


async def check_wire(case: WireCase, make: Callable[[], WireRig]) -> None:
    """Make a wire, run one case of the suite against it, and let go of it."""
    rig = make()
    try:
        await case(rig, Reported())
    finally:
        await rig.close()
