"""What is said when a model cannot be loaded."""

from __future__ import annotations

import logging
import traceback

from reactor_runtime.authoring.lines import authors, source, where
from reactor_runtime.errors import ReactorError, WeightsError
from reactor_runtime.loglines import Block, escaped, escaped_lines

log = logging.getLogger(__name__)


def explain(error: BaseException) -> str:
    """Log why, and return it in a sentence."""
    why = str(error) if isinstance(error, ReactorError) else f"{type(error).__name__}: {error}"
    # Of missing weights we say on several lines where we looked and what to do.
    ours = isinstance(error, WeightsError) or isinstance(error.__cause__, WeightsError)
    shown = Block(escaped_lines(why)) if ours else why
    log.error("The model could not be loaded: %s%s", shown, Block(_authors_lines(error)))
    log.debug("The whole traceback:", exc_info=error.__cause__ or error)
    return why


def _authors_lines(error: BaseException) -> str:
    """Where the author's code was when loading failed, a line each; `-v` shows the whole traceback."""
    own = authors(traceback.extract_tb((error.__cause__ or error).__traceback__))
    return "".join(f"\n  {where(frame)}: {escaped(source(frame))}" for frame in own)
