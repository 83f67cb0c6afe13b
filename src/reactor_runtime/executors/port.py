"""The port that everything stands behind that runs author code.

What is outside reads a model only through its `ModelDescription`: whoever carries out a session need not know
whether the class lives on threads of this process or elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from reactor_runtime.session.outcome import Answer, CommandOutcome, ModelOutcome

if TYPE_CHECKING:
    from concurrent.futures import Future

    import numpy as np
    from numpy.typing import NDArray

    from reactor_runtime.authoring.description import ModelDescription
    from reactor_runtime.authoring.progress import LoadProgress
    from reactor_runtime.session.audit.observer import SessionAudit
    from reactor_runtime.session.causes import Causes
    from reactor_runtime.session.session import Session

__all__ = ["Answer", "CommandOutcome", "Executor", "ModelOutcome"]


class Executor(Protocol):
    """Builds one model and plays its sessions, one after the other. No method blocks its caller.

    Futures are filled on a thread of the executor's. Sessions are told apart by identity: what comes for
    another one than that which was begun last is dropped, or refused with `NoSessionError`.
    """

    @property
    def description(self) -> ModelDescription: ...

    @property
    def progress(self) -> LoadProgress:
        """How far loading is."""

    @property
    def causes(self) -> Causes:
        """Why author code failed."""

    @property
    def audit(self) -> SessionAudit: ...

    def load(self) -> Future[None]:
        """Build the model, or build it anew between two sessions. The future raises `ModelLoadError`."""

    def begin(self, session: Session) -> None:
        """Attach a session before its model runs, so that early commands and frames find it."""

    def run(self, session: Session) -> Future[ModelOutcome]:
        """Run `start_session` to its end, then `reset`."""

    def detach(self, session: Session) -> None:
        """Forget a session; what the author kept of it stops working. Twice is once."""

    def command(self, session: Session, name: str, arguments: Any, answer: Answer) -> None:
        """Queue a command; `answer` is called exactly once, on any thread. Raises `NoSessionError`."""

    def media(self, session: Session, name: str, data: NDArray[np.uint8]) -> None:
        """A frame ``(H, W, 3)`` uint8 RGB of the client. Engine threads."""

    def sound(self, session: Session, name: str, block: NDArray[np.int16], rate: int, source: object) -> None:
        """A block ``(channels, M)`` int16 of the client `source`. Engine threads."""

    def stacks(self) -> str:
        """Where the author's code is, for a log; empty when it is nowhere."""

    def close(self) -> None:
        """Let go of the model. Nothing is called afterwards."""
