"""An encoder that fits whatever comes: its size, and what the network carries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from reactor_runtime.clock import Clock
from reactor_runtime.errors import EngineError

from .bitrate import default_bitrate, target_bitrate, worth_reopening
from .encoders import EncodedFrame, EncoderSettings, VideoCodec, VideoEncoder
from .encoders.base import RTP_CLOCK_HZ
from .rgb import Frame

EncoderFactory = Callable[[VideoCodec, int, int, int, EncoderSettings], VideoEncoder]


class FittingEncoder:
    """Used by one thread."""

    def __init__(
        self, codec: VideoCodec, settings: EncoderSettings, factory: EncoderFactory, clock: Clock
    ) -> None:
        self.bits_per_second = 0
        """What the encoder was told to make; 0 before the first frame."""
        self._codec = codec
        self._settings = settings
        self._factory = factory
        self._clock = clock
        self._encoder: VideoEncoder | None = None
        self._opened = 0.0
        self._timestamp = -1

    def encode(self, frame: Frame, at: float, key: bool, estimates: Sequence[int]) -> list[EncodedFrame]:
        """Compress a picture of `at` seconds for networks that carry `estimates`."""
        encoder = self._fitting(frame, estimates)
        # Strictly rising: encoders and receivers take two pictures of one time for one.
        self._timestamp = max(self._timestamp + 1, int(at * RTP_CLOCK_HZ))
        return encoder.encode(frame.i420(), self._timestamp, key)

    def close(self) -> None:
        """Let go of the encoder; the next picture opens another."""
        if self._encoder is not None:
            self._encoder.close()
            self._encoder = None

    def _fitting(self, frame: Frame, estimates: Sequence[int]) -> VideoEncoder:
        """The open encoder if it suits the picture and the network, else a new one."""
        wanted = self._settings.bitrate or default_bitrate(frame.width, frame.height, self._codec)
        target = target_bitrate(wanted, estimates)
        encoder = self._encoder
        if encoder is not None and (encoder.width, encoder.height) == (frame.width, frame.height):
            if target == self.bits_per_second:
                return encoder
            if encoder.set_bitrate(target):
                self.bits_per_second = target
                return encoder
            if not worth_reopening(self.bits_per_second, target, self._clock.time() - self._opened):
                return encoder
        self.close()
        self._encoder = self._open(frame, target, wanted)
        self.bits_per_second = target
        self._opened = self._clock.time()
        return self._encoder

    def _open(self, frame: Frame, target: int, wanted: int) -> VideoEncoder:
        settings = replace(self._settings, bitrate=wanted)
        try:
            return self._factory(self._codec, frame.width, frame.height, target, settings)
        except EngineError:
            raise
        except Exception as error:
            raise EngineError(
                f"No {self._codec} encoder for {frame.width}x{frame.height}: {error}"
            ) from error
