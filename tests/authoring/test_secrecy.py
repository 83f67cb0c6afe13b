"""A secret is in no refusal, no schema and no log."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    Secret,
    SecretBytes,
    SecretStr,
    StringConstraints,
)

from reactor_runtime import VideoModel, command, model
from reactor_runtime.authoring.command import CommandSpec, commands_of
from reactor_runtime.authoring.description import describe
from reactor_runtime.errors import InvalidCommandError, ModelDefinitionError
from reactor_runtime.protocol.openapi import model_schema

WORD = "hunter2"


class Login(BaseModel):
    user: str
    key: SecretStr = Field(min_length=20)


class WithDefault(BaseModel):
    key: SecretStr = SecretStr(WORD)
    steps: int = 3


def speaks(value: Any) -> Any:
    raise ValueError(f"this is no key: {value!r}")


def reveals(value: SecretStr) -> SecretStr:
    raise ValueError(f"not this one: {value.get_secret_value()}")


def spec(annotation: Any, *default: Any) -> CommandSpec:
    def go(self, p): ...

    go.__annotations__ = {"p": annotation}
    go.__defaults__ = default or None
    return commands_of(type("Some", (VideoModel,), {"go": command("go")(go)}))["go"]


@pytest.mark.parametrize(
    ("annotation", "sent"),
    [
        (Annotated[SecretStr, Field(min_length=20)], WORD),
        (Annotated[SecretBytes, Field(min_length=20)], WORD),
        (Annotated[SecretStr, Field(max_length=3)], WORD),
        (Annotated[SecretStr, BeforeValidator(speaks)], WORD),
        (Annotated[SecretStr, AfterValidator(reveals)], WORD),
        (Secret[Annotated[str, StringConstraints(pattern="^x")]], WORD),
        (Secret[Annotated[int, Field(gt=10_000)]], 4711),
        (SecretStr, 4711),
        (SecretStr, [WORD]),
        (SecretStr, {WORD: WORD}),
        (SecretStr | None, [WORD]),
        (int | SecretStr, [WORD]),
        (list[Annotated[SecretStr, Field(min_length=20)]], [WORD]),
        (dict[str, Annotated[SecretStr, Field(min_length=20)]], {"a": WORD}),
        (tuple[int, Annotated[SecretStr, Field(min_length=20)]], [1, WORD]),
        (Login, {"user": "a", "key": WORD}),
        (list[Login] | None, [{"user": "a", "key": WORD}]),
        (Annotated[Login, BeforeValidator(lambda v: v)], {"user": "a", "key": WORD}),
        (Annotated[SecretStr, Field(min_length=20_000)], WORD * 1000),
    ],
)
def test_a_refusal_repeats_no_secret(annotation, sent):
    with pytest.raises(InvalidCommandError) as caught:
        spec(annotation).validate({"p": sent})
    assert WORD not in str(caught.value)
    assert "4711" not in str(caught.value)
    assert WORD not in repr(caught.value.__cause__) + repr(caught.value.__context__ and "")
    assert caught.value.field == "p"


def test_other_values_beside_a_secret_are_still_named():
    with pytest.raises(InvalidCommandError, match=r"'p\.user' must be text, not 3"):
        spec(Login).validate({"p": {"user": 3, "key": "x" * 30}})


def test_what_is_wrong_with_a_secret_is_said_in_words_for_text():
    with pytest.raises(InvalidCommandError, match="must have at least 20 characters, not what was given"):
        spec(Annotated[SecretStr, Field(min_length=20)]).validate({"p": WORD})


def test_secrets_arrive():
    assert spec(SecretStr).validate({"p": WORD})["p"].get_secret_value() == WORD
    assert spec(list[SecretBytes]).validate({"p": [WORD]})["p"][0].get_secret_value() == WORD.encode()


@pytest.mark.parametrize(
    ("annotation", "default"),
    [
        (SecretStr, SecretStr(WORD)),
        (SecretStr, WORD),
        (SecretBytes, SecretBytes(WORD.encode())),
        (SecretStr | None, SecretStr(WORD)),
        (list[SecretStr], [WORD]),
        (WithDefault, WithDefault()),
        (WithDefault, WithDefault(steps=5)),
    ],
)
def test_a_secret_default_works_and_is_not_published(annotation, default):
    one = spec(annotation, default)
    text = json.dumps([one.flat_schema(), one.json_schema()])
    assert WORD not in text
    assert "***" not in text
    assert "default" not in one.flat_schema()["p"]
    assert WORD in repr(reveal(one.validate({})["p"]))


def reveal(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return [reveal(part) for part in vars(value).values()]
    if isinstance(value, list):
        return [reveal(part) for part in value]
    return value.get_secret_value() if isinstance(value, Secret | SecretStr | SecretBytes) else value


@pytest.mark.parametrize("annotation", [SecretStr, SecretBytes, Secret[str], Secret[int]])
def test_a_secret_is_marked_for_pages(annotation):
    assert spec(annotation).flat_schema()["p"]["writeOnly"] is True


def test_a_default_that_is_refused_is_not_repeated():
    with pytest.raises(ModelDefinitionError) as caught:
        spec(Annotated[SecretStr, Field(min_length=20)], WORD)
    assert WORD not in str(caught.value)


def test_the_schema_of_the_model_has_no_secret():
    @model(name="some")
    class Some(VideoModel):
        @command("go")
        def go(self, key: SecretStr = SecretStr(WORD), login: WithDefault = WithDefault()): ...  # noqa: B008

        def start_session(self): ...

    assert WORD not in json.dumps(model_schema(describe(Some)))


def test_values_in_refusals_are_short():
    def check(value):
        raise ValueError("x" * 10_000)

    for annotation in (int, Annotated[str, AfterValidator(check)], Annotated[str, Field(pattern="^b" * 900)]):
        with pytest.raises(InvalidCommandError) as caught:
            spec(annotation).validate({"p": "a" * 10_000})
        assert len(str(caught.value)) < 600
        assert "a" * 81 not in str(caught.value)
    with pytest.raises(InvalidCommandError) as caught:
        spec(int).validate({"n" * 10_000: 1})
    assert len(str(caught.value)) < 300
    assert len(caught.value.field or "") <= 80
