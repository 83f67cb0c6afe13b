"""Who watches a session without taking part in it.

An observer is told on a thread of its own, or in whatever way whoever adds it gives: it cannot hold up the
model, a frame or a client, and it is no listener for whom anything is encoded.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reactor_runtime.media.encoders import EncodedFrame

    from .outcome import CommandOutcome, ModelOutcome
    from .session import Session

log = logging.getLogger(__name__)

WAITING_LIMIT = 512
"""Frames, sounds, messages and commands that may wait for one observer; one more is not told, and counted."""


class SessionObserver:
    """Inherit from it, and write the methods that are wanted; nothing is collected for the others.

    `started` comes first and `closing` last. What raises is logged once, and the session goes on.
    """

    def started(self, session: Session) -> None:
        """A session waits for its client."""

    def command_applied(self, name: str, outcome: CommandOutcome) -> None:
        """A command was carried out, or refused by the model; `outcome.frame` is the first frame after it."""

    def frame_encoded(self, track: str, frame: EncodedFrame) -> None:
        """A frame goes to those who take the track in this codec."""

    def audio_block(self, track: str, pcm: bytes, rate: int, channels: int, at: float) -> None:
        """Interleaved int16 goes to those who listen; `at` is when, on the session's clock."""

    def message_sent(self, text: str) -> None:
        """The model said something: JSON."""

    def model_ended(self, outcome: ModelOutcome) -> None:
        """`start_session` and `reset` are over, and the audit with them."""

    def closing(self, reason: str) -> None:
        """Nothing of the session is left; `reason` is empty where the process ends with it."""


Call = Callable[..., None]
Deliver = Callable[..., None]
"""Calls `deliver(function, *arguments)` later, in order, on the thread where an observer lives."""

LIFE = ("started", "model_ended", "closing")
"""What every observer is told, however far it is behind."""
TOLD = (*LIFE, "command_applied", "frame_encoded", "audio_block", "message_sent")


class Inbox:
    """The thread of one observer, and what waits for it."""

    def __init__(self) -> None:
        self.untold = 0
        self._waiting: deque[tuple[Call, tuple[Any, ...]]] = deque()
        self._changed = threading.Condition()
        """Guards what waits and `_ending`. Nothing is called while it is held."""
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="reactor-observer", daemon=True)
        self._thread.start()

    def __call__(self, function: Call, *arguments: object) -> None:
        """Queue a call; never waits for the observer."""
        with self._changed:
            if len(self._waiting) >= WAITING_LIMIT and function.__name__ not in LIFE:
                self.untold += 1
                return
            self._waiting.append((function, arguments))
            self._changed.notify()

    def end(self) -> None:
        """End the thread once everything was told."""
        with self._changed:
            self._ending = True
            self._changed.notify()

    def join(self, timeout: float) -> bool:
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        told: set[str] = set()
        while True:
            with self._changed:
                while not self._waiting and not self._ending:
                    self._changed.wait()
                if not self._waiting:
                    return
                function, arguments = self._waiting.popleft()
            _tell(function, arguments, told)
            del function, arguments


class Observers:
    """All observers of one session; each of its attributes tells whoever wants to know, or is None."""

    def __init__(self, observers: Iterable[SessionObserver | tuple[SessionObserver, Deliver]] = ()) -> None:
        """An observer alone gets a thread; with a `deliver` it is told through that."""
        self._inboxes: list[Inbox] = []
        self._wanting: dict[str, list[tuple[Deliver, Call]]] = {event: [] for event in TOLD}
        for each in observers:
            observer, deliver = each if isinstance(each, tuple) else (each, self._inbox())
            for event in TOLD:
                if getattr(type(observer), event) is not getattr(SessionObserver, event):
                    self._wanting[event].append((deliver, getattr(observer, event)))

    def teller(self, event: str) -> Call | None:
        """What tells of `event`; None when nobody wants to know, so that nothing is done for nobody."""
        wanting = tuple(self._wanting[event])
        if not wanting:
            return None

        def tell(*arguments: object) -> None:
            for deliver, function in wanting:
                deliver(function, *arguments)

        return tell

    def tell(self, event: str, *arguments: object) -> None:
        """For what happens seldom."""
        for deliver, function in self._wanting[event]:
            deliver(function, *arguments)

    @property
    def untold(self) -> int:
        """How often an observer was too far behind to be told."""
        return sum(inbox.untold for inbox in self._inboxes)

    def end(self) -> None:
        """Nothing more is told; threads end when they have told what waits."""
        for inbox in self._inboxes:
            inbox.end()

    def join(self, timeout: float) -> bool:
        """Wait until everything was told; False when an observer needs longer. For who may wait."""
        return all(inbox.join(timeout) for inbox in self._inboxes)

    def _inbox(self) -> Inbox:
        self._inboxes.append(Inbox())
        return self._inboxes[-1]


def _tell(function: Call, arguments: tuple[Any, ...], told: set[str]) -> None:
    try:
        function(*arguments)
    except Exception:
        if function.__name__ not in told:
            told.add(function.__name__)
            log.exception("An observer failed in %s(); the session goes on", function.__qualname__)


NOBODY = Observers()
