"""What an annotation means for one class: `T` in ``class Base(VideoModel, Generic[T])`` is what ``Base[int]``
said."""

from __future__ import annotations

import collections.abc
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

_READ_ONCE = (collections.abc.Generator, collections.abc.Iterator)


class OpenTypeError(Exception):
    """A type variable that no class has said the meaning of."""


def bound_in(cls: type, function: Callable[..., Any]) -> dict[Any, Any]:
    """What the type variables mean for `cls` in the class of its bases that defines `function`."""
    owner = next((base for base in cls.__mro__ if function in vars(base).values()), cls)
    return _meanings(cls, owner, {})


def _meanings(cls: type, owner: type, known: dict[Any, Any]) -> dict[Any, Any]:
    """The variables of `owner` as seen from `cls`, whose own mean `known`."""
    if cls is owner:
        return known
    for base in vars(cls).get("__orig_bases__", cls.__bases__):
        origin = typing.get_origin(base) or base
        if not isinstance(origin, type) or not issubclass(origin, owner):
            continue
        names = getattr(origin, "__parameters__", ())
        given = typing.get_args(base) or tuple(names)
        inner = {name: substituted(arg, known) for name, arg in zip(names, given, strict=False)}
        return _meanings(origin, owner, inner)
    return known


def substituted(annotation: Any, meanings: Mapping[Any, Any]) -> Any:
    """`annotation` with its type variables replaced as far as they are known."""
    if isinstance(annotation, TypeVar):
        return meanings.get(annotation, annotation)
    names = parameters(annotation)
    if not names or not any(name in meanings for name in names):
        return annotation
    return annotation[tuple(meanings.get(name, name) for name in names)]


def parameters(annotation: Any) -> tuple[Any, ...]:
    """The type variables that are open in an annotation."""
    if isinstance(annotation, TypeVar):
        return (annotation,)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return tuple(annotation.__pydantic_generic_metadata__["parameters"])
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        return ()  # a class that takes parameters and was given none
    return tuple(getattr(annotation, "__parameters__", ()))


def refuse_open(annotation: Any) -> None:
    """Raises `OpenTypeError` for a type variable that nobody bound and that does not say what it takes."""
    for name in parameters(annotation):
        default = getattr(name, "__default__", None)
        says = getattr(name, "__bound__", None) or getattr(name, "__constraints__", ())
        if not says and (default is None or "NoDefault" in repr(default)):
            raise OpenTypeError(
                f"type variable {name} means nothing yet; bind it where the class is extended, as in "
                f"`class MyModel(Base[int])`"
            )


def without_final(annotation: Any) -> Any:
    """`int` of `Final[int]`, which says something about the name and nothing about the value."""
    while typing.get_origin(annotation) is typing.Final:
        (annotation,) = typing.get_args(annotation)
    return Any if annotation is typing.Final else annotation


def reads_once(annotation: Any, seen: tuple[Any, ...] = ()) -> bool:
    """Whether something in a type is a generator or an iterator, which a handler could go through once."""
    if typing.get_origin(annotation) in _READ_ONCE or annotation in _READ_ONCE:
        return True
    if annotation in seen:
        return False
    inner = [part for part in typing.get_args(annotation) if not isinstance(part, str | int | bytes)]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        inner += [field.annotation for field in annotation.model_fields.values()]
    return any(reads_once(part, (*seen, annotation)) for part in inner)
