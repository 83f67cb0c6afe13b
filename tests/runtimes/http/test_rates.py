"""Rates in the open: per client and track in `GET /session`, by track and codec in `/metrics`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from reactor_runtime import AudioOut, VideoModel, VideoOut, get_ctx, model
from reactor_runtime.clients.clients import LOOK_EVERY_S
from reactor_runtime.clients.ratelimit import AddressLimit
from reactor_runtime.testing import LeapingClock, serve
from reactor_runtime.transports.wire import Closed, RateEstimated
from reactor_runtime.worker.worker import WATCHDOG_S

from .models import Painter
from .test_told import connected

ESTIMATE = 900_000


async def test_what_each_client_gets_is_told_under_the_names_of_the_w3c() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        await client.wait_frames(3)
        server.engine.peers[0].handle(RateEstimated("0", ESTIMATE))
        await client.wait_frames(len(client.frames()) + 3)
        [told] = (await server.http.get("/session")).json()["clients"]
        [rate] = told["outbound"]
        assert (rate["track"], rate["kind"]) == ("main_video", "video")
        assert rate["codec"] in ("VP8", "H264")
        assert rate["available_outgoing_bitrate"] == ESTIMATE
        assert 0 < rate["target_bitrate"] < ESTIMATE
        assert rate["frames_sent"] >= 3, "those that were there before the last look at them"
        assert rate["bytes_sent"] > 0
        assert rate["sent_bitrate"] > 0
        assert 0 <= rate["frames_waiting"] <= 4
        assert rate["frames_skipped"] >= 0
        assert rate["keyframe_waits"] >= 0

        families = text_string_to_metric_families((await server.http.get("/metrics")).text)
        found = {sample.name: sample for family in families for sample in family.samples}
        stream = {"track": "main_video", "codec": rate["codec"]}
        for name in (
            "reactor_available_outgoing_bitrate",
            "reactor_target_bitrate",
            "reactor_sent_bitrate",
            "reactor_frames_waiting",
            "reactor_sent_bytes_total",
            "reactor_sent_frames_total",
            "reactor_keyframe_waits_total",
        ):
            assert found[name].labels == stream
        assert found["reactor_available_outgoing_bitrate"].value == ESTIMATE
        assert found["reactor_sent_frames_total"].value >= rate["frames_sent"]


async def test_who_names_its_connection_finds_its_own_rates_among_many() -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        (first, _), (second, _) = await connected(server), await connected(server)
        for number, role in ((first, "controller"), (second, "viewer")):
            answer = await server.http.get("/session", params={"connection": number})
            [mine] = [told for told in answer.json()["clients"] if told.get("you")]
            assert (mine["role"], len(mine["outbound"])) == (role, 1)
        for query in ("", "?connection=1"):
            told = (await server.http.get(f"/session{query}")).json()["clients"]
            assert [each.get("you") for each in told] == [None, None]
        assert (await server.http.get("/session?connection=x")).status_code == 422
        server.worker.signalling.lookups = AddressLimit(3)
        codes = [(await server.http.get(f"/session?connection={guess}")).status_code for guess in range(4)]
        assert codes == [200, 200, 200, 429], "an id is a secret, and not to be found by trying"
        assert (await server.http.get("/session")).status_code == 200


@model("humming")
class Humming(VideoModel):
    main_video = VideoOut(rate=25)
    voice = AudioOut(rate=48_000)

    def start_session(self) -> None:
        ctx = get_ctx()
        while not ctx.should_stop():
            ctx.get_track("voice").emit(np.full(1920, 500, np.int16))
            ctx.get_track("main_video").emit(np.zeros((16, 16, 3), np.uint8))


async def test_sound_is_told_beside_the_pictures() -> None:
    async with serve(Humming) as server:
        client = await server.join()
        await client.wait_frames(10)
        [told] = (await server.http.get("/session")).json()["clients"]
        by_kind = {rate["kind"]: rate for rate in told["outbound"]}
        sound = by_kind["audio"]
        assert sound.keys() == {
            "track",
            "kind",
            "codec",
            "target_bitrate",
            "sent_bitrate",
            "packets_sent",
            "bytes_sent",
        }
        assert (sound["track"], sound["codec"]) == ("voice", "opus")
        assert sound["packets_sent"] > 0
        assert sound["bytes_sent"] == sound["packets_sent"] * 960  # a wire in memory compresses nothing
        assert sound["sent_bitrate"] > 0

        text = (await server.http.get("/metrics")).text
        found = {
            sample.name: sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.labels == {"track": "voice", "codec": "opus"}
        }
        assert found["reactor_sent_bytes_total"] >= sound["bytes_sent"]
        assert found["reactor_sent_bitrate"] > 0
        assert "reactor_sent_frames_total" not in found, "frames are pictures"

        server.engine.peers[0].handle(Closed("data"))
        await client.until(lambda: not server.worker.clients.connections)
        after = (await server.http.get("/metrics")).text
        assert 'reactor_sent_bitrate{codec="opus"' not in after
        assert 'reactor_sent_bytes_total{codec="opus",track="voice"}' in after


@pytest.mark.parametrize("cls", [Humming, Painter])
async def test_wires_are_asked_so_often_however_many_want_to_know(cls: type[VideoModel]) -> None:
    looks: list[float] = []
    clock = LeapingClock()
    async with serve(cls, clock=clock) as server:
        client = await server.join()
        await client.wait_frames(1)
        [peer] = server.engine.peers
        stats = peer.stats

        async def counted() -> dict[str, Any]:
            looks.append(clock.time())
            return await stats()

        peer.stats = counted  # type: ignore[method-assign]  # what an engine would be asked
        clock.advance(LOOK_EVERY_S)
        began = clock.time()
        for path in ("/session", "/metrics") * 10:
            assert (await server.http.get(path)).status_code == 200
        lasted = clock.time() - began
        by_itself = 1 + lasted / WATCHDOG_S
        if cls is Painter:
            assert len(looks) <= by_itself, "of pictures it tells nothing that nobody else knows"
        else:
            assert 1 <= len(looks) <= by_itself + 1 + lasted / LOOK_EVERY_S


async def test_rates_of_a_session_that_is_over_are_not_told() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        await client.wait_frames(1)
        await client.stop()
        text = (await server.http.get("/metrics")).text
        assert "reactor_target_bitrate{" not in text
        assert "reactor_frames_waiting{" not in text
        assert "reactor_sent_frames_total{" in text
