"""What an operator sets about one worker."""

from __future__ import annotations

from dataclasses import dataclass

from reactor_runtime.clients.options import ClientOptions

DEFAULT_ORPHAN_TIMEOUT_S = 30.0
DEFAULT_STUCK_WARNING_S = 5.0
DEFAULT_KILL_TIMEOUT_S = 60.0
DEFAULT_MAX_UPLOAD_MIB = 100


@dataclass(frozen=True)
class WorkerOptions(ClientOptions):
    """Options of one slot. Times are in seconds; 0 turns a limit off."""

    orphan_timeout: float = DEFAULT_ORPHAN_TIMEOUT_S
    max_session_duration: float = 0.0
    stuck_warning: float = DEFAULT_STUCK_WARNING_S
    kill_timeout: float = DEFAULT_KILL_TIMEOUT_S
    max_upload: int = DEFAULT_MAX_UPLOAD_MIB
    """MiB of one file; 0 means that no file is taken."""
    audit: str = "warn"
    """What follows when a session leaves something to the next; see `session.audit.observer.AuditMode`."""
    on_reset_error: str = "rebuild"
    """After a `reset` that raised: "rebuild" the model before the next user, or "exit" with status 1."""
    encoder: str = "auto"
    """Which H.264 encoder serves; see `media.encoders.EncoderChoice`."""

    seed: int | None = None
    """Of every session that brings none; None draws one for each."""

    @property
    def private_ids(self) -> bool:
        """Whether a session's id is to be one that nobody can guess."""
        return False
