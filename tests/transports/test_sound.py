"""What every engine must do about sound; the answer alone, no packets (tests/wire has those)."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from reactor_runtime.media.encoders import VideoCodec
from reactor_runtime.transports import sdp
from reactor_runtime.transports.memory import MemoryEngine
from reactor_runtime.transports.port import Engine, Peer, PeerConfig, Section
from reactor_runtime.transports.reactor_webrtc import ReactorWebRtcEngine

OFFER = (Path(__file__).parent / "offers" / "chromium-max-bundle.sdp").read_bytes().decode()
VIDEO = Section("0", "main_video", "video", True, (VideoCodec.VP8,))
BLOCK = bytes(480 * 2 * 2)


def nobody(event: object) -> None:
    """These peers never connect."""


@pytest.fixture(params=[MemoryEngine, ReactorWebRtcEngine])
def engine(request: pytest.FixtureRequest) -> type:
    return request.param  # type: ignore[no-any-return]  # one of the above


@asynccontextmanager
async def answered(engine: Callable[[], Engine], *sections: Section) -> AsyncIterator[tuple[Peer, Any]]:
    """A peer and its answer's sections by mid."""
    made = engine()
    peer = await made.create_peer(PeerConfig(), nobody)
    try:
        _, media = sdp.parse(await peer.answer(offer_of_sound(), sections))
        yield peer, {part.mid: part for part in media}
    finally:
        await peer.close()
        made.close()


def offer_of_sound() -> str:
    """The client wants to receive picture and sound, and to send the same."""
    return re.sub(r"^a=(sendonly|recvonly)", "a=sendrecv", OFFER, flags=re.M)


def voice(channels: int, sends: bool = True) -> Section:
    return Section("2", "voice", "audio", sends, channels=channels)


def fmtp(part: sdp.MediaSection) -> str:
    return next(line for line in part.lines if line.startswith("a=fmtp:111 "))


def stream(part: sdp.MediaSection) -> str:
    return next(line.split()[0] for line in part.lines if line.startswith("a=msid:"))


async def test_sound_and_picture_share_a_stream(engine: type) -> None:
    async with answered(engine, VIDEO, voice(1)) as (peer, parts):
        assert [sender.mid for sender in peer.audio_senders] == ["2"]
        assert stream(parts["0"]) == stream(parts["2"])
        assert parts["2"].direction == "sendonly"


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("sends", [True, False])
async def test_the_answer_says_how_many_channels(engine: type, channels: int, sends: bool) -> None:
    async with answered(engine, voice(channels, sends)) as (peer, parts):
        stereo = channels - 1
        assert f"stereo={stereo};sprop-stereo={stereo}" in fmtp(parts["2"])
        assert "useinbandfec=1" in fmtp(parts["2"])
        assert len(peer.audio_senders) == sends


async def test_without_opus_there_is_no_sender(engine: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        f"{__name__}.OFFER", OFFER.replace("opus/48000/2", "unheard-of/48000/2"), raising=True
    )
    async with answered(engine, VIDEO, voice(1)) as (peer, _):
        assert list(peer.audio_senders) == []


async def test_pushing_too_early_or_too_late_does_nothing(engine: type) -> None:
    async with answered(engine, voice(2)) as (peer, _):
        [sender] = peer.audio_senders
        await asyncio.to_thread(sender.push, BLOCK, 48_000, 2, time.monotonic())
        await peer.close()
        await asyncio.to_thread(sender.push, BLOCK, 48_000, 2, time.monotonic())
