"""Each step of connecting is counted once, with its outcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.transports.connecting import Connecting, CountedEngine
from reactor_runtime.transports.port import Engine, PeerConfig, Section
from reactor_runtime.transports.wire import Handle, Opened, PeerState, StateChanged


class FakePeer:
    def __init__(self, error: Exception | None, sent: int) -> None:
        self.error = error
        self.sent = sent
        self.video_senders = ("one",)

    async def answer(self, offer: str, sections: Sequence[Section]) -> str:
        if self.error is not None:
            raise self.error
        return "answer"

    async def stats(self) -> dict[str, Any]:
        return {"outbound": [{"frames_sent": self.sent}]}

    async def close(self) -> None:
        pass


class FakeEngine:
    name, descriptors_per_peer = "fake", 1

    def __init__(self, peer: FakePeer) -> None:
        self.peer = peer
        self.handle: Any = None

    async def create_peer(self, config: PeerConfig, handle: Handle) -> Any:
        self.handle = handle
        return self.peer


class Heard:
    def __init__(self) -> None:
        self.states: list[PeerState] = []
        self.labels: list[str] = []

    def handle(self, event: object) -> None:
        if isinstance(event, StateChanged):
            self.states.append(event.state)
        elif isinstance(event, Opened):
            self.labels.append(event.label)


async def made(error: Exception | None = None, sent: int = 1) -> tuple[Connecting, Any, Any, Heard]:
    connecting, inner, heard = Connecting(looks=(0.0, 0.0)), FakeEngine(FakePeer(error, sent)), Heard()
    engine = CountedEngine(cast("Engine", inner), connecting)
    peer = await engine.create_peer(PeerConfig(), heard.handle)
    return connecting, peer, inner, heard


def counts(connecting: Connecting) -> dict[str, int]:
    return {f"{step} {outcome}": number for (step, outcome), number in connecting.counts.items()}


async def test_a_connection_that_plays() -> None:
    connecting, peer, inner, heard = await made()
    await peer.answer("offer", [])
    for _ in range(2):  # it may be lost and come back
        inner.handle(StateChanged(PeerState.CONNECTED))
        inner.handle(Opened("data"))
    await peer._looking
    await peer.close()
    assert counts(connecting) == {
        "offer ok": 1,
        "ice ok": 1,
        "dtls ok": 1,
        "channel ok": 1,
        "first_frame ok": 1,
    }
    assert heard.states == [PeerState.CONNECTED] * 2
    assert heard.labels == ["data"] * 2


async def test_a_model_that_shows_nothing() -> None:
    connecting, peer, inner, _ = await made(sent=0)
    await peer.answer("offer", [])
    inner.handle(StateChanged(PeerState.CONNECTED))
    await peer._looking
    assert counts(connecting)["first_frame timeout"] == 1


@pytest.mark.parametrize(
    ("error", "counted"),
    [
        # The routes count these: most of them never reach an engine.
        (RefusedError(Refusal.INVALID, "odd", "No."), {}),
        (RuntimeError("odd"), {"offer failed": 1}),
    ],
)
async def test_an_offer_that_is_not_answered(error: Exception, counted: dict[str, int]) -> None:
    connecting, peer, _, _ = await made(error)
    with pytest.raises(type(error)):
        await peer.answer("offer", [])
    await peer.close()
    assert counts(connecting) == counted


@pytest.mark.parametrize(("states", "outcome"), [([PeerState.FAILED], "failed"), ([], "timeout")])
async def test_a_network_that_carries_nothing(states: list[PeerState], outcome: str) -> None:
    connecting, peer, inner, _ = await made()
    await peer.answer("offer", [])
    for state in states:
        inner.handle(StateChanged(state))
    await peer.close()
    assert counts(connecting) == {"offer ok": 1, f"ice {outcome}": 1}


async def test_a_client_without_its_channel() -> None:
    connecting, peer, inner, _ = await made()
    await peer.answer("offer", [])
    inner.handle(StateChanged(PeerState.CONNECTED))
    await peer.close()
    assert counts(connecting)["channel timeout"] == 1
    families = list(connecting.collect())
    assert families[0].name == "reactor_connecting"
