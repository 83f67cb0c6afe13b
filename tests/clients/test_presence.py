"""How far a client has come, on a clock that a test moves."""

from __future__ import annotations

from reactor_runtime.clients.presence import PING_TIMEOUT_S, Presence
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
