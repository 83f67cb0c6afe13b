"""One sentence of the doctor's."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    NOTE = "note"
    """Worth knowing; nothing is wrong."""
    PROBLEM = "problem"
    """Somebody will not be able to play. Any of these is exit status 1."""


@dataclass(frozen=True)
class Finding:
    check: str
    """A stable word for programs: `port`, `addresses`, `udp`, `rung_tcp`, …"""
    level: Level
    sentence: str
    """What is so, and what to do about it."""

    def to_json(self) -> dict[str, str]:
        return asdict(self)


def ok(check: str, sentence: str) -> Finding:
    return Finding(check, Level.OK, sentence)


def note(check: str, sentence: str) -> Finding:
    return Finding(check, Level.NOTE, sentence)


def problem(check: str, sentence: str) -> Finding:
    return Finding(check, Level.PROBLEM, sentence)
