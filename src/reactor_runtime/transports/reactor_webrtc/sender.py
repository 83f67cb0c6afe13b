"""The sending half of one video section: keeps the engine's queue empty and its own bounded."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import reactor_webrtc as rw

from reactor_runtime.media.encoders import EncodedFrame, VideoCodec
from reactor_runtime.transports.gate import FrameGate

log = logging.getLogger(__name__)


class EncodedVideoSender:
    """Pushes encoded frames into one peer's track.

    The engine keeps pushed frames in a first-in-first-out queue of its own and takes one out for each frame that
    its pipeline lets through. Where the pipeline drops one, every later frame comes out one frame late, for
    ever. So: nothing is pushed before the peer is connected, the gate keeps below the estimate, and
    the peer compares `pushed` with what came out; a lag that stays is cured by a new track.
    """

    def __init__(
        self, mid: str, codec: VideoCodec, track: rw.EncodedVideoTrack, request_key: Callable[[], None]
    ) -> None:
        self.mid = mid
        self.codec = codec
        self.track = track
        self.pushed = 0
        """Frames given to the engine on the present track."""
        self.encoded_before = 0
        """What the engine had counted when the present track began; its count goes on across tracks."""
        self.open = False
        self.gate = FrameGate()
        self._request_key = request_key

    def push(self, frame: EncodedFrame) -> None:
        if not self.open:
            return
        if not self.gate.admits(frame.key, len(frame.data), time.monotonic()):
            if self.gate.wants_key():
                self._request_key()
            return
        self.track.push_encoded_frame(
            frame.data, frame.key, frame.width, frame.height, frame.timestamp & 0xFFFFFFFF
        )
        self.pushed += 1

    def replace(self, track: rw.EncodedVideoTrack, encoded: int) -> None:
        """Go on with a fresh engine queue; the next frame must be a keyframe."""
        self.track = track
        self.pushed = 0
        self.encoded_before = encoded
        self.gate.reset()


def listen(
    track: rw.EncodedVideoTrack, on_keyframe: Callable[[], None], on_bitrate: Callable[[int], None]
) -> None:
    """Forward the engine's feedback. Its callbacks hold the GIL on a native thread: keep them short."""

    def feedback(event: rw.KeyFrameRequest | rw.RateUpdate) -> None:
        if isinstance(event, rw.RateUpdate):
            on_bitrate(event.bitrate_bps)
        else:
            on_keyframe()

    track.on_encoder_feedback(feedback)
