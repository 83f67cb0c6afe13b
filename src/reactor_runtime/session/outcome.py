"""What came of a command, and of a whole visit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reactor_runtime.errors import CommandError

    from .audit.audit import Report


@dataclass(frozen=True)
class CommandOutcome:
    """What the client is told: `result` is JSON text, or None when the handler returned nothing."""

    frame: int
    result: str | None = None
    error: CommandError | None = None
    superseded: bool = False
    """A newer call of this state took its place before it ran; a success."""


Answer = Callable[[CommandOutcome], None]


@dataclass(frozen=True)
class ModelOutcome:
    """How a visit ended: `error` is what `start_session` raised, `reset_error` what `reset` did.

    `unstopped` names what the author started and the end did not stop.
    """

    error: BaseException | None = None
    reset_error: BaseException | None = None
    unstopped: tuple[str, ...] = ()
    reference: str = ""
    """Of `error`, in the log and in `Executor.causes`."""
    report: Report | None = field(default=None, compare=False)
    """What the leak audit found; None where nobody looked."""
    leak_forbids: bool = False
    """Whether what was found forbids another session on this model."""

    @property
    def must_rebuild(self) -> bool:
        """The model may hold state of its user: no session before it was built again."""
        return self.reset_error is not None or self.leak_forbids
