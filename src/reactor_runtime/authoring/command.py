"""`@command`: methods that users call while the model runs."""

from __future__ import annotations

import copy
import inspect
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from reactor_runtime.errors import ModelDefinitionError

from . import schema
from .annotations import bound_in
from .bodies import line_in, line_of, place_of, remember, remembered
from .schema import Argument, UnresolvedAnnotationError
from .validation import validate

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import SchemaValidator

MAX_NAME_LENGTH = 64
NAME = re.compile(r"[^\s\x00-\x1f\x7f]+")
_MARK = "__reactor_command__"
_COMMANDS = "__reactor_commands__"
_NOT_COMMANDS = ("__init__", "start_session", "on_media", "warmup", "weights")

Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True)
class _Mark:
    name: str
    description: str
    method: str
    place: str
    coalesce: bool = False


def command(name: str, description: str = "", *, coalesce: bool = False) -> Callable[[Method], Method]:
    """Let clients call the method as the command `name`, with arguments checked against its annotations.

    With `coalesce` it is a state, as a held key or a slider: only the newest call that waits runs. Without,
    an event: every call runs, in order. The method stays directly callable. It runs on the command thread,
    and may be an `async def`. Raises `ModelDefinitionError`.
    """
    _check_name(name, description)
    if not isinstance(coalesce, bool):
        raise ModelDefinitionError(f"@command({name!r}, coalesce={coalesce!r}): give True or False.")

    def decorate(method: Method) -> Method:
        namespace = sys._getframe(1).f_locals
        _check_method(name, method, namespace)
        mark = _Mark(name, description, method.__name__, place_of(method), coalesce)
        setattr(method, _MARK, mark)
        remember(namespace, mark)
        return method

    return decorate


class CommandSpec:
    """A command of a model class: its words, and how its arguments are checked."""

    def __init__(
        self,
        cls: type,
        mark: _Mark,
        method: str,
        functions: Sequence[Callable[..., Any]],
        local_names: Mapping[str, Any],
    ) -> None:
        self._cls = cls
        self.name = mark.name
        self.description = mark.description
        self.coalesce = mark.coalesce
        """Whether only the newest call that waits matters."""
        self.method = method
        self.function = functions[0]
        self._where = f"Command {self.name!r}, {place_of(self.function)}"
        self._parameters = _with_inherited(functions, self._where)
        self._local_names = local_names
        self._arguments: list[Argument] | None = None
        self._model: type[BaseModel] | None = None
        self._validator: SchemaValidator | None = None

    def __repr__(self) -> str:
        return f"<CommandSpec {self.name!r}: {self.function.__qualname__}>"

    @property
    def arguments(self) -> type[BaseModel]:
        """The Pydantic model of the arguments. Raises `ModelDefinitionError` when one is undefined."""
        self._resolve()
        if self._model is None:
            self._model = schema.build_arguments(self.name, self._resolve(), self._where)
        return self._model

    def flat_schema(self) -> dict[str, dict[str, Any]]:
        """Parameter → JSON Schema fragment, inlined, with ``"required": true`` inside where it is."""
        return schema.flat_schema(self._resolve())

    def json_schema(self) -> dict[str, Any]:
        """A JSON Schema object for the arguments, inlined."""
        return schema.json_schema(self._resolve())

    def call(self, model: object, arguments: Mapping[str, Any]) -> Any:
        """Run the class's method on `model`, whatever the model keeps under the method's name."""
        found = inspect.getattr_static(type(model), self.method, None)
        function = found if inspect.isfunction(found) else self.function
        return function(model, **arguments)

    def validate(self, args: object) -> dict[str, Any]:
        """What the handler gets as keyword arguments, as the declared types. Raises `InvalidCommandError`."""
        arguments = self._resolve()
        if self._validator is None:
            self._validator = schema.build_validator(self.arguments, arguments)
        fragments = {argument.name: argument.fragment for argument in arguments}
        checked = validate(self.name, self._validator, fragments, args)
        return {
            argument.name: getattr(checked, argument.field)
            if argument.field in checked.model_fields_set or argument.has_factory
            else copy.deepcopy(argument.default)  # a default must not carry one call's changes into the next
            for argument in arguments
        }

    def try_to_resolve(self) -> None:
        """Describe the arguments if every name in the annotations is defined already."""
        if self._arguments is None:
            self._arguments = [
                schema.build_argument(
                    parameter, function, self._where, self._local_names, bound_in(self._cls, function)
                )
                for parameter, function in self._parameters
            ]
            self._local_names = {}  # they keep alive whatever the author's function held

    def _resolve(self) -> list[Argument]:
        try:
            self.try_to_resolve()
        except UnresolvedAnnotationError as error:
            raise ModelDefinitionError(f"{self._where}: {error}.{error.advice}") from None
        assert self._arguments is not None
        return self._arguments


