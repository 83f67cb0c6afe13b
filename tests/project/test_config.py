from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from reactor_runtime.errors import ConfigError
from reactor_runtime.project.config import ConfigFile, load_config
from reactor_runtime.project.config_report import report


@pytest.fixture
def load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def load(text: str | bytes, *overrides: str):
        Path("config.yml").write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_config(ConfigFile(Path("config.yml"), "--config"), overrides)

    return load


def test_nothing_is_an_empty_configuration():
    assert load_config(None).config == {}


def test_overrides_alone_make_a_configuration():
    loaded = load_config(None, ["fps=60", "size.width=832"])
    assert loaded.config == {"fps": 60, "size": {"width": 832}}
    assert loaded.origins["fps"] == "--model.fps"


@pytest.mark.parametrize("text", ["", "# nothing\n", "null\n", "---\n", "\ufeff"])
def test_an_empty_file_is_an_empty_configuration(load, text):
    assert load(text).config == {}


def test_values_and_their_origins(load):
    loaded = load("fps: 30\nsize:\n  width: 832\n  height: 480\n", "size.width=1280", "new.key=x")
    assert loaded.config == {"fps": 30, "size": {"width": 1280, "height": 480}, "new": {"key": "x"}}
    assert loaded.origins["fps"] == "config.yml:1"
    assert loaded.origins["size.width"] == "--model.size.width"
    assert loaded.origins["size.height"] == "config.yml:4"


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("k=60", 60),
        ("k=1e-3", 0.001),
        ("k=true", True),
        ("k=null", None),
        ("k=[1,2]", [1, 2]),
        ("k={a: 1}", {"a": 1}),
        ("k='007'", "007"),
        ("k=", None),
        ("k=a=b", "a=b"),
        ("k=a forest, at --model. night", "a forest, at --model. night"),
    ],
)
def test_override_values_are_yaml(override, value):
    assert load_config(None, [override]).config["k"] == value


def test_an_override_may_replace_or_extend(load):
    assert load("a: {b: 1}", "a=5").config == {"a": 5}
    assert load("a: {b: 1}", "a={c: 2}").config == {"a": {"b": 1, "c": 2}}
    assert load("a: null", "a.b=1").config == {"a": {"b": 1}}
    assert load("a: [1, {b: 2}]", "a.0=9", "a[1].b=3").config == {"a": [9, {"b": 3}]}


def test_later_overrides_win():
    assert load_config(None, ["a=1", "a=2"]).config == {"a": 2}


def test_interpolation(load, monkeypatch):
    monkeypatch.setenv("REACTOR_TEST_PLACE", "a forest")
    config = load(
        "a: 1\nb: ${a}\nc: ${oc.env:REACTOR_TEST_PLACE}\nd: ${oc.env:NOT_SET_ANYWHERE,sea}\n", "a=2"
    ).config
    assert (config.b, config.c, config.d) == (2, "a forest", "sea")


def test_what_cannot_be_resolved_is_reported_not_raised(load):
    text, problems = report(load("ok: 1\nkey: ${oc.env:NOT_SET_ANYWHERE}\nmust: ???\nloop: ${loop}\n"))
    assert [problem.split(" ")[0] for problem in problems] == ["key", "must", "loop"]
    assert "NOT_SET_ANYWHERE" in problems[0]
    assert "config.yml:2" in problems[0]
    assert "--model.ok" in text


def test_the_report(load):
    text, problems = report(
        load("fps: 30\nsizes: [1, {a: 2}]\nempty: {}\nname: né\nsize:\n  width: 832\n", "fps=60")
    )
    assert not problems
    assert [line.split() for line in text.splitlines()] == [
        ["--model.fps", "60", "--model.fps", "int"],
        ["--model.sizes", "[1,", '{"a":', "2}]", "config.yml:2", "list"],
        ["--model.empty", "{}", "config.yml:3", "dict"],
        ["--model.name", '"né"', "config.yml:4", "str"],
        ["--model.size.width", "832", "config.yml:6", "int"],
    ]


