"""What an answer costs the event loop."""

from __future__ import annotations

from pathlib import Path

import pytest

from reactor_runtime.media.encoders import VideoCodec
from reactor_runtime.transports import sdp
from reactor_runtime.transports.port import PeerConfig, Section
from reactor_runtime.transports.reactor_webrtc import ReactorWebRtcEngine

OFFER = (Path(__file__).parent / "offers" / "chromium-max-bundle.sdp").read_bytes().decode()
VIDEO = Section("0", "main_video", "video", True, (VideoCodec.VP8,))


async def test_offer_and_answer_are_parsed_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    parse = sdp._parse
    monkeypatch.setattr(sdp, "_parse", lambda text: (parsed.append(text), parse(text))[1])
    engine = ReactorWebRtcEngine()
    peer = await engine.create_peer(PeerConfig(), lambda event: None)
    try:
        answer = await peer.answer(OFFER, (VIDEO,))
        assert len(parsed) == 2
        assert parsed[0] == OFFER
        assert [part.mid for part in sdp.parse(answer)[1]] == [part.mid for part in sdp.parse(OFFER)[1]]
    finally:
        await peer.close()
        engine.close()
