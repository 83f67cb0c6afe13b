"""What is told about one thing that a session left behind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """`before` and `now` are words for a person; `since` is the session after which `before` was true, 0 for
    before the first. `where` is the author's line, as `model.py:31`, or empty."""

    path: str
    before: str
    now: str
    since: int = 0
    where: str = ""
    advice: str = ""

    @property
    def sentence(self) -> str:
        """One line for a log and a terminal; the values in it are for the author alone."""
        since = "before the first session" if not self.since else f"after session {self.since}"
        place = f" ({self.where})" if self.where else ""
        return f"{self.path} was {self.before} {since} and is {self.now} now{place}. {self.advice}".rstrip()

    def public(self) -> dict[str, Any]:
        """Without the values: what one user typed is not for the next one who asks the server."""
        return {"path": self.path, "where": self.where}

    def to_json(self) -> dict[str, Any]:
        """For the certificate, whose users are made up."""
        return {
            "path": self.path,
            "before": self.before,
            "now": self.now,
            "since_session": self.since,
            "where": self.where,
            "sentence": self.sentence,
        }


def advice_for(path: str) -> str:
    """What to do about a value that stayed. Paths of the model are written as `keep` wants them."""
    kept = path.removeprefix("self.")
    head, bracket, key = kept.partition("[")
    if bracket and not _PLAIN_KEY.fullmatch(key):
        kept = head  # what a client typed is not written into a program
    return f'Set it back in reset(), or say that it may stay: @model(keep=["{kept}"]).'


_PLAIN_KEY = re.compile(r"(?:\w+|'[\w.-]{1,32}')\](?:[.(\[].*)?")
