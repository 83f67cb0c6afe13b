"""From a class to a loaded model. The code here runs in the thread that calls it: the model thread."""

from __future__ import annotations

import inspect
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reactor_runtime.errors import ModelDefinitionError, ModelLoadError

from .active import admitting_threads
from .binding import bound
from .command import commands_of
from .model import VideoModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .ports import WeightsSource
    from .progress import LoadProgress

_PACKAGE = Path(__file__).resolve().parents[1]
_CONFIG_WORDS = ("config", "cfg", "conf")


def build_model(
    cls: type[VideoModel], config: Any, weights: WeightsSource, progress: LoadProgress | None = None
) -> VideoModel:
    """Construct the model with `config`, an OmegaConf DictConfig; `progress` hears how far it is.

    Raises `ModelDefinitionError` when the class is not complete, and `ModelLoadError` when `__init__` raised.
    """
    if cls.start_session is VideoModel.start_session:
        raise ModelDefinitionError(
            f"{cls.__qualname__} ({_file_of(cls)}) has no start_session. Add the generation loop: "
            f"`def start_session(self):` with `while not get_ctx().should_stop(): …`."
        )
    for spec in commands_of(cls).values():
        spec.flat_schema()  # an annotation that is still undefined shows now, not when a user calls
    args, kwargs = _constructor_arguments(cls, config)
    with bound(cls, weights, progress), loading(cls, "__init__"):
        return cls(*args, **kwargs)


@contextmanager
def loading(cls: type, hook: str) -> Iterator[None]:
    """Run `__init__` or `warmup` inside: what they raise becomes a `ModelLoadError` that names the author's
    line, and the threads they start belong to the model."""
    try:
        with admitting_threads():
            yield
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        raise ModelLoadError(
            f"{cls.__qualname__}.{hook} failed with {reason} ({_line_of(error, cls)}). The model cannot be "
            f"used until this is fixed."
        ) from error


def _constructor_arguments(cls: type[VideoModel], config: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if cls.__init__ is object.__init__:
        return (), {}
    try:
        parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    except ValueError:  # compiled code may have no signature
        return (), {"config": config}
    kinds = {parameter.kind for parameter in parameters}
    named = next((parameter for parameter in parameters if parameter.name == "config"), None)
    if named is not None and named.kind is not inspect.Parameter.POSITIONAL_ONLY:
        return (), {"config": config}
    positional = [parameter for parameter in parameters if parameter.kind in _POSITIONAL]
    required = [parameter for parameter in parameters if _must_be_given(parameter)]
    if len(required) > 1 or (required and required[0].kind is inspect.Parameter.KEYWORD_ONLY):
        names = ", ".join(parameter.name for parameter in required)
        raise ModelDefinitionError(
            f"{cls.__qualname__}.__init__ ({_file_of(cls)}) wants {names}. The runtime gives it one "
            f"argument: write `def __init__(self, config):` and read the values from config."
        )
    if positional and (required or _looks_like_config(positional[0])):
        return (config,), {}
    if inspect.Parameter.VAR_KEYWORD in kinds:
        return (), {"config": config}
    if inspect.Parameter.VAR_POSITIONAL in kinds and not positional:
        return (config,), {}
    return (), {}


_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _must_be_given(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty and parameter.kind not in _VARIABLE


def _looks_like_config(parameter: inspect.Parameter) -> bool:
    annotation = parameter.annotation
    hint = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return "DictConfig" in hint or any(word in parameter.name.lower() for word in _CONFIG_WORDS)


def _line_of(error: BaseException, cls: type) -> str:
    """The author's own line nearest to the error, else the last one outside this package."""
    frames = traceback.extract_tb(error.__traceback__)
    outside = [frame for frame in frames if _PACKAGE not in Path(frame.filename).resolve().parents]
    folder = Path(_file_of(cls)).resolve().parent
    own = [frame for frame in outside if folder in Path(frame.filename).resolve().parents]
    own = [frame for frame in own if "site-packages" not in frame.filename] or outside
    return f"{own[-1].filename}:{own[-1].lineno}" if own else _file_of(cls)


def _file_of(cls: type) -> str:
    method = next((value for value in vars(cls).values() if inspect.isfunction(value)), None)
    return method.__code__.co_filename if method is not None else f"module {cls.__module__}"
