"""How many bits a picture deserves, and when to follow the network. Sans-IO."""

from __future__ import annotations

from collections.abc import Sequence

from .encoders import VideoCodec
from .encoders.base import REOPEN_UP

BASE_BPS = 3_600_000
"""What 832x480 at 30 fps gets: enough for textured motion with x264's fastest preset."""
BASE_PIXELS = 832 * 480
SIZE_EXPONENT = 0.75
"""Larger pictures have less detail per pixel: 720p gets 6.7, 1080p 12.4 Mbit/s."""
VP8_SHARE = 0.75
"""libvpx needs this much of what x264's fastest preset takes for the same quality, and less still."""
FLOOR_BPS = 150_000
CEILING_BPS = 20_000_000
REOPEN_DOWN = 0.75
"""An encoder that has to be opened again follows only a fall below this share of its rate,"""
REOPEN_INTERVAL_S = 3.0
"""or a rise above `REOPEN_UP` no more often than this,"""
SETTLED_S = 30.0
SETTLED_UP = 1.1
"""or any that is worth a keyframe once it has stood for so long: the first estimate of a network is low."""
HEADROOM = 0.9
"""The share of the network's estimate that the picture takes; the rest is for retransmission."""


def default_bitrate(width: int, height: int, codec: VideoCodec) -> int:
    """Bits per second for a picture of this size when nobody asked for anything else."""
    bits = BASE_BPS * (width * height / BASE_PIXELS) ** SIZE_EXPONENT
    return _clamp(int(bits * (VP8_SHARE if codec is VideoCodec.VP8 else 1)))


def target_bitrate(wanted: int, estimates: Sequence[int]) -> int:
    """What one encode for several peers should take.

    The slowest peer decides, but never below half of the fastest: a peer that cannot follow even that loses
    frames at its own gate instead of spoiling the picture of everybody.
    """
    if not estimates:
        return wanted
    fair = max(min(estimates), max(estimates) // 2)
    return _clamp(min(wanted, int(fair * HEADROOM)))


def worth_reopening(current: int, target: int, since_last_s: float) -> bool:
    """Whether an encoder that cannot change its rate while open should be opened again."""
    if target < current * REOPEN_DOWN:
        return True
    if since_last_s >= SETTLED_S:
        return target > current * SETTLED_UP
    return target > current * REOPEN_UP and since_last_s >= REOPEN_INTERVAL_S


def _clamp(bits_per_second: int) -> int:
    return max(FLOOR_BPS, min(CEILING_BPS, bits_per_second))
