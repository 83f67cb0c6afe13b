"""Which picture and which sound a model gave together."""

from __future__ import annotations

import threading

from .audio_queue import Picture


class Steps:
    """Which picture the next sound belongs to.

    A step is what one thread emits, pictures and sound; whichever kind came first in the session begins it.
    Sound of another thread, such as an echo in `on_media`, belongs to no picture. Not thread-safe.
    """

    def __init__(self) -> None:
        self._sound_first: int | None = None
        """The thread that emitted sound before any picture."""
        self._thread: int | None = None
        self._leads = False
        """Whether sound begins a step."""
        self._step: tuple[Picture, int, int | None] | None = None
        self._sounded = False
        self._sounded_before = False
        self.together = False
        """Whether any sound has belonged to a picture."""
        self.regular = False
        """Whether the last two steps had sound: then the next one is taken to have some too."""

    def picture_emitted(self, picture: Picture, count: int, bucket: int | None) -> None:
        thread = threading.get_ident()
        if self._thread is None:
            self._thread = thread
            self._leads = self._sound_first == thread
        if bucket is not None or thread == self._thread:
            self._step = (picture, count, bucket)
            self.regular = self._sounded and self._sounded_before
            self._sounded, self._sounded_before = False, self._sounded

    def picture_of_sound(self, bucket: int | None) -> Picture | None:
        thread = threading.get_ident()
        if self._step is None:
            self._sound_first = self._sound_first or thread
            return None
        (name, first), count, number = self._step
        if bucket is None and thread != self._thread:
            return None
        self._sounded = self.together = True
        if bucket is not None:
            return (name, first if bucket == number else first + count)
        return (name, first + count if self._leads else first)
