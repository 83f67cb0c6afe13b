"""Offers as other clients write them, against a real engine: aiortc takes the answers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aiortc import RTCSessionDescription
from aiortc.rtcrtpreceiver import RTCRtpReceiver

from .client import PATH, Camera, Client
from .server import Server

pytestmark = pytest.mark.wire
PROJECT = "echo"


class Other(Client):
    """A client whose offer is changed on its way."""

    async def exchange(self, text: str, mapping: list[dict[str, Any]]) -> str:
        """The answer to an offer, which is taken."""
        await self.start()
        body = {"sdp_offer": text, "track_mapping": mapping}
        response = await self.http.post(f"{PATH}/sdp_params", json=body)
        assert response.status_code == 202, response.text
        answer = await self.http.get(f"{PATH}/sdp_params")
        while answer.status_code == 202:
            answer = await self.http.get(f"{PATH}/sdp_params")
        text = str(answer.json()["sdp_answer"])
        await self.pc.setRemoteDescription(RTCSessionDescription(text, "answer"))
        return text


def lines(answer: str) -> list[str]:
    return re.findall(r"^m=\w+ \d+", answer, re.M)


def main_video(mid: str) -> dict[str, Any]:
    return {"mid": mid, "kind": "video", "direction": "recvonly", "name": "main_video"}


def webcam(mid: str) -> dict[str, Any]:
    return {"mid": mid, "kind": "video", "direction": "sendonly", "name": "webcam"}


async def test_an_h264_camera_is_refused_in_words(server: Server, free_slot: None) -> None:
    client = Other(server.url)
    client.pc.addTransceiver("video", direction="recvonly")
    transceiver = client.pc.addTransceiver("video", direction="sendonly")
    transceiver.sender.replaceTrack(Camera(90))
    codecs = [c for c in RTCRtpReceiver.getCapabilities("video").codecs if c.name == "H264"]  # type: ignore[union-attr]  # there are some
    transceiver.setCodecPreferences(codecs)
    await client.pc.setLocalDescription(await client.pc.createOffer())
    answer = await client.exchange(client.pc.localDescription.sdp, [main_video("0"), webcam("1")])

    section = re.split(r"(?=^m=)", answer, flags=re.M)[2]
    assert section.startswith("m=video 0 ") or "a=inactive" in section
    await client.until(client.open.is_set, "channel")
    client.send("state")

    def told() -> dict[str, Any] | None:
        inner = [m["data"] for m in client.messages if m["scope"] == "runtime"]
        return next((each["data"] for each in inner if each["type"] == "mediaRefused"), None)

    notice = await client.until(told, "word of the refused camera")
    assert (notice["track"], notice["code"]) == ("webcam", "no_common_codec")
    assert "H264" in notice["message"]
    assert notice["message"] in server.log
    await client.close()


async def test_an_offer_without_a_bundle_plays(server: Server, free_slot: None) -> None:
    client = Other(server.url)
    transceiver = client.pc.addTransceiver("video", direction="recvonly")
    await client.pc.setLocalDescription(await client.pc.createOffer())
    text = re.sub(r"a=group:BUNDLE.*\r\n", "", client.pc.localDescription.sdp)
    answer = await client.exchange(text, [main_video("0")])

    assert "a=group" not in answer
    assert "0" not in [line.split()[1] for line in lines(answer)]
    frame = await transceiver.receiver.track.recv()
    assert frame.height == 240  # type: ignore[union-attr]  # a frame of video
    await client.until(client.open.is_set, "channel")
    assert (await client.ask("state"))["data"]["ok"]
    await client.close()


async def test_one_section_alone_is_answered(server: Server, free_slot: None) -> None:
    client = Other(server.url)
    client.pc.addTransceiver("video", direction="recvonly")
    offer = (await client.pc.createOffer()).sdp
    await client.start()
    text = re.sub(r"a=group:BUNDLE.*\r\n", "", offer[: offer.index("m=application")])
    for changed in (text, re.sub(r"a=mid:.*\r\n", "", text)):
        body = {"sdp_offer": changed, "track_mapping": [main_video("0")]}
        response = await client.http.post(f"{PATH}/sdp_params", json=body)
        assert response.status_code == 202, response.text
    await client.close()
