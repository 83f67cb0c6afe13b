"""Everything this package raises on purpose.

::

    ReactorError                      what happened, where, and the next action; `.code` is stable
    ├── ModelDefinitionError          the class is not a model yet          (also a TypeError)
    ├── ProjectError                  the author's folder; the CLI exits with 1
    │   ├── ModelNotFoundError        no @model class in the project
    │   ├── SeveralModelsError        more than one
    │   ├── ConfigError               a YAML file or an override
    │   └── WeightsError              a weights folder                      (also a LookupError)
    ├── ModelLoadError                __init__ or warmup raised
    ├── NoSessionError                get_ctx() outside a session           (also a RuntimeError)
    ├── TrackError                    a track that is not there, or used the wrong way (also a RuntimeError)
    │   └── TrackDirectionError       emit() on an input, read() on an output (also a TypeError)
    ├── FrameError                    emit() got something that is no frame (also a ValueError)
    ├── MessageError                  send() got something that cannot leave (also a ValueError)
    ├── ProfilerError                 a timer used out of order             (also a RuntimeError)
    ├── ProgressError                 progress() got something that is no share (also a ValueError)
    ├── CommandError                  a command is refused; authors raise it too
    │   ├── UnknownCommandError
    │   ├── InvalidCommandError       `.field` names the argument
    │   ├── RateLimitedError
    │   └── InternalCommandError      the handler crashed; carries no exception text
    ├── RefusedError                  what a client asks for is refused; `.kind` says in which way
    ├── FleetError                    a ticket, a worker or a lease of a fleet is refused
    └── EngineError                   the media engine or an encoder failed
        └── EncoderUnavailableError   the encoder that was asked for is not on this machine

Codes are strings that never change; clients and scripts may match on them. Sentences may change.
"""

from __future__ import annotations

from enum import Enum, StrEnum


class ReactorError(Exception):
    """Base of the tree. `str(error)` is one or more complete sentences for a person."""

    code = "reactor_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ModelDefinitionError(ReactorError, TypeError):
    """Raised while a class body or a decorator runs, so that the author's own line is in the traceback."""

    code = "model_definition"


class ProjectError(ReactorError):
    """The author's folder cannot be used as it is."""

    code = "project"


class ModelNotFoundError(ProjectError):
    code = "model_not_found"


class SeveralModelsError(ProjectError):
    code = "several_models"


class ConfigError(ProjectError):
    code = "config"


class WeightsError(ProjectError, LookupError):
    code = "weights"


class ModelLoadError(ReactorError):
    """`__init__` or `warmup` raised; `__cause__` is the author's exception."""

    code = "model_load_failed"


class NoSessionError(ReactorError, RuntimeError):
    code = "no_session"


class TrackError(ReactorError, RuntimeError):
    code = "track"


class TrackDirectionError(TrackError, TypeError):
    code = "track_direction"


class FrameError(ReactorError, ValueError):
    code = "frame"


class MessageError(ReactorError, ValueError):
    code = "message"


class ProfilerError(ReactorError, RuntimeError):
    code = "profiler"


class ProgressError(ReactorError, ValueError):
    code = "progress"


CODE_LIMIT = 128
"""Characters of a command's error code."""


class CommandError(ReactorError):
    """A typed refusal of a command.

    Authors raise it in a handler: ``raise CommandError("too_fast", "The car is already at full speed.")``.
    The client receives both strings and nothing else.
    """

    code = "command_refused"

    def __init__(self, code: object, message: object, *, field: object = None) -> None:
        """Authors give what they have at hand, an `IntEnum` or a status; every wire carries text."""
        super().__init__(_text(message))
        self.code = CommandError.code if code is None else _text(code)[:CODE_LIMIT]
        self.field = None if field is None else _text(field)


class UnknownCommandError(CommandError):
    def __init__(self, message: str) -> None:
        super().__init__("unknown_command", message)


class InvalidCommandError(CommandError):
    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__("invalid_command", message, field=field)


class RateLimitedError(CommandError):
    def __init__(self, message: str) -> None:
        super().__init__("rate_limited", message)


class InternalCommandError(CommandError):
    def __init__(
        self, message: str = "The model could not run this command.", reference: str | None = None
    ) -> None:
        """`reference` stands in the log too, beside the exception's own words."""
        told = message if reference is None else f"{message.removesuffix('.')} (reference {reference})."
        super().__init__("internal_error", told)


class Refusal(StrEnum):
    """In which way something is refused; each wire says it in its own terms, HTTP as a status."""

    INVALID = "invalid"
    """What came is malformed, or names what there is not."""
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    TIMED_OUT = "timed_out"
    """The rest of what was begun did not come."""
    CONFLICT = "conflict"
    """The present state does not allow it."""
    TOO_LARGE = "too_large"
    RATE_LIMITED = "rate_limited"
    """This client asks too often."""
    BUSY = "busy"
    """Every place is taken; one may become free."""
    UNAVAILABLE = "unavailable"
    """Nobody is served now: loading, failing or leaving."""


class RefusedError(ReactorError):
    """What a client asks for is refused: the kind, a stable `code` and a sentence."""

    def __init__(self, kind: Refusal, code: str, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code
        self.retry_after = retry_after
        """Seconds after which asking again is worth it."""
        self.ends_connection = False
        """Whether the rest of what is being sent is not wanted."""


class FleetError(ReactorError):
    """A refusal of the broker; `code` says which."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class EngineError(ReactorError):
    code = "engine"


class EncoderUnavailableError(EngineError):
    code = "encoder_unavailable"


def _text(value: object) -> str:
    """`value` as text; that of its value, for a member of an `Enum`."""
    try:
        return str(value.value if isinstance(value, Enum) else value)
    # An author's object may raise anything when it is to become text; the client is answered all the same.
    except Exception:  # noqa: BLE001  # as said above
        return type(value).__name__
