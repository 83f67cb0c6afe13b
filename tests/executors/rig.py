"""A model host with sessions, but without wires: what a runtime does between `begin` and `detach`."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from reactor_runtime import VideoModel
from reactor_runtime.clock import WALL, Clock
from reactor_runtime.executors.port import CommandOutcome, ModelOutcome
from reactor_runtime.executors.thread.executor import ThreadExecutor
from reactor_runtime.session.observers import NOBODY, Observers
from reactor_runtime.session.run import SessionRun
from reactor_runtime.session.session import Session

WITHIN = 30.0


class Weights:
    def path(self, name: str) -> Path:
        return Path("/weights") / name


class Rig:
    def __init__(self, cls: type[VideoModel], config: dict[str, Any]) -> None:
        self.host = ThreadExecutor(cls, OmegaConf.create(config), Weights())
        self.cls = cls
        self.number = 0
        self.runs: dict[Session, SessionRun] = {}

    def load(self) -> None:
        self.host.load().result(WITHIN)

    def begin(self, observers: Observers = NOBODY, clock: Clock = WALL) -> Session:
        self.number += 1
        session = Session(
            self.number,
            f"s{self.number}",
            self.host.description,
            lambda _: None,
            observers=observers,
            clock=clock,
        )
        self.runs[session] = SessionRun(self.host, session)
        self.runs[session].begin()
        return session

    def run(self, session: Session) -> Future[ModelOutcome]:
        return self.runs[session].play()

    def end(self, session: Session) -> None:
        self.runs[session].close()

    def visit(self) -> ModelOutcome:
        """A whole session of a model that returns by itself."""
        session = self.begin()
        ended = self.run(session)
        ended.result(WITHIN)
        return self.runs[session].finish(ended, WITHIN)

    def command(self, session: Session, name: str, /, **arguments: Any) -> Future[CommandOutcome]:
        future: Future[CommandOutcome] = Future()
        self.runs[session].command(name, arguments, future.set_result)
        return future

    def ask(self, session: Session, name: str, /, **arguments: Any) -> Any:
        """The result of a command; raises what it was refused with."""
        outcome = self.command(session, name, **arguments).result(WITHIN)
        if outcome.error is not None:
            raise outcome.error
        return None if outcome.result is None else json.loads(outcome.result)

    @staticmethod
    def said(session: Session) -> list[Any]:
        return [json.loads(text) for text in session.outbox.take()]


@contextmanager
def rig(cls: type[VideoModel], load: bool = True, **config: Any) -> Iterator[Rig]:
    made = Rig(cls, config)
    try:
        if load:
            made.load()
        yield made
    finally:
        for session in list(made.runs):
            made.end(session)
        made.host.close()


def this_thread() -> str:
    return threading.current_thread().name
