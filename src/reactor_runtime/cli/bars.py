"""How far a download is: one line that is drawn again on a terminal, a line for each file elsewhere."""

from __future__ import annotations

import shutil
import sys
import threading
import time

import click

from reactor_runtime.project.excerpt import shortened
from reactor_runtime.project.weights.disk import count_text, size_text

DRAW_S = 0.1
BAR_CHARS = 20
RATE_OVER_S = 5.0
"""Seconds that the shown rate looks back."""


class Bars:
    """On stderr."""

    def __init__(self, verb: str = "fetched") -> None:
        self._verb = verb
        self._terminal = sys.stderr.isatty()
        self._lock = threading.Lock()
        """Guards everything here: several threads tell of their progress. Nothing else is taken meanwhile."""
        self._name = ""
        self._total: int | None = None
        self._done = 0
        self._files = 0
        self._files_done = 0
        self._began = time.monotonic()
        self._drawn = 0.0
        self._marks: list[tuple[float, int]] = []
        self._first: dict[str, float] = {}

    def begin(self, name: str, total: int | None, done: int, files: int) -> None:
        with self._lock:
            self._name, self._total, self._done = name, total, done
            self._files, self._files_done = files, 0
            self._began = time.monotonic()
            self._marks = [(self._began, done)]
            self._first = {}
            whole = "of unknown size" if total is None else size_text(total)
            kept = f", {size_text(done)} are here already" if done else ""
            self._line(f"{name}: {count_text(files)}, {whole}{kept}")

    def advance(self, path: str, size: int) -> None:
        with self._lock:
            now = time.monotonic()
            self._first.setdefault(path, now)
            self._done += size
            if self._terminal and now - self._drawn >= DRAW_S:
                self._drawn = now
                self._draw(now)

    def file_done(self, path: str, size: int) -> None:
        with self._lock:
            self._files_done += 1
            if not self._terminal:
                seconds = max(time.monotonic() - self._first.get(path, self._began), 0.001)
                shown = shortened(path)
                self._line(f"{self._name}: {shown}  {size_text(size)}  {self._verb} in {_time(seconds)}")

    def say(self, sentence: str) -> None:
        with self._lock:
            self._line(sentence)

    def end(self) -> None:
        with self._lock:
            if self._terminal:
                self._draw(time.monotonic())
                click.echo(err=True)

    def _line(self, text: str) -> None:
        clear = "\r\x1b[K" if self._terminal else ""
        click.echo(f"{clear}{text}", err=True)

    def _draw(self, now: float) -> None:
        width = shutil.get_terminal_size().columns
        click.echo(f"\r\x1b[K{self._state(now)[: width - 1]}", nl=False, err=True)

    def _state(self, now: float) -> str:
        self._marks.append((now, self._done))
        while len(self._marks) > 2 and now - self._marks[0][0] > RATE_OVER_S:
            self._marks.pop(0)
        then, done = self._marks[0]
        rate = max(self._done - done, 0) / max(now - then, 0.001)
        files = f"  {self._files_done}/{self._files} files" if self._files > 1 else ""
        if not self._total:
            return f"{self._name}  {size_text(self._done)}  {size_text(rate)}/s{files}"
        share = min(self._done / self._total, 1.0)
        bar = "█" * round(share * BAR_CHARS)
        left = f"{_time((self._total - self._done) / rate)} left" if rate > 0 else "waiting"
        return (
            f"{self._name}  {bar:░<{BAR_CHARS}} {share:4.0%}  {size_text(self._done)} of "
            f"{size_text(self._total)}  {size_text(rate)}/s  {left}{files}"
        )


def _time(seconds: float) -> str:
    """``8 s``, ``1:05``, ``2:10:00``."""
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
