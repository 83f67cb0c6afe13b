"""Software encoders of FFmpeg, through PyAV.

Measured on PyAV 18.1: x264 follows a new `bit_rate` while open, up to the maximum it was opened with; libvpx
keeps the rate it was opened with.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import av.error
from av.video.frame import PictureType

from reactor_runtime.errors import EncoderUnavailableError, EngineError

from .base import REOPEN_UP, RTP_CLOCK_HZ, EncodedFrame, VideoCodec
from .settings import EncoderSettings, Quality

if TYPE_CHECKING:
    from reactor_runtime.media.i420 import I420Frame

NOMINAL_FPS = 30
"""What rate control plans for; the real times are in the timestamps."""
LONGEST_STEP = 2 * RTP_CLOCK_HZ // NOMINAL_FPS
"""What the encoder is told at most between two pictures. Told that half a second has passed it gives the
picture half a second of bits, which take as long to send and to decode."""
NEVER = 1_000_000
"""A keyframe interval in frames that is never reached: keyframes come when a receiver asks."""
BT601 = 6
"""SMPTE 170M, the matrix of our conversion, in the terms of H.273."""
LIMITED_RANGE = 1


def _picture(frame: I420Frame) -> av.VideoFrame:
    """The frame as FFmpeg's, without a copy where PyAV can lay its planes over our buffer."""
    if frame.height % 4 == 0:
        return av.VideoFrame.from_numpy_buffer(frame.data, format="yuv420p")
    # PyAV 18.1 looks for the chroma planes at whole rows, which they begin at only in such heights.
    return av.VideoFrame.from_ndarray(frame.data, format="yuv420p")


def _reason(error: Exception) -> str:
    """FFmpeg's word for it, without the options that PyAV repeats."""
    return str(getattr(error, "strerror", None) or error)


class PyAVEncoder:
    """A codec context and the options that make it a real-time one."""

    ffmpeg_name: str
    codec: VideoCodec
    lowest_share: float
    """Down to which share of the rate it was opened with the encoder follows a new target while open."""

    def __init__(
        self, width: int, height: int, bits_per_second: int, settings: EncoderSettings | None = None
    ) -> None:
        settings = settings or EncoderSettings()
        self.width = width
        self.height = height
        context = av.CodecContext.create(self.ffmpeg_name, "w")
        if not isinstance(context, av.VideoCodecContext):
            raise EngineError(f"{self.ffmpeg_name} is no video encoder.")
        self._context = context
        self._opened_bps = self.highest(bits_per_second, settings.bitrate)
        self._before = self._clock = 0
        context.width, context.height, context.pix_fmt = width, height, "yuv420p"
        context.time_base = Fraction(1, RTP_CLOCK_HZ)
        context.framerate = Fraction(NOMINAL_FPS, 1)
        context.bit_rate = self._opened_bps
        context.gop_size = NEVER
        context.thread_count = self.threads(width, height)
        context.colorspace = BT601
        context.color_range = LIMITED_RANGE
        context.options = self.options(self._opened_bps, settings.quality)
        try:
            context.open()
        except av.error.FFmpegError as error:
            raise self.refused(width, height, error) from error
        # Only now: x264 that is opened below its maximum takes many seconds to follow a rise.
        context.bit_rate = bits_per_second

    def highest(self, bits_per_second: int, wanted: int) -> int:
        """Up to which rate it is to follow while open, where `wanted` is what it should have one day."""
        return bits_per_second

    def options(self, bits_per_second: int, quality: Quality) -> dict[str, str]:
        """`bits_per_second` is the highest rate."""
        raise NotImplementedError

    def refused(self, width: int, height: int, error: Exception) -> EngineError:
        return EngineError(
            f"The encoder {self.ffmpeg_name} cannot be opened for {width}x{height} "
            f"({_reason(error)}). Emit frames of a usual size, or choose another encoder."
        )

    def threads(self, width: int, height: int) -> int:
        """One thread is the lowest latency up to 720p; larger pictures need help to keep up."""
        return 1 if width * height <= 1280 * 720 else 2

    def encode(self, frame: I420Frame, timestamp: int, key: bool) -> list[EncodedFrame]:
        picture = _picture(frame)
        self._clock += min(timestamp - self._before, LONGEST_STEP)
        self._before = timestamp
        picture.pts = self._clock
        picture.time_base = Fraction(1, RTP_CLOCK_HZ)
        if key:
            picture.pict_type = PictureType.I
        return [
            EncodedFrame(
                self.codec, bytes(packet), packet.is_keyframe, self.width, self.height, timestamp, frame.index
            )
            for packet in self._context.encode(picture)
        ]

    def set_bitrate(self, bits_per_second: int) -> bool:
        if not self._opened_bps * self.lowest_share <= bits_per_second <= self._opened_bps:
            return False
        self._context.bit_rate = bits_per_second
        return True

    def close(self) -> None:
        """Free the native encoder now rather than when the collector comes by."""
        del self._context


