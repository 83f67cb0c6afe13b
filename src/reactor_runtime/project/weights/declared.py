"""The sources that a project names: `[weights]` in reactor.toml, `[tool.reactor.weights]` in pyproject."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reactor_runtime.errors import ConfigError, WeightsError
from reactor_runtime.project.excerpt import line_of, quoted, shown_path
from reactor_runtime.project.likeness import nearest

from .masking import masked, scrubbed
from .names import check_name
from .source import FORMS, Source, parse_source

REACTOR_TOML = "reactor.toml"
PYPROJECT = "pyproject.toml"
TABLE = "weights"

_LINE_OF_TOML_ERROR = re.compile(r"\(at line (\d+), column \d+\)")


@dataclass(frozen=True)
class Declared:
    """`file` is where they are named, None where the project has no such file."""

    file: Path | None = None
    sources: dict[str, Source] = field(default_factory=dict)


def declared_sources(folder: Path) -> Declared:
    """Raises `ConfigError`, with file, line and the line's text."""
    for place in _places(folder):
        file = place / REACTOR_TOML
        if file.is_file():
            return _read(file, inside=())
        file = place / PYPROJECT
        if file.is_file():
            return _read(file, inside=("tool", "reactor"))
    return Declared()


def lines_for(name: str, folder: Path) -> str:
    """What a person writes down to name a source."""
    file = next((place for place in _places(folder) if (place / REACTOR_TOML).is_file()), folder)
    return (
        f"name where they come from, in {shown_path(file / REACTOR_TOML)}:\n\n"
        f'  [{TABLE}]\n  {name} = "hf://org/repo@revision"\n\n'
        f"(or {FORMS.partition(', ')[2]})"
    )


def _places(folder: Path) -> list[Path]:
    """The folder, and those around it while they belong to the same project's packages."""
    places = [folder]
    while (places[-1] / "__init__.py").is_file() or places[-1].name == "src":
        if places[-1].parent == places[-1]:
            break
        places.append(places[-1].parent)
    return places


def _read(file: Path, inside: tuple[str, ...]) -> Declared:
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConfigError(f"{shown_path(file)} cannot be read: {reason}.") from error
    try:
        table: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_broken(file, text, error)) from None
    for key in inside:
        table = table.get(key) if isinstance(table, dict) else None
    if table is None:
        return Declared(file)
    name = ".".join((*inside, TABLE))
    return Declared(file, _sources(file, text, table, name))


def _broken(file: Path, text: str, error: tomllib.TOMLDecodeError) -> str:
    found = _LINE_OF_TOML_ERROR.search(str(error))
    number = int(found[1]) if found else len(text.splitlines())
    shown = quoted(scrubbed(line_of(text, number)))
    reason = _LINE_OF_TOML_ERROR.sub("", str(error)).strip()
    return f"{shown_path(file)}:{number} is no TOML: {reason}. The line is {shown}."


def _sources(file: Path, text: str, table: Any, name: str) -> dict[str, Source]:
    if not isinstance(table, dict):
        raise ConfigError(f"{shown_path(file)}: {name.rpartition('.')[0]} must be a table.")
    if TABLE not in table:
        close = nearest(TABLE, [key for key in table if isinstance(table[key], dict)])
        if close is not None:
            raise ConfigError(f"{_at(file, text, close)}: there is no table {close}; write [{name}].")
        return {}
    weights = table[TABLE]
    if not isinstance(weights, dict):
        raise ConfigError(f"{_at(file, text, TABLE)}: {TABLE} must be a table: write [{name}] on a line.")
    return {key: _source(file, text, key, value) for key, value in weights.items()}


def _source(file: Path, text: str, key: str, value: Any) -> Source:
    try:
        check_name(key)
        if not isinstance(value, str):
            raise WeightsError(f'a source is text: write {key} = "…" with {FORMS}.')
        return parse_source(value, file.parent)
    except WeightsError as error:
        raise ConfigError(f"{_at(file, text, key)}: {error.message}") from None


def _at(file: Path, text: str, key: str) -> str:
    """``reactor.toml:3 (`vae = "…"`)``, where the line can be told."""
    pattern = re.compile(rf"""^\s*(?:\[.*)?["']?(?:[\w.-]+\.)?{re.escape(key)}["']?\s*(?:=|\])""")
    for number, line in enumerate(text.splitlines(), 1):
        if pattern.match(line):
            return f"{shown_path(file)}:{number} ({quoted(_without_secrets(line))})"
    return shown_path(file)


def _without_secrets(line: str) -> str:
    return re.sub(r"""(?<=["'])[A-Za-z][\w+.-]*://[^"']*""", lambda found: masked(found[0]), line)
