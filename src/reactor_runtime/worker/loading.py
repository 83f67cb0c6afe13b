"""What is said when a model cannot be loaded."""

from __future__ import annotations

import logging
import traceback

from reactor_runtime.authoring.lines import authors, source, where
from reactor_runtime.errors import ReactorError
from reactor_runtime.loglines import Block, escaped

log = logging.getLogger(__name__)


def explain(error: BaseException) -> str:
    """Log why, and return it in a sentence."""
    why = str(error) if isinstance(error, ReactorError) else f"{type(error).__name__}: {error}"
    log.error("The model could not be loaded: %s%s", why, Block(_authors_lines(error)))
    log.debug("The whole traceback:", exc_info=error.__cause__ or error)
    return why


def _authors_lines(error: BaseException) -> str:
    """Where the author's code was when loading failed, a line each; `-v` shows the whole traceback."""
    own = authors(traceback.extract_tb((error.__cause__ or error).__traceback__))
    return "".join(f"\n  {where(frame)}: {escaped(source(frame))}" for frame in own)