class Vp8Encoder(PyAVEncoder):
    """libvpx, tuned for one-way latency."""

    ffmpeg_name = "libvpx"
    codec = VideoCodec.VP8
    lowest_share = 1.0

    def threads(self, width: int, height: int) -> int:
        """One, whatever the size: libvpx's threads wait for each other actively.

        Beside other work each of them spins while the other one has no processor: measured at 1080p, 12 ms
        of processor time a picture became 80 to 170, and seven times as long until it was out.
        """
        return 1

    def options(self, bits_per_second: int, quality: Quality) -> dict[str, str]:
        return {
            "deadline": "realtime",
            # Two taps in place of six between pixels (version 2 of RFC 6386 section 9.1, which every decoder
            # has): an eighth to a fifth less of the processor here, and less in the decoder.
            "profile": "2",
            "cpu-used": {Quality.FAST: "-12", Quality.BALANCED: "-6", Quality.BEST: "-4"}[quality],
            "lag-in-frames": "0",
            "error-resilient": "0",
            "static-thresh": "0",
            # A keyframe may take three frames' worth of bits; without it the first one takes 250 ms on the
            # wire.
            "max-intra-rate": "300",
            "qmin": "2",
            "qmax": "56",
            "minrate": str(bits_per_second),
            "maxrate": str(bits_per_second),
            # Larger single frames would be seen as a hitch.
            "bufsize": str(bits_per_second // 5),
        }


class X264Encoder(PyAVEncoder):
    """x264, constrained baseline: no B-frames, no look-ahead, what every browser decodes."""

    ffmpeg_name = "libx264"
    codec = VideoCodec.H264
    # Its maximum and its buffer stay as they were opened; below this they would let bursts through.
    lowest_share = 0.4

    def highest(self, bits_per_second: int, wanted: int) -> int:
        # A rise of less than REOPEN_UP opens no other encoder: this one must be able to go all the way.
        return wanted if bits_per_second < wanted <= bits_per_second * REOPEN_UP else bits_per_second

    def options(self, bits_per_second: int, quality: Quality) -> dict[str, str]:
        return {
            "preset": {
                Quality.FAST: "ultrafast",
                Quality.BALANCED: "superfast",
                Quality.BEST: "veryfast",
            }[quality],
            "tune": "zerolatency",
            "profile": "baseline",
            "bf": "0",
            "sc_threshold": "0",
            "forced-idr": "1",
            "maxrate": str(bits_per_second),
            # A fifth of a second: small enough that no frame waits long in front of the wire.
            "bufsize": str(bits_per_second // 5),
            # Parameter sets in front of every IDR, for receivers that join late. Several threads share one
            # picture: a thread for each would hold every picture back until the next one comes. The buffer is
            # not full at the start: a first picture of all its bits takes 30 ms to send, and what it shows
            # less the next few bring. Motion is looked for within 16 pixels; tables for up to 512 of them, as
            # the level would have it, take a seventh of the time that opening takes.
            "x264-params": "repeat-headers=1:sliced-threads=1:vbv-init=0.3:mvrange=128",
        }


class NvencEncoder(PyAVEncoder):
    """NVIDIA's encoder, where the operator asked for it and the driver has it."""

    ffmpeg_name = "h264_nvenc"
    codec = VideoCodec.H264
    # As FFmpeg documents it, a new rate is taken while open; not measured on a card of ours yet.
    lowest_share = 1.0

    def options(self, bits_per_second: int, quality: Quality) -> dict[str, str]:
        return {
            "preset": {Quality.FAST: "p1", Quality.BALANCED: "p3", Quality.BEST: "p5"}[quality],
            "tune": "ull",
            "profile": "baseline",
            "rc": "cbr",
            "zerolatency": "1",
            "delay": "0",
            "forced-idr": "1",
            "bufsize": str(bits_per_second // 5),
        }

    def refused(self, width: int, height: int, error: Exception) -> EngineError:
        return EncoderUnavailableError(
            f"--encoder nvenc was asked for, but NVENC cannot be opened for {width}x{height} "
            f"({_reason(error)}). It needs an NVIDIA card with an encoder and its driver; --encoder x264 "
            "works everywhere."
        )