def test_origins_of_merged_and_replaced_mappings(load):
    assert load("a: {b: 1, c: 2}", "a={c: 3}").origins["a.b"] == "config.yml:1"
    assert load("a: {b: 1, c: 2}", "a={c: 3}").origins["a.c"] == "--model.a"
    assert "a.b" not in load("a: {b: 1}", "a=5").origins


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: [1\n", r"^config\.yml:3:1: .*"),
        ("a: 1\n\tb: 2\n", r"^config\.yml:2:1: .*"),
        ("a: 1\nb: 1\na: 2\n", r"^config\.yml:3:1: found duplicate key a"),
        ("x:\n  a: 1\n  a: 2\n", r"^config\.yml:3:3: found duplicate key a"),
        ("- 1\n", r"^config\.yml:1: .* not a list"),
        ("\nhello\n", r"^config\.yml:2: .* not a single value"),
        ("5\n", r"^config\.yml:1: .* not a single value"),
        ("a: 1\nb: ${\n", r"^config\.yml:2: "),
        ("a: &x {b: *x}\n", r"^config\.yml"),
        ("a: 1\n---\nb: 2\n", r"^config\.yml:2:1: .*another document"),
        ("a: !!python/object/apply:os.system [true]\n", r"^config\.yml:1:4: "),
        ("[" * 5000, r"nested too deeply"),
        (b"\xff\xfe\x00\x01", r"not UTF-8 text"),
        (b"b: 1\na: \x00\n", r"^config\.yml:2: "),
    ],
)
def test_a_broken_file_is_one_sentence_with_its_place(load, text, expected):
    with pytest.raises(ConfigError, match=expected) as caught:
        load(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["nowhere.yml", ".", "config.yml/x", "a\0b"])
def test_a_file_that_cannot_be_read(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    Path("config.yml").touch()
    with pytest.raises(ConfigError, match=r"^@model in model\.py:4 names"):
        load_config(ConfigFile(Path(path), "@model in model.py:4"))


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("a.b=1", r"^--model\.a\.b: a is 5 \(config\.yml:1: `a: 5`\)"),
        ("list.7=1", r"^--model\.list\.7: list is a list with 2 items"),
        ("list.x=1", r"^--model\.list\.x: "),
        ("list.0.x=1", r"^--model\.list\.0\.x: list\.0 is 1"),
        ("a=[1", r"^--model\.a: its value is not valid YAML"),
        ("a=[1] #2", r"^--model\.a: its value is not valid YAML"),
        ("a=[#fff]", r"^--model\.a: its value is not valid YAML"),
        ("a={b: 1, b: 2}", r"^--model\.a: its value is not valid YAML \(found duplicate key b"),
        ("a=${x", r"^--model\.a"),
        ("=5", r"is no override"),
        ("a..b=5", r"is no override"),
        (".a=5", r"is no override"),
        ("a[=5", r"is no override"),
        ("a", r"is no override"),
        ("a b=5", r"is no override"),
    ],
)
def test_a_bad_override(load, override, expected):
    with pytest.raises(ConfigError, match=expected) as caught:
        load("a: 5\nlist: [1, 2]\n", override)
    assert "\n" not in str(caught.value)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.binary(max_size=200)
    | st.text(max_size=120).map(str.encode)
    | st.text("ab:-[]{}&*!'\"?|>%@\n $<", max_size=60).map(str.encode)
)
def test_any_bytes_are_a_configuration_or_a_config_error(load, content):
    try:
        config = load(content).config
    except ConfigError:
        return
    assert OmegaConf.is_dict(config)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=30) | st.text("ab.[]=01${}&*:", max_size=15))
def test_any_text_is_an_override_or_a_config_error(override):
    try:
        load_config(ConfigFile(Path(__file__).parent / "data" / "nested.yml", "--config"), [override])
    except ConfigError:
        return
