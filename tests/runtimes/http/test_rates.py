"""Rates in the open: per client and track in `GET /session`, by track and codec in `/metrics`."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from reactor_runtime.testing import serve
from reactor_runtime.transports.wire import RateEstimated

from .models import Painter

ESTIMATE = 900_000


async def test_what_each_client_gets_is_told_under_the_names_of_the_w3c() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        await client.wait_frames(3)
        server.engine.peers[0].handle(RateEstimated("0", ESTIMATE))
        await client.wait_frames(len(client.frames()) + 3)
        [told] = (await server.http.get("/session")).json()["clients"]
        [rate] = told["outbound"]
        assert rate["track"] == "main_video"
        assert rate["codec"] in ("VP8", "H264")
        assert rate["available_outgoing_bitrate"] == ESTIMATE
        assert 0 < rate["target_bitrate"] < ESTIMATE
        assert rate["frames_sent"] >= 6
        assert rate["bytes_sent"] > 0

        families = text_string_to_metric_families((await server.http.get("/metrics")).text)
        found = {sample.name: sample for family in families for sample in family.samples}
        stream = {"track": "main_video", "codec": rate["codec"]}
        for name in (
            "reactor_available_outgoing_bitrate",
            "reactor_target_bitrate",
            "reactor_sent_bytes_total",
            "reactor_sent_frames_total",
            "reactor_keyframe_waits_total",
        ):
            assert found[name].labels == stream
        assert found["reactor_available_outgoing_bitrate"].value == ESTIMATE
        assert found["reactor_sent_frames_total"].value >= rate["frames_sent"]


async def test_rates_of_a_session_that_is_over_are_not_told() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        await client.wait_frames(1)
        await client.stop()
        text = (await server.http.get("/metrics")).text
        assert "reactor_target_bitrate{" not in text
        assert "reactor_sent_frames_total{" in text
