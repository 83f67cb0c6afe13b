"""Which lines of a stack are the author's: not ours, not Python's, not those of installed packages."""

from __future__ import annotations

import linecache
import sysconfig
import traceback
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from types import FrameType

_PACKAGE = Path(__file__).resolve().parents[1]


@cache
def _is_authors(filename: str) -> bool:
    if filename.startswith("<"):
        return False
    path = Path(filename).resolve()
    return "site-packages" not in path.parts and not any(path.is_relative_to(root) for root in _roots())


@cache
def _roots() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    named = (paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    return (_PACKAGE, *(Path(path).resolve() for path in named))


def authors(frames: Iterable[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    """The author's own frames, outermost first; a model that is an installed package has none."""
    return [frame for frame in frames if _is_authors(frame.filename)]


def stack_of(frame: FrameType) -> list[traceback.FrameSummary]:
    """Outermost first."""
    return list(traceback.extract_stack(frame))


def where(frame: traceback.FrameSummary) -> str:
    """``/home/ada/model.py:31 in step``"""
    return f"{frame.filename}:{frame.lineno} in {frame.name}"


def source(frame: traceback.FrameSummary) -> str:
    return frame.line or linecache.getline(frame.filename, frame.lineno or 0).strip()


def told(frames: Sequence[traceback.FrameSummary], limit: int) -> list[str]:
    """A stack in at most `limit` lines: the author's own line first, then how it was come to, then what it
    waits in."""
    own = authors(frames)
    if not own:
        return [f"at {where(frame)}" for frame in reversed(frames)][:limit]
    lines = [f"at {where(own[-1])}: {source(own[-1])}"]
    innermost = frames[-1]
    inside = [] if innermost is own[-1] else [f"  inside {where(innermost)}"]
    callers = [f"  called from {where(frame)}" for frame in reversed(own[:-1])]
    room = max(0, limit - len(lines) - len(inside))
    if len(callers) > room:
        callers = [*callers[: max(0, room - 1)], f"  … {len(callers) - room + 1} more"][:room]
    return [*lines, *inside, *callers][:limit]
