"""Which of its own candidates a peer of the engine tells: in the end, not only in the first moment."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from reactor_runtime.media.encoders import VideoCodec
from reactor_runtime.transports.port import CandidateFound, PeerConfig, PeerEvent, Section
from reactor_runtime.transports.reactor_webrtc import ReactorWebRtcEngine
from reactor_runtime.transports.tcp_media import is_tcp

OFFER = (Path(__file__).parent / "offers" / "chromium-max-bundle.sdp").read_bytes().decode()
VIDEO = Section("0", "main_video", "video", True, (VideoCodec.VP8,))


@pytest.mark.parametrize("tcp", [False, True])
async def test_places_for_tcp_are_told_to_who_asked_for_them_alone(tcp: bool) -> None:
    found: list[bool] = []

    def handle(event: PeerEvent) -> None:
        if isinstance(event, CandidateFound):
            found.append(is_tcp(event.candidate.candidate))

    engine = ReactorWebRtcEngine()
    peer = await engine.create_peer(PeerConfig(tcp=tcp), handle)
    try:
        await peer.answer(OFFER, (VIDEO,))
        async with asyncio.timeout(30):
            await peer._candidates._complete.wait()
        assert set(found) == {False, tcp}
        told = [line for line in (await peer.gathered(1)).splitlines() if line.startswith("a=candidate")]
        assert {is_tcp(line) for line in told} == set(found)
    finally:
        await peer.close()
        engine.close()