def commands_of(cls: type) -> dict[str, CommandSpec]:
    """The commands of a class by name, its bases' first. Raises `ModelDefinitionError`."""
    known: dict[str, CommandSpec] | None = vars(cls).get(_COMMANDS)
    return dict(known if known is not None else _find_commands(cls, {}))


def collect_commands(cls: type, local_names: Mapping[str, Any]) -> None:
    """Find and check the commands of a new class; `local_names` are those of the code that defines it."""
    commands = _find_commands(cls, local_names)
    for spec in commands.values():
        try:
            spec.try_to_resolve()
        except UnresolvedAnnotationError:
            continue  # the name may be defined further down; whoever needs the schema finds out
    setattr(cls, _COMMANDS, MappingProxyType(commands))


def _find_commands(cls: type, local_names: Mapping[str, Any]) -> dict[str, CommandSpec]:
    for base in cls.__mro__:
        _refuse_lost(base)
    found: dict[str, tuple[int, CommandSpec]] = {}
    for attribute in _attributes(cls):
        definitions = [
            (depth, vars(base)[attribute])
            for depth, base in enumerate(cls.__mro__)
            if attribute in vars(base)
        ]
        mark = next((mark for _, value in definitions if (mark := _mark_of(value, cls, attribute))), None)
        depth, nearest = definitions[0]
        if mark is None or nearest is None:
            continue
        functions = [value for _, value in definitions if inspect.isfunction(value)]
        if not inspect.isfunction(nearest):
            raise ModelDefinitionError(
                f"{cls.__qualname__}.{attribute}{line_of(cls.__mro__[depth], attribute)} replaces the "
                f"command {mark.name!r}, {mark.place}, by a {type(nearest).__name__}. Make it a method, or "
                f"None to remove the command."
            )
        spec = CommandSpec(cls, mark, attribute, functions, _names_for(cls, nearest, local_names))
        other = found.get(mark.name)
        if other is not None and other[0] == depth:
            raise ModelDefinitionError(
                f"{cls.__mro__[depth].__qualname__} has two commands called {mark.name!r}: methods "
                f"{other[1].method} and {attribute}, {place_of(other[1].function)} and {place_of(nearest)}. "
                f"Give one of them another name."
            )
        if other is None or depth < other[0]:
            found[mark.name] = (depth, spec)
    return {name: spec for name, (_, spec) in found.items()}


def _refuse_lost(base: type) -> None:
    """A name further down in the class body takes a command away, and nobody would notice."""
    kept = [
        value.__func__ if isinstance(value, staticmethod | classmethod) else value
        for value in vars(base).values()
    ]
    marks = [vars(value).get(_MARK) for value in kept if inspect.isfunction(value)]
    for mark in remembered(base, _Mark):
        if mark.method in vars(base) and not any(mark is other for other in marks):
            by = type(vars(base)[mark.method]).__name__
            raise ModelDefinitionError(
                f"The command {mark.name!r}, {mark.place}, is lost: {base.__qualname__}.{mark.method} is a "
                f"{by} further down{line_of(base, mark.method)}. Rename one of them; a decorator above "
                f"@command must keep the function, as functools.wraps does."
            )


def _attributes(cls: type) -> list[str]:
    """Every attribute name, bases first, each class in the order of its body."""
    return list(dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base)))


