"""What stands in a file arrives as it stands there, or the person is told with file, line and text."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime.project.config import ConfigFile, EffectiveConfig, load_config
from reactor_runtime.project.yaml12 import old_reading, read_differently, scalar

Load = Callable[[str], EffectiveConfig]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    monkeypatch.chdir(tmp_path)

    def load(text: str) -> EffectiveConfig:
        Path("config.yml").write_text(text, "utf-8")
        return load_config(ConfigFile(Path("config.yml"), "--config"))

    return load


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("16:9", "16:9"), ("1:30", "1:30"), ("12:30:45.5", "12:30:45.5"), ("2026-11-28", "2026-11-28")],
        *[("yes", "yes"), ("No", "No"), ("on", "on"), ("OFF", "OFF"), ("y", "y"), ("1_000", "1_000")],
        *[("true", True), ("False", False), ("TRUE", True), ("null", None), ("~", None), ("", None)],
        *[("010", 10), ("007", 7), ("0o17", 15), ("0x1F", 31), ("-5", -5), ("+5", 5), ("0b11", "0b11")],
        *[("1.5", 1.5), ("1e-3", 0.001), ("1e3", 1000.0), ("1.", 1.0), ("-.5", -0.5), ("tRue", "tRue")],
        *[("-.inf", -math.inf), ("<<", "<<"), ("=", "="), ("*.png", "*.png"), ("50%", "50%")],
    ],
)
def test_the_core_schema(text: str, value: Any) -> None:
    found = scalar(text)
    assert (type(found), found) == (type(value), value)


def test_nan_and_a_number_that_python_does_not_read() -> None:
    assert math.isnan(scalar(".nan"))
    assert read_differently(".nan") is None
    assert scalar("9" * 5000) == "9" * 5000


@given(st.text("0123456789abcdefxo.:_+-eEyYnNtTfF~", max_size=12))
def test_a_word_is_told_of_only_where_the_readings_differ(text: str) -> None:
    new, old = scalar(text), old_reading(text)
    same = type(new) is type(old) and (new == old or (new != new and old != old))
    assert (read_differently(text) is None) == same


@pytest.mark.parametrize(
    ("line", "value", "told"),
    [
        ("k: 16:9", "16:9", "YAML 1.1 reads the number 969"),
        ("k: 1:30", "1:30", "YAML 1.1 reads the number 90"),
        ("k: yes", "yes", "YAML 1.1 reads true; for true write true"),
        ("k: off", "off", "YAML 1.1 reads false; for false write false"),
        ("k: 010", 10, "YAML 1.1 reads the number 8"),
        ("k: 1_000", "1_000", "YAML 1.1 reads the number 1000"),
        ("k: [a, 4:3]", ["a", "4:3"], "YAML 1.1 reads the number 243"),
        ("k: {on: 1}", {"on": 1}, "YAML 1.1 reads true"),
        ("k: 0o17", 15, 'YAML 1.1 reads the text "0o17"'),
        (
            "k: #fff",
            None,
            "YAML takes #fff for a comment, so k is null. If it belongs to the value, write '#fff'",
        ),
        ("k: red #1", "red", "so k is \"red\". If it belongs to the value, write 'red #1'"),
        ("k: &co", None, "no *co uses it"),
        ("k: {width:832}", {"width:832": None}, "for the key width put a space behind the colon: width: 832"),
    ],
)
def test_what_looks_otherwise_than_it_is_is_told_with_its_line(
    load: Load, line: str, value: Any, told: str
) -> None:
    loaded = load(f"first: 1\n{line}\n")
    assert loaded.config["k"] == value
    [note] = [*loaded.notes, *loaded.readings]
    assert note.startswith(f"config.yml:2: `{line}`: ")
    assert told in note


@pytest.mark.parametrize(
    "line",
    [
        *[
            "k: '16:9'",
            'k: "yes"',
            "k: 8 #fast",
            "k: red # a comment",
            "k: # nothing yet",
            "k: true",
            "k: 1.5",
        ],
        *["k: a cat", "k: !!str 010", "k: 2026-11-28", "k: x#1", "k: {a: 1}", "k: '#fff' #1", "k: 1e-3"],
        *["k: &a 1\nl: *a", "k: |\n  yes #1", "b: &b {x: 1}\nk:\n  <<: *b", "k: ~", "k: {a, b}"],
    ],
)
def test_what_is_what_it_looks_like_is_not_told(load: Load, line: str) -> None:
    loaded = load(f"{line}\n")
    assert [*loaded.notes, *loaded.readings] == []


@pytest.mark.parametrize(
    ("line", "place"),
    [
        *[("k: style: anime", "2:9"), ("k: *.png", "2:5"), ("k: @home", "2:4"), ("k: %d", "2:4")],
        *[("k: !important x", "2:4"), ("k: [*.png]", "2:6"), ("\tk: 1", "2:1")],
    ],
)
def test_what_yaml_cannot_read_is_refused_with_its_line(load: Load, line: str, place: str) -> None:
    with pytest.raises(Exception, match=rf"^config\.yml:{place}: ") as caught:
        load(f"first: 1\n{line}\n")
    assert f"in `{line.strip()}`" in str(caught.value)
    assert "between quotes" in str(caught.value)


def test_an_error_at_the_end_names_where_it_began(load: Load) -> None:
    with pytest.raises(Exception, match=r"it begins at line 2, `b: \[1`"):
        load("a: 1\nb: [1\n")


def test_aliases_that_explode_are_refused(load: Load) -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(Exception, match=r"more than 100000 values"):
        load("\n".join(lines))


def test_merged_keys_have_an_origin(load: Load) -> None:
    loaded = load("base: &base {a: 1, b: 2}\nk:\n  <<: *base\n  b: 3\n")
    assert loaded.config["k"] == {"a": 1, "b": 3}
    assert (loaded.place("k.a"), loaded.place("k.b")) == ("config.yml:1", "config.yml:4")
