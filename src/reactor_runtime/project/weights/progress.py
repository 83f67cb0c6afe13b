"""Who wants to know how far a download is implements this; calls come from several threads."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    def begin(self, name: str, total: int | None, done: int, files: int) -> None:
        """`done` of `total` bytes are there from before; None where nobody knows the total."""
        ...

    def advance(self, path: str, size: int) -> None:
        """`size` more bytes of the file `path`; less than 0 where some must come again."""
        ...

    def file_done(self, path: str, size: int) -> None: ...

    def say(self, sentence: str) -> None:
        """Something that a person should know: waiting, a retry, a change."""
        ...

    def end(self) -> None: ...
