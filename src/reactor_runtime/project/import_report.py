"""Telling an author why one of their files could not be imported: their own lines, nobody else's."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ImportFailure:
    file: Path
    error: BaseException

    def summary(self) -> str:
        """One line: what was raised."""
        if isinstance(self.error, SystemExit):
            return f"the file ended the program: SystemExit({self.error.code!r})"
        if isinstance(self.error, SyntaxError):
            return f"{type(self.error).__name__}: {self.error.msg}"
        return self._message()[0]

    def report(self, folder: Path) -> str:
        """The summary, the author's lines down to the one that failed, and the rest of the message."""
        lines = [f"  {self.file.name}: {self.summary()}"]
        lines += [f"    {where}: {source}" for where, source in self._frames(folder)]
        if not isinstance(self.error, SyntaxError | SystemExit):
            lines += [f"    {line}" for line in self._message()[1:]]
        return "\n".join(lines)

    def _message(self) -> list[str]:
        return "".join(traceback.format_exception_only(self.error)).splitlines()

    def _frames(self, folder: Path) -> list[tuple[str, str]]:
        frames = [
            (_where(frame.filename, frame.lineno, folder), frame.line or "")
            for frame in traceback.extract_tb(self.error.__traceback__)
            if _is_the_authors(frame.filename, folder)
        ]
        if isinstance(self.error, SyntaxError) and self.error.filename:
            text = (self.error.text or "").strip()
            frames.append((_where(self.error.filename, self.error.lineno, folder), text))
        return frames


def _is_the_authors(filename: str, folder: Path) -> bool:
    path = Path(filename)
    return path.is_absolute() and path.is_relative_to(folder) and "site-packages" not in path.parts


def _where(filename: str, line: int | None, folder: Path) -> str:
    path = Path(filename)
    return f"{path.relative_to(folder) if path.is_relative_to(folder) else path}:{line}"
