"""What an operator can set: a field of an options class says once how it is called, read and explained.

The command line, its help, the table of docs/operations.md and the options object come from these fields.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

T = TypeVar("T")
_KEY = "setting"


@dataclass(frozen=True)
class Setting:
    """One of them. `name` is the field's, `kind` its type."""

    what: str
    """Its help."""
    flag: str = ""
    variable: str = ""
    """Of the environment."""
    unit: str = ""
    form: str = ""
    """How a value is written, as in ``MIN:MAX``."""
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int | None = None
    none: str = ""
    """What a default that stands for nothing means, as in ``no limit``."""
    spaces: bool = False
    """Of a list: whether one text may hold spaces, or they divide it."""
    read: Callable[[str], object] | None = None
    """A value, or of a list its items, from a text. Raises `ValueError` with a sentence."""
    name: str = ""
    kind: object = str
    default: object = None

    @property
    def is_list(self) -> bool:
        return isinstance(self.default, tuple)

    @property
    def is_flag(self) -> bool:
        return isinstance(self.default, bool)

    def value(self, given: Any) -> object:
        """What was given, as the options object holds it. Raises `ValueError` with a sentence."""
        if self.is_list:
            read = self.read or (lambda text: (text,))
            return tuple(item for text in given for item in _items(read(text)))
        if given is None or given == self.default:
            return self.default
        if isinstance(given, float) and not math.isfinite(given):
            raise ValueError(f"{given} is not a number of seconds; 0 turns the limit off.")
        return given if self.read is None else self.read(given)

    def arguments(self, value: Any) -> list[str]:
        """A command line that says `value`, for a program of the same kind."""
        if self.is_flag:
            return [self.flag] if value is not self.default else []
        if self.is_list:
            return [part for each in value for part in (self.flag, str(each))]
        text = ":".join(map(str, value)) if isinstance(value, tuple) else str(value)
        return [self.flag, text]


def setting(
    default: T,
    what: str,
    *,
    flag: str = "",
    variable: str = "",
    unit: str = "",
    form: str = "",
    choices: tuple[str, ...] = (),
    least: int = 0,
    most: int | None = None,
    none: str = "",
    read: Callable[[str], T] | None = None,
    secret: bool = False,
) -> T:
    """A field that an operator sets. The flag is the field's name where none is given."""
    declared = Setting(
        what, flag, variable, unit, form, choices, least, most, none, read=read, default=default
    )
    return field(default=default, repr=not secret, metadata={_KEY: declared})


def settings(
    default: tuple[str, ...],
    what: str,
    *,
    flag: str,
    variable: str = "",
    form: str = "",
    spaces: bool = False,
    read: Callable[[str], Iterable[str]] | None = None,
) -> tuple[str, ...]:
    """A field that may be set several times."""
    declared = Setting(what, flag, variable, form=form, spaces=spaces, read=read, default=default)
    return field(default=default, metadata={_KEY: declared})


@cache
def settings_of(options: type[Any]) -> Mapping[str, Setting]:
    """All of an options class, by the names of its fields."""
    kinds = get_type_hints(options)
    return {
        each.name: dataclasses.replace(
            declared,
            name=each.name,
            kind=kinds[each.name],
            flag=declared.flag or f"--{each.name.replace('_', '-')}",
        )
        for each in dataclasses.fields(options)
        if (declared := each.metadata.get(_KEY)) is not None
    }


def is_path(kind: object) -> bool:
    return kind in (Path, Path | None)


def _items(found: object) -> Iterable[object]:
    return found if isinstance(found, tuple | list) else (found,)
