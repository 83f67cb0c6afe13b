"""An encoder that fits whatever comes: its size, and what the network carries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from reactor_runtime.clock import Clock
from reactor_runtime.errors import EngineError

from .ahead import OpenedAhead
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
        self._ahead: OpenedAhead | None = None
        self._encoder: VideoEncoder | None = None
        self._opened = 0.0
        self._timestamp = -1

    def prepare(self, width: int, height: int) -> None:
        """Open an encoder for the first picture, on another thread; before the one that encodes begins."""
        wanted = self._wanted(width, height)
        self._ahead = OpenedAhead(lambda: self._open(width, height, wanted, wanted), wanted)

    def encode(self, frame: Frame, at: float, key: bool, estimates: Sequence[int]) -> list[EncodedFrame]:
        """Compress a picture of `at` seconds for networks that carry `estimates`."""
        encoder = self._fitting(frame, estimates)
        # Strictly rising: encoders and receivers take two pictures of one time for one.
        self._timestamp = max(self._timestamp + 1, int(at * RTP_CLOCK_HZ))
        return encoder.encode(frame.i420(), self._timestamp, key)

    def close(self) -> None:
        """Let go of the encoder; the next picture opens another."""
        if self._ahead is not None:
            self._ahead.close()
            self._ahead = None
        if self._encoder is not None:
            self._encoder.close()
            self._encoder = None

    def _fitting(self, frame: Frame, estimates: Sequence[int]) -> VideoEncoder:
        """The open encoder if it suits the picture and the network, else a new one."""
        wanted = self._wanted(frame.width, frame.height)
        target = target_bitrate(wanted, estimates)
        self._take_ahead(frame, target)
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
        self._encoder = self._open(frame.width, frame.height, target, wanted)
        self.bits_per_second = target
        self._opened = self._clock.time()
        return self._encoder

    def _take_ahead(self, frame: Frame, target: int) -> None:
        """Use what was opened ahead if it is what would be opened now."""
        ahead, self._ahead = self._ahead, None
        encoder = None if ahead is None else ahead.take()
        if ahead is None or encoder is None:
            return
        same_size = (encoder.width, encoder.height) == (frame.width, frame.height)
        if same_size and (ahead.bits_per_second == target or encoder.set_bitrate(target)):
            self._encoder, self.bits_per_second, self._opened = encoder, target, self._clock.time()
        else:
            encoder.close()

    def _wanted(self, width: int, height: int) -> int:
        return self._settings.bitrate or default_bitrate(width, height, self._codec)

    def _open(self, width: int, height: int, target: int, wanted: int) -> VideoEncoder:
        settings = replace(self._settings, bitrate=wanted)
        try:
            return self._factory(self._codec, width, height, target, settings)
        except EngineError:
            raise
        except Exception as error:
            raise EngineError(f"No {self._codec} encoder for {width}x{height}: {error}") from error
