"""One YAML file: its values, the line of each key, and what a reader should be told about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]  # OmegaConf's own parser; it ships no types
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from reactor_runtime.errors import ConfigError

from .config_notes import notes_of, readings_of
from .excerpt import line_of, quoted, shown_path
from .yaml12 import Loader
from .yaml_tree import Tree, TreeError


@dataclass(frozen=True)
class ConfigFile:
    """A YAML file, and who asked for it, so that a missing one can be traced."""

    path: Path
    named_by: str


@dataclass
class FileContent:
    """`lines` has the text of each place (``config.yml:3``), `origins` the place of each dotted key, `raw`
    what was typed for it where that is one plain word."""

    config: DictConfig
    origins: dict[str, str] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)
    raw: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    readings: list[str] = field(default_factory=list)


def read_file(file: ConfigFile) -> FileContent:
    """Raises `ConfigError`, and nothing else."""
    shown = shown_path(file.path)
    text = _text(file, shown)
    content = FileContent(OmegaConf.create({}))
    try:
        _fill(content, text, shown)
    except ConfigError:
        raise
    except yaml.MarkedYAMLError as error:
        raise _broken(error, text, shown) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"{shown}:{line}: {error.reason}; delete that character.") from error
    except OmegaConfBaseException as error:
        place = content.origins.get(str(error.full_key), shown)
        raise ConfigError(
            f"{place}: {first_line(error)}{_at(content.lines.get(place, ''))}; correct the file there."
        ) from error
    except RecursionError as error:
        raise ConfigError(f"{shown}: the values are nested too deeply; make the file flatter.") from error
    except Exception as error:
        raise ConfigError(f"{shown}: {first_line(error)}; correct the file.") from error
    return content


def _fill(content: FileContent, text: str, shown: str) -> None:
    loader = Loader(text)
    try:
        root = loader.get_single_node()
        if root is None or root.tag == "tag:yaml.org,2002:null":
            return
        line = root.start_mark.line + 1
        if not isinstance(root, yaml.MappingNode):
            raise ConfigError(
                f"{shown}:{line}: the file must hold `key: value` pairs at the top, not {_kind(root)}"
                f"{_at(line_of(text, line))}; put it under a key."
            )
        tree = Tree(root)
        tree.check()
        for entry in tree.entries():
            place = f"{shown}:{entry.line}"
            content.origins.setdefault(entry.dotted, place)
            content.lines[place] = line_of(text, entry.line)
            if entry.raw is not None:
                content.raw.setdefault(entry.dotted, entry.raw)
        content.notes += [f"{shown}:{note}" for note in notes_of(tree, text)]
        content.readings += [f"{shown}:{note}" for note in readings_of(tree, text)]
        config = OmegaConf.create(loader.construct_document(root))
    finally:
        loader.dispose()
    assert isinstance(config, DictConfig)
    content.config = config


def _broken(error: yaml.MarkedYAMLError, text: str, shown: str) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return ConfigError(f"{shown}: {first_line(error)}; correct the file.")
    line = line_of(text, mark.line + 1)
    said = _at(line)
    if not line.strip() and error.context_mark is not None:
        begun = error.context_mark.line + 1
        said = f" (it begins at line {begun}, {quoted(line_of(text, begun))})"
    advice = "correct the file there"
    if not isinstance(error, TreeError):
        advice += "; text that holds special characters goes between quotes"
    return ConfigError(f"{shown}:{mark.line + 1}:{mark.column + 1}: {first_line(error)}{said}; {advice}.")


def _at(line: str) -> str:
    return f", in {quoted(line)}" if line.strip() else ""


def _text(file: ConfigFile, shown: str) -> str:
    try:
        return file.path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(
            f"{file.named_by} names the configuration file {shown}, which does not exist; "
            "create it or correct the name."
        ) from error
    except UnicodeDecodeError as error:
        line = bytes(error.object[: error.start]).count(b"\n") + 1
        raise ConfigError(
            f"{shown}:{line} is not UTF-8 text, so it cannot be a YAML file; {file.named_by} names it. "
            "Save it as UTF-8."
        ) from error
    except OSError as error:
        raise ConfigError(
            f"{file.named_by} names the configuration file {shown}, which cannot be read: "
            f"{error.strerror or error}; correct the name or its permissions."
        ) from error
    except ValueError as error:
        raise ConfigError(
            f"{file.named_by} names a configuration file with an impossible name: {error}."
        ) from error


def _kind(node: Any) -> str:
    return "a list" if isinstance(node, yaml.SequenceNode) else "a single value"


def first_line(error: Exception) -> str:
    """The first sentence of what a library says, without its full stop."""
    lines = str(error).splitlines()
    if isinstance(error, yaml.MarkedYAMLError):
        lines = [str(error.problem or error.context)]
    return lines[0].strip().rstrip(".") if lines else type(error).__name__
