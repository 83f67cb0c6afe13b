"""What a client sends: its tracks, the pictures and the sound on them."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Sequence

import numpy as np
import reactor_webrtc as rw
from numpy.typing import NDArray

from reactor_runtime.transports import sdp
from reactor_runtime.transports.wire import AudioReceived, Handle, PictureRefused, VideoReceived

from .receiver import VideoReceiver
from .translation import inbound_codec

SENDING = ("sendrecv", "sendonly")


class Inbound:
    """The client's tracks of one peer. The engine reports each without a mid, in the order of its own list of
    sections.
    """

    def __init__(self, handle: Handle) -> None:
        self.receivers: dict[str, VideoReceiver] = {}
        self.closed = False
        self._handle = handle
        self._known: list[str] = []
        """Mids in the order in which the engine made them."""
        self._sending: set[str] = set()
        self._next: set[str] = set()
        self._expected: dict[str, deque[str]] = {}
        self._tracks: dict[str, rw.Track] = {}

    def expect(self, parts: Sequence[sdp.MediaSection]) -> None:
        """An offer is about to be given to the engine: `parts` as the engine sees them."""
        self._expected = {"audio": deque(), "video": deque()}
        self._next = {
            part.mid
            for part in parts
            if part.kind in self._expected and part.direction in SENDING and not part.rejected
        }
        self._known += [part.mid for part in parts if part.mid not in self._known]
        by_mid = {part.mid: part for part in parts}
        for mid in self._known:
            if mid in self._next and mid not in self._sending:
                self._expected[by_mid[mid].kind].append(mid)
            if mid in self._next and by_mid[mid].kind == "video":
                self._receive(mid, inbound_codec(by_mid[mid]))

    def watch(self, mid: str, transceiver: rw.Transceiver) -> None:
        """See the compressed pictures of a section before the engine decodes them."""
        receiver = self.receivers.get(mid)
        if receiver is not None and not receiver.watching:
            receiver.watching = True
            transceiver.set_receiver_transform(rw.FrameTransform(receiver.check))

    def settle(self) -> None:
        """The engine has taken the offer."""
        for mid in self._sending - self._next:
            self._tracks.pop(mid, None)
        self._sending = self._next

    def release(self) -> list[object]:
        """Forget everything; what the engine has to let go of is in the result."""
        self.closed = True
        tracks = list(self._tracks.values())
        self._tracks, self.receivers = {}, {}
        return [tracks]

    def on_track(self, kind: rw.MediaKind, track: rw.Track) -> None:
        """Native thread."""
        name = "video" if kind == rw.MediaKind.Video else "audio"
        expected = self._expected.get(name)
        if not expected:
            return
        mid = expected.popleft()
        # A track that nobody holds stops receiving.
        self._tracks[mid] = track
        receiver = self.receivers.get(mid)
        if name == "audio":
            track.on_audio_frame(functools.partial(self._on_audio, mid))
        elif receiver is not None:
            # The engine tries four arguments first and three then.
            track.on_video_frame(lambda bgra, width, height: receiver.take(bgra, width, height))

    def _receive(self, mid: str, codec: str | None) -> None:
        if codec is None:
            self.receivers.pop(mid, None)
        elif mid in self.receivers:
            self.receivers[mid].codec = codec
        else:
            self.receivers[mid] = VideoReceiver(
                codec, functools.partial(self._on_picture, mid), functools.partial(self._on_refused, mid)
            )

    def _on_picture(self, mid: str, rgb: NDArray[np.uint8]) -> None:
        if not self.closed:
            self._handle(VideoReceived(mid, rgb))

    def _on_refused(self, mid: str, width: int, height: int) -> None:
        if not self.closed:
            self._handle(PictureRefused(mid, width, height))

    def _on_audio(self, mid: str, pcm: bytes, rate: int, channels: int, frames: int) -> None:
        if self.closed:
            return
        block = np.frombuffer(pcm, np.int16).reshape(frames, channels).T
        self._handle(AudioReceived(mid, block, rate))
