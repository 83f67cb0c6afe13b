"""Encoder settings beside each other, on the side-by-side picture: CPU a frame, quality, bits. With ours:
``PYTHONPATH=side_by_side/studio .venvs/ours/bin/python micro/encoders.py [SIZE] [MBIT_S]``.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterable
from fractions import Fraction

import av
import cv2
import numpy as np
from av.video.frame import PictureType
from studio import Studio

CLOCK = 90_000
FRAMES, ROUNDS = 60, 3
BASE_X264 = {
    "preset": "ultrafast",
    "tune": "zerolatency",
    "profile": "baseline",
    "bf": "0",
    "sc_threshold": "0",
}
BASE_VP8 = {
    "deadline": "realtime",
    "profile": "2",
    "cpu-used": "-12",
    "lag-in-frames": "0",
    "max-intra-rate": "300",
    "qmin": "2",
    "qmax": "56",
}
Settings = tuple[str, str, dict[str, str], float]


def settings(bits: float) -> Iterable[Settings]:
    """Name, encoder, options, bits a second."""
    x264 = {**BASE_X264, "x264-params": "repeat-headers=1:sliced-threads=0"}
    yield "x264 ultrafast (ours)", "libx264", x264, bits
    yield "x264, half the bits", "libx264", x264, bits / 2
    yield "x264 superfast", "libx264", {**x264, "preset": "superfast"}, bits
    yield (
        "x264, no aq, no mbtree",
        "libx264",
        {**x264, "x264-params": x264["x264-params"] + ":aq-mode=0:mbtree=0"},
        bits,
    )
    yield "libvpx VP8 cpu-used -12, with as many bits", "libvpx", BASE_VP8, bits
    bits *= 0.75
    yield "libvpx VP8 cpu-used -12, 3/4 of the bits (ours)", "libvpx", BASE_VP8, bits
    yield "libvpx VP8, half the bits", "libvpx", BASE_VP8, bits / 1.5
    for speed in ("-8", "-10", "-11", "-16"):
        yield f"libvpx VP8 cpu-used {speed}", "libvpx", {**BASE_VP8, "cpu-used": speed}, bits
    for profile in "013":
        yield f"libvpx VP8, profile {profile}", "libvpx", {**BASE_VP8, "profile": profile}, bits
    yield "libvpx VP8, static-thresh 100", "libvpx", {**BASE_VP8, "static-thresh": "100"}, bits


def encode(pictures: list[np.ndarray], setting: Settings) -> tuple[float, list[av.Packet]]:
    """Milliseconds of CPU a frame, and the packets."""
    _, name, options, bits = setting
    context = av.CodecContext.create(name, "w")
    context.width, context.height = pictures[0].shape[1], pictures[0].shape[0] * 2 // 3
    context.pix_fmt, context.time_base, context.framerate = "yuv420p", Fraction(1, CLOCK), Fraction(30, 1)
    context.bit_rate, context.gop_size, context.thread_count = int(bits), 1_000_000, 1
    context.options = {**options, "maxrate": str(int(bits)), "bufsize": str(int(bits / 5))}
    packets, used = [], []
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_numpy_buffer(picture, format="yuv420p")
        frame.pts, frame.time_base = number * CLOCK // 30, Fraction(1, CLOCK)
        if not number:
            frame.pict_type = PictureType.I
        began = time.process_time()
        packets += context.encode(frame)
        used.append((time.process_time() - began) * 1000)
    return statistics.mean(used[5:]), packets


def psnr(pictures: list[np.ndarray], packets: list[av.Packet], codec: str) -> float:
    """Of the luma, mean over the frames."""
    decoder = av.CodecContext.create("h264" if codec == "libx264" else "vp8", "r")
    decoded = [f for packet in packets for f in decoder.decode(av.Packet(bytes(packet)))] + decoder.decode(
        None
    )
    values = []
    for original, frame in zip(pictures, decoded, strict=False):
        height = frame.height
        values.append(cv2.PSNR(original[:height], frame.to_ndarray(format="yuv420p")[:height]))
    return statistics.mean(values)


def main() -> None:
    width, height = (int(side) for side in (sys.argv[1] if len(sys.argv) > 1 else "832x480").split("x"))
    bits = float(sys.argv[2]) * 1e6 if len(sys.argv) > 2 else width * height * 30 * 0.35
    studio = Studio((width, height))
    pictures = [cv2.cvtColor(studio.draw(), cv2.COLOR_RGB2YUV_I420) for _ in range(FRAMES)]
    costs: dict[str, list[float]] = {}
    found: dict[str, tuple[float, float]] = {}
    for _ in range(ROUNDS):
        for setting in settings(bits):
            cost, packets = encode(pictures, setting)
            costs.setdefault(setting[0], []).append(cost)
            sizes = sum(packet.size for packet in packets) * 8 * 30 / FRAMES / 1e6
            found[setting[0]] = (sizes, psnr(pictures, packets, setting[1]))
    print(f"| {width}x{height} | ms of CPU a frame | Mbit/s | PSNR, dB |\n| --- | ---: | ---: | ---: |")
    for name, values in costs.items():
        sizes, quality = found[name]
        print(f"| {name} | {statistics.median(values):.1f} | {sizes:.1f} | {quality:.1f} |")


if __name__ == "__main__":
    main()
