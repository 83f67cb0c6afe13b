"""`@model(config=MyConfig)`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from omegaconf import OmegaConf
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic.dataclasses import dataclass as checked_dataclass

from reactor_runtime import VideoModel, model
from reactor_runtime.authoring.building import build_model
from reactor_runtime.errors import ConfigError, ModelDefinitionError
from reactor_runtime.project.config import ConfigFile, load_config
from reactor_runtime.project.config_report import report
from reactor_runtime.project.loading import config_for
from reactor_runtime.project.resolved import resolved_data
from reactor_runtime.project.typed import as_validated, instance, with_defaults

HUSH = SecretStr("hush")


@dataclass
class Size:
    width: int = 832
    height: int = 480


@dataclass
class Plain:
    prompt: str = "sea"
    steps: int = 8
    size: Size = field(default_factory=lambda: Size(100, 200))
    mode: Literal["fast", "007"] = "fast"
    folder: Path = Path("x")
    key: SecretStr = HUSH
    more: dict[str, int] = field(default_factory=lambda: {"a": 1})
    debug: bool = False
    maybe: Size | None = None


class Checked(BaseModel):
    prompt: str
    steps: int = Field(8, ge=1)
    size: Size = Size(100, 200)
    scale: float = Field(1.0, alias="guidance-scale")


@checked_dataclass
class Both:
    steps: int = Field(8, ge=1)


def made(cls: type, *overrides: str, text: str | None = None) -> Any:
    file = None
    if text is not None:
        Path("c.yml").write_text(text)
        file = ConfigFile(Path("c.yml"), "--config")
    return instance(cls, load_config(file, overrides))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_nothing_given_is_the_defaults() -> None:
    assert made(Plain) == Plain()
    assert made(Both) == Both()  # type: ignore[call-arg]  # pydantic fills it in


def test_a_file_and_overrides_are_merged_into_the_defaults() -> None:
    found = made(
        Plain,
        "size.width=5",
        "more.b=2",
        "maybe.width=1",
        text="steps: ${size.width}\ndebug: yes\nfolder: a/b\n",
    )
    assert found == Plain(
        steps=5,
        size=Size(5, 200),
        more={"a": 1, "b": 2},
        debug=True,
        folder=Path("a/b"),
        maybe=Size(1, 480),
    )


def test_a_field_of_text_gets_what_was_typed() -> None:
    found = made(Plain, "mode=007", "key=123", text="prompt: 1.10\n")
    assert (found.prompt, found.mode, found.key.get_secret_value()) == ("1.10", "007", "123")
    assert made(Plain, "prompt=").prompt == ""
    assert made(Plain, "prompt=null").prompt == "null"


def test_an_alias_is_the_key() -> None:
    assert made(Checked, "prompt=x", "guidance-scale=3").scale == 3.0


@pytest.mark.parametrize(
    ("cls", "text", "overrides", "said"),
    [
        (
            Checked,
            "steps: 3\n",
            (),
            "prompt (required by Checked) has no value; give it with --model.prompt=VALUE",
        ),
        (
            Plain,
            "stepz: 3\n",
            (),
            "stepz (c.yml:1: `stepz: 3`): Plain has no such field; did you mean steps?",
        ),
        (Plain, "size: {hight: 3}\n", (), "Size has no such field; did you mean size.height?"),
        (Plain, "steps: many\n", (), "steps (c.yml:1: `steps: many`): Input should be a valid integer"),
        (Plain, "\n", ("steps=many",), "steps (--model.steps): Input should be a valid integer"),
        (
            Plain,
            "size:\n  width: x\n",
            (),
            "size.width (c.yml:2: `width: x`): Input should be a valid integer",
        ),
        (Plain, "mode: slow\n", (), "Input should be 'fast' or '007', not 'slow'"),
        (Both, "steps: 0\n", (), "Input should be greater than or equal to 1, not 0"),
        (
            Plain,
            "steps: ${oc.env:NOT_SET_ANYWHERE}\n",
            (),
            "`steps: ${oc.env:NOT_SET_ANYWHERE}`) cannot be resolved",
        ),
        (Checked, "prompt: ???\n", (), "prompt (c.yml:1: `prompt: ???`) has no value"),
    ],
)
def test_each_wrong_field_is_a_line(cls: type, text: str, overrides: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigError, match=rf"^The configuration is no {cls.__name__}:\n") as caught:
        made(cls, *overrides, text=text)
    assert said in str(caught.value)


def test_every_wrong_field_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        made(Plain, text="steps: many\ndebug: maybe\n")
    assert len(str(caught.value).splitlines()) == 3


def test_a_secret_is_in_no_sentence_and_no_table() -> None:
    with pytest.raises(ConfigError) as caught:
        made(Plain, text="key: [hunter2]\n")
    assert "hunter2" not in str(caught.value)
    given = load_config(None, ["key=hunter2"])
    for effective in (
        with_defaults(Plain, given),
        as_validated(with_defaults(Plain, given), instance(Plain, given)),
    ):
        assert "hunter2" not in report(effective)[0]
        assert "hunter2" not in str(resolved_data(effective))


def test_the_table_shows_what_the_model_gets_with_type_and_origin() -> None:
    given = load_config(None, ["mode=007", "size.width=5"])
    shown = as_validated(with_defaults(Plain, given), instance(Plain, given))
    rows = [line.split(maxsplit=1) for line in report(shown)[0].splitlines()]
    table = {row[0]: " ".join(row[1].split()) for row in rows}
    assert table["--model.mode"] == "\"007\" --model.mode Literal['fast', '007']"
    assert table["--model.size.width"] == "5 --model.size.width int"
    assert table["--model.size.height"] == "200 default of Plain int"
    assert table["--model.folder"] == '"x" default of Plain Path'


def test_a_value_that_must_be_given_is_in_the_table() -> None:
    text, problems = report(with_defaults(Checked, load_config(None)))
    assert " ".join(text.splitlines()[0].split()) == "--model.prompt must be given required by Checked str"
    assert len(problems) == 1


def test_a_post_init_that_raises_is_a_sentence() -> None:
    @dataclass
    class Odd:
        steps: int = 7

        def __post_init__(self) -> None:
            if self.steps % 2:
                raise RuntimeError("steps must be even")

    with pytest.raises(ConfigError, match=r"RuntimeError: steps must be even"):
        made(Odd)


def test_more_keys_where_the_class_allows_them() -> None:
    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")

    assert made(Open, "anything=1").anything == 1


def test_the_model_gets_the_instance() -> None:
    @model(name="m", config=Plain)
    class M(VideoModel):
        def __init__(self, settings: Plain) -> None:
            self.settings = settings

        def start_session(self) -> None: ...

    class NoWeights:
        def path(self, name: str) -> Path:
            raise LookupError(name)

    for given in ({"steps": 3}, Plain(steps=3), OmegaConf.create({"steps": 3})):
        built = build_model(M, config_for(M, given), NoWeights())
        assert built.settings == Plain(steps=3)  # type: ignore[attr-defined]  # M's own attribute
    assert config_for(M) == Plain()
    with pytest.raises(ConfigError, match=r"must be a mapping, not int"):
        config_for(M, 5)


def test_a_class_that_is_no_configuration_is_refused_where_it_stands() -> None:
    class Nothing:
        pass

    with pytest.raises(ModelDefinitionError, match=r"@dataclass above class Nothing"):
        model(name="m", config=Nothing)


def test_a_class_that_holds_itself() -> None:
    assert made(Node, "next.steps=3").next == Node(3)


@dataclass
class Node:
    steps: int = 1
    next: Node | None = None


def test_every_default_of_the_example_is_a_field() -> None:
    assert {each.name for each in dataclasses.fields(Plain)} == set(
        with_defaults(Plain, load_config(None)).config
    )
