"""How far a client has come, on a clock that a test moves."""

from __future__ import annotations

import asyncio

import pytest

from reactor_runtime.clients.presence import NEGOTIATION_S, PING_TIMEOUT_S, Presence
from reactor_runtime.testing import VirtualClock


def _presence(clock: VirtualClock) -> Presence:
    return Presence(clock, lambda _: None)


async def test_only_a_client_that_has_pinged_can_be_silent() -> None:
    clock = VirtualClock()
    presence = _presence(clock)
    clock.advance(10 * PING_TIMEOUT_S)
    assert not presence.silent()
    presence.note_ping()
    clock.advance(PING_TIMEOUT_S)
    assert not presence.silent()
    clock.advance(0.1)
    assert presence.silent()
    presence.note_ping()
    assert not presence.silent()
    presence.end()


async def test_it_ends_once_and_keeps_that_it_was_ready() -> None:
    presence = _presence(VirtualClock())
    presence.begin()
    presence.live = True
    assert presence.end()
    assert not presence.end()
    assert (presence.ready, presence.live, presence.closed, presence.ready_once) == (False, False, True, True)


async def test_who_does_not_connect_in_time_is_expired_and_why_is_told() -> None:
    clock, told = VirtualClock(), list[str]()
    Presence(clock, told.append)
    clock.advance(NEGOTIATION_S - 0.01)
    await asyncio.sleep(0)
    assert told == []
    clock.advance(0.01)
    await asyncio.sleep(0)
    assert told == ["it did not connect within 30 s"]


@pytest.mark.parametrize("happens", ["begin", "end"])
async def test_who_has_come_or_gone_is_not_expired(happens: str) -> None:
    clock, told = VirtualClock(), list[str]()
    getattr(Presence(clock, told.append), happens)()
    clock.advance(2 * NEGOTIATION_S)
    await asyncio.sleep(0)
    assert told == []
