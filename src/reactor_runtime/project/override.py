"""``--model.key=value``: what a person types becomes the value as typed, or they are told."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped, unused-ignore]  # OmegaConf's own parser; it ships no types
from omegaconf import OmegaConf

from reactor_runtime.errors import ConfigError

from .config_file import first_line
from .config_notes import notes_of, of_word, readings_of
from .excerpt import quoted, shortened
from .likeness import like
from .yaml12 import Loader, scalar
from .yaml_tree import Tree

if TYPE_CHECKING:
    from .config import EffectiveConfig

FLAG = "--model."
_KEY = re.compile(r"[^\s.\[\]=\\]+(?:\.[^\s.\[\]=\\]+|\[[^\s.\[\]=\\]+\])*")


def apply_override(loaded: EffectiveConfig, known: Any, override: str) -> None:
    """Set one value in `loaded`. `known` is what the file holds, by which a slip of the pen is noticed.

    Raises `ConfigError`.
    """
    key, equals, text = override.partition("=")
    flag = f"{FLAG}{key}"
    if not equals or not _KEY.fullmatch(key):
        raise ConfigError(
            f"{shortened(FLAG + override)} is no override; write {FLAG}key=value, with dots between nested "
            "keys."
        )
    keys = re.split(r"\]\.|[.\[\]]", key.rstrip("]"))
    row = _check_path(loaded, keys, flag)
    parsed = parse_value(text, flag)
    value = parsed.value
    slip, change = like(known, keys), _type_change(loaded, row, keys, value, text)
    loaded.notes.extend(f"{flag}: {note}" for note in [*parsed.notes, *([slip] if slip else [])])
    loaded.readings.extend(f"{flag}: {note}" for note in [*parsed.readings, *([change] if change else [])])
    try:
        OmegaConf.update(loaded.config, key, value)
    except Exception as error:
        raise ConfigError(
            f"{flag} cannot be set: {first_line(error)}; look at `reactor run --config-help`."
        ) from error
    _record(loaded, row, value, flag)
    if not isinstance(value, dict | list):
        loaded.raw[".".join(keys)] = text


@dataclass(frozen=True)
class Parsed:
    """A value, and what the person who typed it should be told."""

    value: Any
    notes: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()


def parse_value(text: str, flag: str) -> Parsed:
    """Raises `ConfigError`.

    ``[…]`` and ``{…}`` are YAML, and so is text in quotes; all else is one word of YAML 1.2 or the text as it
    was typed: ``#fff``, ``16:9``, ``style: anime``, ``*.png``.
    """
    stripped = text.strip()
    if stripped.startswith(("[", "{")):
        return _collection(stripped, flag)
    if stripped.startswith(("'", '"')):
        content = _quoted(stripped)
        return Parsed(text if content is None else content)
    value = scalar(stripped)
    note = of_word(stripped)
    return Parsed(text if isinstance(value, str) else value, readings=(f"{note}.",) if note else ())


def _collection(text: str, flag: str) -> Parsed:
    loader = Loader(text)
    try:
        root = loader.get_single_node()
        tree = Tree(root)
        tree.check()
        if root.end_mark.index < len(text):
            raise yaml.MarkedYAMLError(problem=f"something follows {text[: root.end_mark.index]}")
        notes = tuple(note.partition(": ")[2] for note in notes_of(tree, text))
        readings = tuple(note.partition(": ")[2] for note in readings_of(tree, text))
        return Parsed(loader.construct_document(root), notes, readings)
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        raise ConfigError(
            f"{flag}: its value is not valid YAML ({first_line(error)}), in {quoted(text)}; "
            f"quote text that holds special characters: {flag}='\"text\"'."
        ) from error
    finally:
        loader.dispose()


def _quoted(text: str) -> str | None:
    """The content, where all of `text` is one quoted text."""
    loader = Loader(text)
    try:
        root = loader.get_single_node()
    except (yaml.YAMLError, RecursionError):
        return None
    finally:
        loader.dispose()
    whole = isinstance(root, yaml.ScalarNode) and root.end_mark.index == len(text)
    return str(root.value) if whole else None


def _check_path(loaded: EffectiveConfig, keys: list[str], flag: str) -> str:
    """Refuse a path through a scalar or past the end of a list. Returns the path down to the first list."""
    node: Any = OmegaConf.to_container(loaded.config, resolve=False)
    row: list[str] = []
    for depth, key in enumerate(keys):
        parent = ".".join(keys[:depth])
        if isinstance(node, dict):
            if len(row) == depth:
                row.append(key)
            node = node.get(key)
        elif isinstance(node, list):
            if not (key.isascii() and key.isdigit() and int(key) < len(node)):
                raise ConfigError(
                    f"{flag}: {parent} is a list with {len(node)} items, counted from 0 "
                    f"({loaded.place_and_text(parent)}); {key} is not one."
                )
            node = node[int(key)]
        elif node is None:
            row.extend(keys[depth:])
            break
        elif isinstance(node, str) and node.startswith("${"):
            break
        else:
            place = loaded.place_and_text(parent) or "set above"
            raise ConfigError(
                f"{flag}: {parent} is {shortened(repr(node))} ({place}), "
                f"which has no keys inside; set {FLAG}{parent} itself."
            )
    return ".".join(row)


def _record(loaded: EffectiveConfig, row: str, value: Any, flag: str) -> None:
    loaded.origins[row] = flag
    for key in [key for key in loaded.raw if key == row or key.startswith(f"{row}.")]:
        del loaded.raw[key]
    if isinstance(value, dict):  # merged: what it does not name keeps its origin
        for key, inner in value.items():
            _record(loaded, f"{row}.{key}", inner, flag)
        return
    for key in [key for key in loaded.origins if key.startswith(f"{row}.")]:
        del loaded.origins[key]


_KINDS = (
    (bool, "true or false"),
    (int, "a whole number"),
    (float, "a number"),
    (str, "text"),
    (list, "a list"),
    (dict, "keys with values"),
)


def kind(value: Any) -> str:
    """What a value is, in a person's words."""
    if value is None:
        return "null"
    return next((name for cls, name in _KINDS if isinstance(value, cls)), type(value).__name__)


def _type_change(loaded: EffectiveConfig, row: str, keys: list[str], value: Any, text: str) -> str | None:
    """Told where the value is of another kind than the one it takes the place of."""
    before: Any = OmegaConf.to_container(loaded.config, resolve=False)
    for key in keys:
        if isinstance(before, list):
            before = before[int(key)]
        else:
            before = before.get(key) if isinstance(before, dict) else None
    old, new = kind(before), kind(value)
    both = {old, new}
    if before is None or old == new or _open(before) or _open(value) or (old, new) == _WIDENED:
        return None
    advice = ""
    if old == "text":
        advice = (
            f"; for text put it in quotes: {FLAG}{'.'.join(keys)}='{json.dumps(text, ensure_ascii=False)}'"
        )
    elif old == "true or false" and "text" in both:
        advice = "; write true or false"
    # Texts may be secrets, so only what is no text is shown.
    shown = "" if new in ("text", "null") else f", {shortened(json.dumps(value, default=str), 40)},"
    return f"this is {new}{shown} in the place of {old} ({loaded.place(row)}){advice}."


_WIDENED = ("a number", "a whole number")
"""1 in the place of 0.5 is no surprise."""


def _open(value: Any) -> bool:
    """Whether only reading it tells what it is."""
    return isinstance(value, str) and ("${" in value or value == "???")
