"""Plays users one after the other on one model, in this process, and notes what each got and left."""

from __future__ import annotations

import base64
import inspect
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reactor_runtime.authoring.media import TrackDirection, TrackKind
from reactor_runtime.clock import WALL
from reactor_runtime.executors.port import CommandOutcome
from reactor_runtime.executors.thread.executor import ThreadExecutor
from reactor_runtime.session.audit.digests import digest_of
from reactor_runtime.session.run import SessionRun

from .free import FreeSession
from .users import Call, MadeFile, User

if TYPE_CHECKING:
    from concurrent.futures import Future

    from reactor_runtime.project.project import Project


STEPS = 14
"""Of each session."""
ROUNDS = (4, 8)
"""The steps before which a user sends commands; what is shown before the first is the state it was left."""
COMMAND_S = 5.0
"""How long the model is held for a command."""
PUSH_S = 0.5
"""A model that neither emits nor waits for so long is taken a step further."""
SESSION_S = 15.0
"""When a session is stopped at the latest,"""
STOP_S = 20.0
"""and how long its model may then take to return."""


def play(project: Project, plan: str, seed: int = 0) -> list[dict[str, Any]]:
    """One session for each letter of `plan`. Raises `ReactorError` when the model cannot be loaded."""
    host = ThreadExecutor(project.model_class, project.config, project.weights)
    try:
        host.load().result()
        return [Visit(host, number, User(name, seed), seed).run() for number, name in enumerate(plan, 1)]
    finally:
        host.close()


class Visit:
    """One user's session."""

    def __init__(self, host: ThreadExecutor, number: int, user: User, seed: int) -> None:
        self._host = host
        self._user = user
        self._session = FreeSession(number, host.description, self._between, seed)
        self._run = SessionRun(host, self._session)
        self._specs = host.description.commands
        schemas = {name: spec.flat_schema() for name, spec in self._specs.items()}
        self._calls = user.calls(schemas, ROUNDS)
        self._tracks = host.description.tracks
        self._answers: list[str] = []
        self._refused: list[str] = []
        self._unheld = False
        self._lock = threading.Lock()
        """Guards the steps: one at a time, whoever takes it."""

    def run(self) -> dict[str, Any]:
        self._session.connected = True
        self._run.begin()
        self._show(0)
        began = WALL.time()
        ended = self._run.play()
        self._push(ended, began)
        try:
            outcome = self._run.finish(ended, STOP_S)
        except TimeoutError:
            raise TimeoutError(f"start_session() did not return {STOP_S:g} s after the stop") from None
        return self._told(outcome.error, WALL.time() - began)

    def _push(self, ended: Future[Any], began: float) -> None:
        """See that the session goes on, and ends."""
        steps = -1
        while not ended.done() and not self._session.timeline.stopping.wait(PUSH_S):
            if WALL.time() - began > SESSION_S:
                return
            if self._session.steps == steps:
                self._session.advance()
            steps = self._session.steps

    def _between(self, number: int) -> None:
        """Between two steps: show the next pictures, then carry out the commands that are due."""
        if threading.get_ident() in (self._host.commands.thread.ident, self._host.feed.thread.ident):
            return  # a handler that emits cannot be held for another one
        with self._lock:
            if number >= STEPS:
                self._session.stop()
                return
            self._show(number)
            for call in [call for call in self._calls if call.at == number]:
                self._send(call)

    def _show(self, number: int) -> None:
        for name, track in self._tracks.items():
            if track.direction is not TrackDirection.IN:
                continue
            if track.kind is TrackKind.VIDEO:
                self._host.media(self._session, name, self._user.camera(number))
            else:
                rate, channels = int(track.rate), track.channels
                self._host.sound(
                    self._session, name, self._user.sound(number, rate, channels), rate, self._user
                )
        if self._session.timeline.entered.is_set():
            self._host.feed.wait_idle(COMMAND_S)

    def _send(self, call: Call) -> None:
        answered = threading.Event()

        def answer(outcome: CommandOutcome) -> None:
            if outcome.error is not None:
                self._refused.append(f"{call.name}: {outcome.error.code}")
            else:
                self._answers.append(f"{call.name}: {outcome.result}")
            answered.set()

        arguments = _with_uploads(call.arguments, self._upload)
        self._run.command(call.name, arguments, answer)
        # A handler that waits for the model's own event loop cannot be answered while that is held.
        patience = 0.05 if self._unheld else COMMAND_S
        if inspect.iscoroutinefunction(self._host.model_class.start_session):
            patience = min(patience, 0.5)
        self._unheld = not answered.wait(patience) or self._unheld

    def _upload(self, file: MadeFile) -> dict[str, Any]:
        uploads = self._session.uploads
        upload = uploads.announce(file.name, len(file.data), file.mime_type)
        incoming = uploads.open(upload.id)
        incoming.write(file.data)
        incoming.finish()
        return {"upload_id": upload.id, "name": file.name}

    def _told(self, error: BaseException | None, seconds: float) -> dict[str, Any]:
        report = self._host.audit.last
        shown = self._session.shown
        return {
            "user": self._user.name,
            "steps": self._session.steps,
            "seconds": round(seconds, 3),
            "error": None if error is None else f"{type(error).__name__}: {error}",
            "frames": {
                name: [[sum_, base64.b64encode(small).decode()] for sum_, small in frames]
                for name, frames in shown.frames.items()
            },
            "messages": shown.messages,
            "answers": self._answers,
            "refused": self._refused,
            "held": not self._unheld,
            "report": None if report is None else report.to_json(),
            "newcomers": {}
            if report is None
            else {path: digest_of(made).hex()[:16] for path, made in report.newcomers},
            "where": {}
            if report is None
            else {path: self._host.audit.where(path) for path, _ in report.newcomers},
        }


def _with_uploads(value: Any, upload: Callable[[MadeFile], Any]) -> Any:
    if isinstance(value, MadeFile):
        return upload(value)
    if isinstance(value, dict):
        return {key: _with_uploads(each, upload) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_uploads(each, upload) for each in value]
    return value
