"""One session and everything that must die with it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reactor_runtime.authoring.tracks import InputTrack, OutputTrack, Track
from reactor_runtime.clock import WALL, Clock
from reactor_runtime.media.encoders import EncoderChoice
from reactor_runtime.protocol.jsonable import to_json
from reactor_runtime.session.audit.given import Given
from reactor_runtime.session.losses import Losses
from reactor_runtime.session.media import SessionMedia
from reactor_runtime.session.observers import NOBODY, Observers
from reactor_runtime.session.outbox import Outbox
from reactor_runtime.session.seeds import SEED_LIMIT
from reactor_runtime.session.sent import SentCounts
from reactor_runtime.session.timeline import Timeline
from reactor_runtime.session.uploads import Uploads

if TYPE_CHECKING:
    from reactor_runtime.authoring.description import ModelDescription
    from reactor_runtime.authoring.uploads import UploadedFile


class Session:
    """State of one visit (`SessionPort`, `OutputSink`). Author threads call it; so does the event loop."""

    def __init__(
        self,
        number: int,
        session_id: str,
        model: ModelDescription,
        wake: Callable[[Session], None],
        encoder: EncoderChoice = EncoderChoice.AUTO,
        max_upload: int = 0,
        observers: Observers = NOBODY,
        clock: Clock = WALL,
        seed: int | None = None,
    ) -> None:
        """`max_upload` bounds the files that clients send, in MiB. Without a `seed` one is drawn. `clock`
        gives the author's time in seconds, from any beginning."""
        self.number = number
        self.session_id = session_id
        self.seed = secrets.randbelow(SEED_LIMIT) if seed is None else seed
        self.owner = ""
        """The subject of the token that started it; empty until that is known."""
        self.model_name = model.name
        self.connected = False
        """Whether some client is attached; the model reads it as `get_ctx().connected`."""
        self.clock = clock
        self.timeline = Timeline(clock)
        self.observers = observers
        self.outbox = Outbox(lambda: wake(self), observers.teller("message_sent"))
        self.lost = Losses()
        self.sent = SentCounts()
        self.uploads = Uploads(max_upload)
        self.given = Given()
        self.media = SessionMedia(model.tracks, encoder, self.should_stop, observers, clock, model.last_shown)
        self._tracks = {name: self._bind(track) for name, track in model.tracks.items()}

    @property
    def tracks(self) -> Mapping[str, Track]:
        return self._tracks

    def enter(self) -> None:
        """`start_session` is about to be called."""
        self.media.plane.begin()
        self.timeline.begin()

    def should_stop(self) -> bool:
        return self.timeline.stopping.is_set()

    def wait_stop(self, timeout: float) -> bool:
        return self.timeline.wait_stop(timeout)

    def now(self) -> float:
        """Seconds since `start_session` began, on the author's clock."""
        return self.timeline.now()

    def send(self, data: Any) -> None:
        self.outbox.put(to_json(data))

    def find_upload(self, upload_id: str) -> UploadedFile | None:
        return self.uploads.find(upload_id)

    def emit(self, name: str, frame: Any, bucket: int | None) -> None:
        self.media.emit(name, frame, bucket)

    def latest(self, name: str) -> Any:
        return self.media.latest(name)

    def flush(self) -> int:
        return self.media.flush()

    def drain(self, timeout: float) -> bool:
        """Wait until the last pictures and sounds are with the engine; False after `timeout` seconds."""
        return self.media.drain(timeout)

    def next_frame(self) -> int:
        """The index, on the default output track, of the next frame that the model emits."""
        return self.media.next_frame()

    def stop(self) -> None:
        """Make `should_stop()` true and hold nobody back in `emit` any more."""
        self.timeline.stop()
        self.media.release()

    def losses(self) -> dict[str, int]:
        """What was dropped so far, by place."""
        return {
            **self.media.losses(),
            "messages": self.outbox.dropped,
            **self.lost.counts(),
            "observers": self.observers.untold,
        }

    def close(self) -> None:
        """Let go of everything; what was not sent by now is lost."""
        self.stop()
        self.timeline.entered.set()
        self.outbox.close()
        self.media.close()
        self.uploads.close()

    def _bind(self, track: Track) -> Track:
        if isinstance(track, OutputTrack):
            return track.bind(self)
        if isinstance(track, InputTrack):
            return track.bind(self.media.inputs)
        raise TypeError(f"{track!r} is neither an input nor an output")
