"""YAML as a person types it: the core schema of YAML 1.2, and what YAML 1.1 would have made of the same text.

Only these plain words are more than text: ``null Null NULL ~`` and nothing at all; ``true false`` (also
``True``, ``TRUE``); whole numbers in decimal, ``0o17`` and ``0x1F``; decimal numbers, with or without an
exponent; ``.inf`` and ``.nan``. One thing is kept from YAML 1.1, because configurations use it: the merge key
``<<``.
"""

from __future__ import annotations

import pathlib
import re
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]  # OmegaConf's own parser; it ships no types

LONGEST_WORD = len("false")
_BEGINS_A_NUMBER = "+-.0123456789"
_TAG = "tag:yaml.org,2002:"
_FLOAT_11 = re.compile(
    r"""[-+]?[0-9]+(?:_[0-9]+)*\.[0-9_]*(?:[eE][-+]?[0-9]+)?
    |[-+]?[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+)
    |\.[0-9]+(?:_[0-9]+)*(?:[eE][-+][0-9]+)?
    |[-+]?[0-9]+(?:_[0-9]+)*(?::[0-5]?[0-9])+\.[0-9_]*
    |[-+]?\.(?:inf|Inf|INF)
    |\.(?:nan|NaN|NAN)""",
    re.VERBOSE,
)
"""What OmegaConf takes for a float: wider than PyYAML, which wants a sign in every exponent."""


class Loader(yaml.SafeLoader):  # type: ignore[misc, unused-ignore]  # PyYAML ships no types
    """Safe, with the scalars of YAML 1.2."""

    yaml_implicit_resolvers: dict[str | None, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's


_SCALARS = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    "merge": (r"<<", ["<"]),
}
for _name, (_pattern, _first) in _SCALARS.items():
    Loader.add_implicit_resolver(_TAG + _name, re.compile(f"^(?:{_pattern})$"), _first)


def _construct_int(loader: Loader, node: yaml.ScalarNode) -> int:
    text = loader.construct_scalar(node)
    try:
        return int(text, 8 if text.startswith("0o") else 16 if text.startswith("0x") else 10)
    except ValueError:
        raise yaml.constructor.ConstructorError(
            None, None, f"{_short(text)} is no whole number that can be used", node.start_mark
        ) from None


def _construct_float(loader: Loader, node: yaml.ScalarNode) -> float:
    text = loader.construct_scalar(node)
    try:
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        raise yaml.constructor.ConstructorError(
            None, None, f"{_short(text)} is no number", node.start_mark
        ) from None


def _construct_path(loader: Loader, node: yaml.SequenceNode) -> pathlib.Path:
    return pathlib.Path(*loader.construct_sequence(node))


Loader.add_constructor(_TAG + "int", _construct_int)
Loader.add_constructor(_TAG + "float", _construct_float)
for _type in ("pathlib.Path", "pathlib.PosixPath", "pathlib._local.Path", "pathlib._local.PosixPath"):
    # As OmegaConf.save writes them.
    Loader.add_constructor(f"{_TAG}python/object/apply:{_type}", _construct_path)


def implicit_tag(text: str) -> str:
    """The tag of `text` where it stands without quotes."""
    loader = Loader("")
    try:
        return str(loader.resolve(yaml.ScalarNode, text, (True, False)))
    finally:
        loader.dispose()


def scalar(text: str) -> Any:
    """What `text`, written without quotes, is: a number, true, false, null, or the text itself."""
    tag = implicit_tag(text)
    if tag == f"{_TAG}merge":
        return text
    loader = Loader("")
    try:
        return loader.construct_object(yaml.ScalarNode(tag, text))
    except yaml.constructor.ConstructorError:  # more digits than Python reads
        return text
    finally:
        loader.dispose()


def old_reading(text: str) -> Any:
    """What a reader of YAML 1.1, as OmegaConf is, makes of `text` without quotes."""
    loader = yaml.SafeLoader("")
    try:
        tag = loader.resolve(yaml.ScalarNode, text, (True, False))
        if _FLOAT_11.fullmatch(text):
            tag = f"{_TAG}float"
        if tag not in (f"{_TAG}int", f"{_TAG}bool", f"{_TAG}float", f"{_TAG}null"):
            return text  # a date, too: OmegaConf never made one
        return loader.construct_object(yaml.ScalarNode(tag, text))
    except ValueError:  # a number that Python refuses
        return text
    finally:
        loader.dispose()


def read_differently(text: str) -> tuple[Any, Any] | None:
    """(the value, what YAML 1.1 read) where the two differ."""
    if len(text) > LONGEST_WORD and text[0] not in _BEGINS_A_NUMBER:
        return None
    new, old = scalar(text), old_reading(text)
    same = type(new) is type(old) and (new == old or new != new)
    return None if same else (new, old)


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:39]}…")
