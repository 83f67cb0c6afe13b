"""What an operator sets about one worker."""

from __future__ import annotations

from dataclasses import dataclass

from reactor_runtime.clients.options import ClientOptions
from reactor_runtime.project import environment
from reactor_runtime.settings import setting

DEFAULT_STUCK_WARNING_S = 5.0


@dataclass(frozen=True)
class WorkerOptions(ClientOptions):
    """Options of one slot. Times are in seconds; 0 turns a limit off."""

    orphan_timeout: float = setting(
        30.0,
        "How long a session waits for a client that left; 0 for ever.",
        variable=environment.ORPHAN_TIMEOUT,
        unit="s",
    )
    max_session_duration: float = setting(
        0.0,
        "When a session ends at the latest.",
        variable=environment.MAX_SESSION_DURATION,
        unit="s",
        none="no limit",
    )
    stuck_warning: float = DEFAULT_STUCK_WARNING_S
    kill_timeout: float = setting(
        60.0,
        "How long a stopped session may keep the model busy before the process ends; 0 for ever.",
        unit="s",
    )
    max_upload: int = setting(
        100,
        "The largest file a client may send, for commands that take one; 0 takes none.",
        unit="MiB",
        form="MIB",
    )
    audit: str = setting(
        "warn",
        "Tell what a session leaves to the next one; strict also builds the model again before it.",
        choices=("off", "warn", "strict"),
    )
    """See `session.audit.observer.AuditMode`."""
    on_reset_error: str = setting(
        "rebuild",
        "After a reset() that raised: build the model again before the next user, or end with status 1.",
        choices=("rebuild", "exit"),
    )
    encoder: str = setting(
        "auto",
        "What makes H.264; vp8 makes none. auto is x264.",
        choices=("auto", "x264", "nvenc", "vp8"),
    )
    """See `media.encoders.EncoderChoice`."""

    seed: int | None = setting(
        None, "Of every session that brings none.", most=2**32 - 1, form="N", none="drawn for each"
    )

    @property
    def private_ids(self) -> bool:
        """Whether a session's id is to be one that nobody can guess."""
        return False

    @property
    def in_fleet(self) -> bool:
        """Whether who asks is a fleet's gateway or engine, with rights of its own, for clients that may have
        less."""
        return False
