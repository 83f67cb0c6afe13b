"""What the engine counts of a connection."""

from __future__ import annotations

from typing import Any

import reactor_webrtc as rw


def told(report: rw.StatsReport) -> dict[str, Any]:
    """For each section that we send, under the names of the W3C's WebRTC statistics in Python's spelling."""
    return {
        "outbound": [
            {
                "mid": rtp.mid,
                "codec": rtp.codec_mime_type,
                "packets_sent": rtp.packets_sent,
                "bytes_sent": rtp.bytes_sent,
                "frames_sent": rtp.frames_sent,
                "frames_encoded": rtp.frames_encoded,
                "round_trip_time": rtp.round_trip_time_s,
                "fraction_lost": rtp.fraction_lost,
                "packets_lost": rtp.packets_lost,
                "fir_count": rtp.fir_count,
                "pli_count": rtp.pli_count,
                "nack_count": rtp.nack_count,
                "target_bitrate": rtp.target_bitrate_bps,
            }
            for rtp in report.outbound_rtp
        ],
    }
