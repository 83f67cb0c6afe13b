"""A session that is only a list: what the authoring room sees of the rooms outside it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reactor_runtime import InputTrack, OutputTrack, Track, UploadedFile, VideoModel
from reactor_runtime.authoring.context import Context, activate, deactivate, use
from reactor_runtime.authoring.tracks import tracks_of


class FakeSession:
    """A `SessionPort`, `OutputSink` and `InputSource`. Asks the model to stop after `frames` emits."""

    def __init__(self, cls: type = VideoModel, number: int = 1, frames: int = 3) -> None:
        self.number = number
        self.session_id = f"session-{number}"
        self.model_name = cls.__name__
        self.connected = True
        self.seed = 7
        self.tracks: dict[str, Track] = {name: self._bind(track) for name, track in tracks_of(cls).items()}
        self.emitted: list[tuple[str, Any, int | None]] = []
        self.sent: list[Any] = []
        self.inputs: dict[str, Any] = {}
        self.uploads: dict[str, UploadedFile] = {}
        self.stop = threading.Event()
        self._frames = frames

    def _bind(self, track: Track) -> Track:
        assert isinstance(track, OutputTrack | InputTrack)
        return track.bind(self)

    def should_stop(self) -> bool:
        return self.stop.is_set()

    def wait_stop(self, timeout: float) -> bool:
        return self.stop.wait(timeout)

    def now(self) -> float:
        return 1.5

    def flush(self) -> int:
        return len(self.emitted)

    def find_upload(self, upload_id: str) -> UploadedFile | None:
        return self.uploads.get(upload_id)

    def send(self, data: Any) -> None:
        self.sent.append(data)

    def emit(self, name: str, frame: Any, bucket: int | None) -> None:
        self.emitted.append((name, frame, bucket))
        if len(self.emitted) >= self._frames:
            self.stop.set()

    def latest(self, name: str) -> Any:
        emitted = [frame for track, frame, _ in self.emitted if track == name]
        return emitted[-1] if emitted else self.inputs.get(name)

    def read(self, name: str, samples: int, timeout: float | None) -> Any:
        return self.inputs.get(name, [])[:samples]


class FakeWeights:
    def __init__(self, root: str = "/weights") -> None:
        self.root = Path(root)

    def path(self, name: str) -> Path:
        return self.root / name


@contextmanager
def running(session: FakeSession) -> Iterator[Context]:
    """Inside, `session` is the active one, and this thread is one of its own."""
    context = Context(session)
    activate(context)
    try:
        with use(context):
            yield context
    finally:
        deactivate(context)


def in_thread(work: Any) -> Any:
    """What `work()` returns on a new thread, as if the author had started it; raises what it raised."""
    box: list[Any] = []

    def run() -> None:
        try:
            box.append((True, work()))
        except BaseException as error:
            box.append((False, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    ((fine, value),) = box
    if fine:
        return value
    raise value
