"""Which model `VideoModel.weights(...)` and `VideoModel.progress(...)` mean: the one being built or run.

The call may be made on the base class, so the class it is called on does not say it. The runtime's threads
say it with a context variable; a thread that the author started means the only model of the process.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reactor_runtime.errors import WeightsError

from .spec import is_model, spec_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .ports import WeightsSource
    from .progress import LoadProgress, Progress


@dataclass(frozen=True)
class Binding:
    """A model class, the weights its decorator lists, where they are looked for, who hears its loading."""

    model_class: type
    listed: tuple[str, ...]
    source: WeightsSource
    progress: LoadProgress | None = None


_current: ContextVar[Binding | None] = ContextVar("reactor_runtime_binding", default=None)
_lock = threading.Lock()
"""Guards `_bound`. Nothing else is taken meanwhile."""
_bound: list[Binding] = []


@contextmanager
def bound(cls: type, weights: WeightsSource, progress: LoadProgress | None = None) -> Iterator[None]:
    """Inside, `VideoModel.weights(name)` means model class `cls` and looks in `weights`; while it loads,
    `progress` hears how far it is. May be nested."""
    binding = Binding(cls, spec_of(cls).weights if is_model(cls) else (), weights, progress)
    token = _current.set(binding)
    with _lock:
        _bound.append(binding)
    try:
        yield
    finally:
        with _lock:
            _bound.remove(binding)  # equal ones may be nested; it does not matter which of them goes
        _current.reset(token)


def weights_path(called_on: type, name: str) -> Path:
    """The folder of the weights `name`. Raises `WeightsError`."""
    binding = _find(called_on)
    if name not in binding.listed:
        listed = ", ".join(repr(each) for each in binding.listed) or "none"
        raise WeightsError(
            f"Weights {name!r} are not listed by {binding.model_class.__name__}; it lists: {listed}. "
            f"Add them to its decorator: @model(..., weights=[{name!r}])."
        )
    return binding.source.path(name)


def report_progress(called_on: type, progress: Progress) -> None:
    """Tell how far the loading of `called_on` is; outside of loading, and in tests, nobody hears it."""
    candidates = _candidates(called_on)
    if len(candidates) == 1 and candidates[0].progress is not None:
        candidates[0].progress.report(progress)


def _find(called_on: type) -> Binding:
    candidates = _candidates(called_on)
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        raise WeightsError(
            f"{called_on.__name__}.weights() was called while no such model is being loaded or run. Call it "
            f"in __init__ or later, not at import; in a test, build the model with reactor_runtime.testing."
        )
    names = ", ".join(sorted(binding.model_class.__name__ for binding in candidates))
    raise WeightsError(
        f"{called_on.__name__}.weights() could mean several models of this process: {names}. Call it on the "
        f"class itself, as in {names.split(', ')[0]}.weights(...)."
    )


def _candidates(called_on: type) -> list[Binding]:
    """The models that a call on this class may mean: the running code's own, else all of the process."""
    current = _current.get()
    if current is not None and issubclass(current.model_class, called_on):
        return [current]
    with _lock:
        found = {
            (binding.model_class, id(binding.source)): binding
            for binding in _bound
            if issubclass(binding.model_class, called_on)
        }
    return list(found.values())
