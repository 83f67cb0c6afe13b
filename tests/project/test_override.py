"""What a person types behind ``--model.key=`` arrives as typed, or they are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime.project.config import ConfigFile, EffectiveConfig, load_config
from reactor_runtime.project.override import parse_value

FILE = """\
steps: 8
guidance_scale: 3.5
name: "007"
debug: false
size: {width: 832, height: 480}
sizes: [1, 2]
seed: null
colour: ${name}
"""


@pytest.fixture
def override(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., EffectiveConfig]:
    monkeypatch.chdir(tmp_path)
    Path("config.yml").write_text(FILE)
    return lambda *overrides: load_config(ConfigFile(Path("config.yml"), "@model"), overrides)


@pytest.mark.parametrize(
    "text",
    [
        *["#fff", "red #1", "16:9", "1:30", "style: anime", "*.png", "@home", "%d", "- a", "? x", "a: b: c"],
        *["!important", "&co", "`x`", "|", "> b", "yes", "No", "1_000", "'tis the season", '"hi" she said'],
        *[
            "a, b",
            "(cat:1.2)",
            "C:\\new",
            "https://x/?a=1#b",
            " padded ",
            "two\nlines",
            "2026-11-28",
            "<<",
            "=",
        ],
    ],
)
def test_text_arrives_as_typed(text: str) -> None:
    assert parse_value(text, "--model.k").value == text


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_text_that_begins_with_a_letter_arrives_as_typed_or_is_a_word_of_yaml(text: str) -> None:
    value = parse_value(f"x{text}", "--model.k").value
    assert value == f"x{text}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("60", 60), (" 60 ", 60), ("1e-3", 0.001), ("true", True), ("null", None), ("", None), ("010", 10)],
        *[
            ("[1, a]", [1, "a"]),
            ("{a: 1}", {"a": 1}),
            ("'007'", "007"),
            ('"a\\tb"', "a\tb"),
            ("'it''s'", "it's"),
        ],
    ],
)
def test_values_of_yaml(text: str, value: Any) -> None:
    assert parse_value(text, "--model.k").value == value


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "aspect=16:9",
            '--model.aspect: 16:9 is the text "16:9" here (YAML 1.2); YAML 1.1 reads the number 969.',
        ),
        ("flag=yes", "for true write true"),
        ("sizes=[1:30]", "YAML 1.1 reads the number 90"),
        ("size={width:3}", "for the key width put a space behind the colon"),
        ("guidance-scale=3", "the file has no guidance-scale; did you mean --model.guidance_scale?"),
        ("Steps=3", "did you mean --model.steps?"),
        ("size.heigth=3", "the file has no size.heigth; did you mean --model.size.height?"),
        ("width=3", "did you mean --model.size.width?"),
        ("steps=many", "this is text in the place of a whole number (config.yml:1)"),
        ("steps=8.5", "this is a number, 8.5, in the place of a whole number"),
        ("steps=", "this is null in the place of a whole number"),
        ("name=007", "for text put it in quotes: --model.name='\"007\"'"),
        ("debug=1", "this is a whole number, 1, in the place of true or false"),
        ("size=5", "in the place of keys with values"),
        ("sizes.0=x", "this is text in the place of a whole number"),
    ],
)
def test_told(override: Callable[..., EffectiveConfig], text: str, told: str) -> None:
    loaded = override(text)
    notes = [*loaded.notes, *loaded.readings]
    assert any(told in note for note in notes), notes
    assert all(note.startswith(f"--model.{text.partition('=')[0]}: ") for note in notes)


@pytest.mark.parametrize(
    "text",
    [
        *[
            "steps=9",
            "guidance_scale=3",
            "name=x",
            "debug=true",
            "seed=5",
            "size.width=3",
            "sizes=[3]",
            "sizes.1=5",
        ],
        *["colour=5", "steps=${seed}", "something_else=1", "size={depth: 3}", "name='5'"],
    ],
)
def test_not_told(override: Callable[..., EffectiveConfig], text: str) -> None:
    loaded = override(text)
    assert [*loaded.notes, *loaded.readings] == []


def test_a_secret_that_changes_its_type_is_not_repeated(override: Callable[..., EffectiveConfig]) -> None:
    loaded = override("steps=hf_abcdef")
    assert "hf_abcdef" not in " ".join([*loaded.notes, *loaded.readings])
