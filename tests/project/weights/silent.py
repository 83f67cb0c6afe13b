"""Progress that nobody is told of."""

from __future__ import annotations


class Silent:
    """For nobody."""

    def begin(self, name: str, total: int | None, done: int, files: int) -> None:
        pass

    def advance(self, path: str, size: int) -> None:
        pass

    def file_done(self, path: str, size: int) -> None:
        pass

    def say(self, sentence: str) -> None:
        pass

    def end(self) -> None:
        pass
