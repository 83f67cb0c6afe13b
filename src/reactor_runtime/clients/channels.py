"""What a client is told that cannot be talked to. Pure."""

from __future__ import annotations

from dataclasses import dataclass

CHANNEL_WAIT_S = 3.0
"""How long a connected client may take to open its channel `data`; then pictures begin without."""


@dataclass(frozen=True)
class Notice:
    """A stable word, and a sentence for a person. Nothing in it is the client's own text."""

    code: str
    detail: str

    def to_json(self) -> dict[str, str]:
        return {"code": self.code, "detail": self.detail}


_VIEWS = "This client looks on: it gets pictures and sound, no messages, and cannot send commands."

NO_CHANNEL = Notice(
    "no_channel", f"The offer has no data channel. {_VIEWS} Create one named 'data' before the offer."
)
WRONG_CHANNEL = Notice(
    "wrong_channel",
    f"None of this client's data channels is named 'data'. {_VIEWS} Name the channel 'data'.",
)
CHANNEL_NOT_OPEN = Notice(
    "channel_not_open",
    f"The server saw no data channel open within {CHANNEL_WAIT_S:g} s. {_VIEWS} Create one named 'data', "
    "without `negotiated: true`.",
)


def notice(offered: bool, opened: bool) -> Notice:
    """Why a client without a channel `data` cannot be talked to: `opened` says that it has others."""
    if not offered:
        return NO_CHANNEL
    return WRONG_CHANNEL if opened else CHANNEL_NOT_OPEN
