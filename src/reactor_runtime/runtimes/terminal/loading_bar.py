"""How far loading is, on a terminal: one line that is drawn again below what the log and the author print."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

from reactor_runtime.clock import WALL
from reactor_runtime.loglines import escaped
from reactor_runtime.process import terminal
from reactor_runtime.session.states import State

if TYPE_CHECKING:
    from reactor_runtime.authoring.progress import Progress
    from reactor_runtime.worker.worker import Worker

DRAW_S = 0.2
BAR_CHARS = 20
AT_ONCE_S = 0.5
"""A model that loads faster than this needs no bar."""


async def show_loading(worker: Worker) -> None:
    """Until the model is there, or will not be. Nothing where stderr is no terminal."""
    if not terminal.is_one():
        return
    began = WALL.time()
    try:
        with terminal.below_all():
            while worker.life.state is State.CREATED and worker.standing.load_error is None:
                seconds = WALL.time() - began
                if seconds > AT_ONCE_S:
                    terminal.draw(line(worker.executor.progress.now, seconds))
                await asyncio.sleep(DRAW_S)
    finally:
        terminal.clear()


def line(progress: Progress, seconds: float) -> str:
    """``Loading  ████░░░░  40%  12 s  unet``, as wide as the terminal at most."""
    share = progress.share
    bar = "" if share is None else f"{'█' * round(share * BAR_CHARS):░<{BAR_CHARS}} {share:4.0%}  "
    text = f"Loading  {bar}{seconds:.0f} s  {escaped(progress.message)}"
    return text[: shutil.get_terminal_size().columns - 1]