def _mark_of(value: object, cls: type, attribute: str) -> _Mark | None:
    if isinstance(value, staticmethod | classmethod):
        mark = vars(value.__func__).get(_MARK) if inspect.isfunction(value.__func__) else None
        if isinstance(mark, _Mark):
            raise ModelDefinitionError(
                f"{cls.__qualname__}.{attribute}: command {mark.name!r} is a {type(value).__name__}. A "
                f"command acts on the model: remove the @{type(value).__name__} line."
            )
        return None
    mark = vars(value).get(_MARK) if inspect.isfunction(value) else None
    return mark if isinstance(mark, _Mark) else None


def _with_inherited(
    functions: Sequence[Callable[..., Any]], where: str
) -> list[tuple[inspect.Parameter, Callable[..., Any]]]:
    """The parameters of the nearest definition, each with the function in whose module its annotation means
    something. A bare parameter of an override stands for the one it overrides."""
    inherited: dict[str, tuple[inspect.Parameter, Callable[..., Any]]] = {}
    for function in reversed(functions):
        own = schema.parameters_of(function, where)
        merged = {}
        for parameter in own:
            bare = parameter.annotation is parameter.empty and parameter.default is parameter.empty
            merged[parameter.name] = inherited.get(parameter.name) if bare else None
            merged[parameter.name] = merged[parameter.name] or (parameter, function)
        inherited = {name: pair for name, pair in merged.items() if pair}
    return list(inherited.values())


def _names_for(cls: type, function: Callable[..., Any], local_names: Mapping[str, Any]) -> dict[str, Any]:
    """What an annotation that is a string may name besides the globals of its module."""
    names = dict(local_names) if "<locals>" in function.__qualname__ else {}
    for base in reversed(cls.__mro__):
        names |= {name: value for name, value in vars(base).items() if _names_a_type(value)}
    return names


def _names_a_type(value: object) -> bool:
    """Classes, aliases like ``list[int]``, what `typing` offers, and modules; not a method called `set`."""
    return isinstance(value, type | ModuleType) or type(value).__module__ in (
        "typing",
        "types",
        "typing_extensions",
    )


def _check_name(name: object, description: object) -> None:
    if not isinstance(name, str):
        given = getattr(name, "__qualname__", repr(name))
        raise ModelDefinitionError(
            f"@command needs a name, and got {given}. Write "
            f"@command({getattr(name, '__name__', 'my_command')!r})."
        )
    if not NAME.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
        raise ModelDefinitionError(
            f"@command({name!r}): a command name is 1 to {MAX_NAME_LENGTH} characters without spaces, as in "
            f"'set_prompt'."
        )
    if not isinstance(description, str):
        raise ModelDefinitionError(
            f"@command({name!r}, description={description!r}): give the description as text."
        )


def _check_method(name: str, method: object, namespace: Mapping[str, Any]) -> None:
    if not inspect.isfunction(method):
        raise ModelDefinitionError(
            f"@command({name!r}) decorates a {type(method).__name__}; it decorates methods. Put it directly "
            f"above `def name(self, …)`, in a class."
        )
    where = f"@command({name!r}) on {place_of(method)}"
    if method.__name__ in _NOT_COMMANDS:
        raise ModelDefinitionError(
            f"{where}: the runtime calls {method.__name__} itself. Use another method."
        )
    if inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method):
        raise ModelDefinitionError(
            f"{where} contains `yield`. A command returns one value, or sends with get_ctx()."
        )
    if _MARK in vars(method):
        raise ModelDefinitionError(
            f"{where} is the command {getattr(method, _MARK).name!r} already. Keep one."
        )
    earlier = namespace.get(method.__name__) if "__qualname__" in namespace else None
    if inspect.isfunction(earlier) and _MARK in vars(earlier):
        raise ModelDefinitionError(
            f"{where}: the class has another command method called {method.__name__!r}, in line "
            f"{earlier.__code__.co_firstlineno}, which this one would replace. Rename one."
        )
    if earlier is not None and not inspect.isfunction(earlier):
        raise ModelDefinitionError(
            f"{where}: the class has {method.__name__!r} already{line_in(method)}, a "
            f"{type(earlier).__name__}, which this method would replace. Rename one, as in "
            f"`self._{method.__name__}`."
        )
    schema.parameters_of(method, where)
