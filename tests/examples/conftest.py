"""A stage: one model on one thread, without server, pacing or wire."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reactor_runtime import OutputTrack, Track, TrackKind
from reactor_runtime.authoring.building import build_model
from reactor_runtime.authoring.command import commands_of
from reactor_runtime.authoring.context import Context, activate, deactivate, use
from reactor_runtime.authoring.tracks import tracks_of
from reactor_runtime.project.loading import load_project

EXAMPLES = Path(__file__).parents[2] / "examples"


class Stage:
    """A session, its sink and its source at once.

    `camera` is what every video input shows, `microphone` what is still to be read of every audio input.
    `shown` and `heard` are what was emitted, `steps` the tracks in the order of it.
    """

    number, session_id, seed = 1, "test", 0

    def __init__(self, folder: Path, overrides: tuple[str, ...]) -> None:
        project = load_project(folder, overrides=overrides)
        self.cls = project.model_class
        self.model = build_model(self.cls, project.config, project.weights)
        self.model_name = folder.name
        self.camera: Any = None
        self.microphone: Any = None
        self.heard: list[Any] = []
        self.steps: list[str] = []
        self.connected = True
        self.sent: list[Any] = []
        self.slept = 0.0
        self.shown: list[Any] = []
        self._frames, self._seconds = 0, 60.0
        self.tracks: Mapping[str, Track] = {}

    def play(self, frames: int, seconds: float = 60.0) -> list[Any]:
        """Run `start_session` until it has emitted `frames`, or has slept for `seconds` of pretended time."""
        self.shown, self.heard, self.steps, self.slept = [], [], [], 0.0
        self._frames, self._seconds = frames, seconds
        self._in_session(self.model.start_session)
        return self.shown

    def check_it_rests(self, seconds: float) -> None:
        """Without input it shows one picture, the same again, and sleeps in between."""
        first, second = self.play(frames=2)
        assert first.shape == (480, 832, 3)
        assert first.std() > 5
        np.testing.assert_array_equal(first, second)
        assert self.slept >= seconds

    def command(self, name: str, **arguments: Any) -> Any:
        spec = commands_of(self.cls)[name]
        return self._in_session(lambda: getattr(self.model, name)(**spec.validate(arguments)))

    def _in_session(self, work: Callable[[], Any]) -> Any:
        self.tracks = {name: track.bind(self) for name, track in tracks_of(self.cls).items()}  # type: ignore[attr-defined]  # every kind of track has it
        context = Context(self)  # type: ignore[arg-type]  # as much of a session as an example needs
        activate(context)
        try:
            with use(context):
                return work()
        finally:
            deactivate(context)

    def should_stop(self) -> bool:
        return len(self.shown) >= self._frames or self.slept >= self._seconds

    def wait_stop(self, timeout: float) -> bool:
        self.slept += timeout
        return self.should_stop()

    def now(self) -> float:
        return self.slept

    def send(self, data: Any) -> None:
        self.sent.append(data)

    def emit(self, name: str, frame: Any, bucket: int | None) -> None:
        assert isinstance(self.tracks[name], OutputTrack)
        sound = self.tracks[name].kind is TrackKind.AUDIO
        (self.heard if sound else self.shown).append(frame.copy())
        self.steps.append(name)

    def latest(self, name: str) -> Any:
        return self.camera

    def read(self, name: str, samples: int, timeout: float | None) -> Any:
        """As if the microphone spoke while the model waits: nothing more is there at once."""
        if not timeout:
            return None
        if self.microphone is None or self.microphone.shape[1] < samples:
            self.slept += timeout
            return None
        block, self.microphone = self.microphone[:, :samples], self.microphone[:, samples:]
        return block


@pytest.fixture
def load() -> Iterator[Callable[..., Stage]]:
    path, finders = list(sys.path), list(sys.meta_path)
    yield lambda name, *overrides: Stage(EXAMPLES / name, overrides)
    sys.path[:], sys.meta_path[:] = path, finders
    for name, module in list(sys.modules.items()):
        # A model's files have names like "model": the next example has its own.
        if EXAMPLES in Path(getattr(module, "__file__", None) or "/").parents:
            del sys.modules[name]
