"""The data channels, and what goes over them whatever a client's way of writing."""

from __future__ import annotations

from dataclasses import dataclass

from .messages import CommandMessage, RuntimeMessage

DATA = "data"
CONTROL = "control"
WRONG_LABEL = 'Messages come on the channels "data" and "control".'


@dataclass(frozen=True)
class TrackMessage:
    """A client asks for something about one track: `publish_track`, `pause_track`, `resume_track`,
    `unpublish_track`. `id` is None when it wants no answer."""

    verb: str
    track: str
    id: str | None = None


@dataclass(frozen=True)
class Outgoing:
    """One message for a channel."""

    label: str
    data: bytes
    binary: bool = False


Inbound = CommandMessage | RuntimeMessage | TrackMessage
