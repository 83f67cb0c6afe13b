"""What the schema publishes is accepted when it comes back, and means what it meant (lesson 54)."""

from __future__ import annotations

import copy
import json
import math
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import PurePosixPath
from typing import Annotated, Any, Final, Generator, Generic, Literal, Optional, TypeVar  # noqa: UP035

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    WrapValidator,
    computed_field,
    create_model,
    model_validator,
)
from typing_extensions import TypedDict

from reactor_runtime import VideoModel, command
from reactor_runtime.authoring.command import CommandSpec, commands_of
from reactor_runtime.errors import InvalidCommandError, ModelDefinitionError

T = TypeVar("T")


class Mode(Enum):
    FAST = "fast"
    QUICK = "fast"  # noqa: PIE796 - an alias is what is tested
    GOOD = "good"


class Size(Enum):
    HD = (1280, 720)
    SD = (640, 360)


class Level(IntEnum):
    ONE = 1
    TWO = 2


class Ratio(Enum):
    WIDE = 1.5
    OFF = False
    ON = True
    DAY = date(2026, 1, 2)


class Word(StrEnum):
    A = "a"


class Plain(BaseModel):
    x: int = 1
    name: str = "n"


class Full(BaseModel):
    scale: int = Field(1, validation_alias=AliasChoices("guidance", "cfg"), serialization_alias="other")
    hidden: int = Field(2, exclude=True)
    size: tuple[int, int] = (1, 2)
    inner: Plain = Plain()
    mode: Mode = Mode.FAST
    maybe: int = None  # type: ignore[assignment] # authors write it

    @computed_field  # type: ignore[prop-decorator] # pydantic's own way to write it
    @property
    def twice(self) -> int:
        return self.scale * 2


class Forbidding(Full):
    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def look(cls, data: Any) -> Any:
        return data


class Names(RootModel[list[str]]):
    pass


class Keys(TypedDict):
    a: int
    when: date


@dataclass
class Stroke:
    points: tuple[Plain, ...] = ()
    sizes: frozenset[int] = frozenset({1})
    made: int = field(default=3, init=False)


def spec(annotation: Any, *default: Any) -> CommandSpec:
    def go(self, p): ...

    go.__annotations__ = {"p": annotation}
    go.__defaults__ = default or None
    return commands_of(type("Some", (VideoModel,), {"go": command("go")(go)}))["go"]


def sent_back(one: CommandSpec, value: Any) -> Any:
    return one.validate(json.loads(json.dumps({"p": value})))["p"]


def check_default(one: CommandSpec) -> None:
    fragment = one.flat_schema()["p"]
    left_out = one.validate({})["p"]
    returned = sent_back(one, fragment["default"])
    assert type(returned) is type(left_out)
    assert returned == left_out


TIMES = st.times() | st.times(timezones=st.just(UTC))
SCALARS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (int, st.integers(-(2**70), 2**70)),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (bool, st.booleans()),
    (str, st.text(st.characters(codec="utf-8"), max_size=8)),
    (bytes, st.text(max_size=4).map(lambda text: text.encode("utf-8", "replace"))),
    (Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
    (date, st.dates()),
    (datetime, st.datetimes()),
    (time, TIMES),
    (timedelta, st.timedeltas(timedelta(days=-9999), timedelta(days=9999))),
    (uuid.UUID, st.uuids()),
    (PurePosixPath, st.sampled_from([PurePosixPath("a/b"), PurePosixPath("/x")])),
    (Mode, st.sampled_from(Mode)),
    (Size, st.sampled_from(Size)),
    (Level, st.sampled_from(Level)),
    (Ratio, st.sampled_from(Ratio)),
    (Word, st.sampled_from(Word)),
    (Literal["a", 1, True, None], st.sampled_from(["a", 1, True, None])),
    (Literal[Level.ONE, "x", b"y"], st.sampled_from([Level.ONE, "x", b"y"])),
    (Plain, st.builds(Plain, x=st.integers(-9, 9))),
    (Full, st.builds(Full, guidance=st.integers(-9, 9), hidden=st.integers(-9, 9))),
    (Forbidding, st.builds(Forbidding, guidance=st.integers(-9, 9), hidden=st.integers(-9, 9))),
    (Names, st.just(Names(["a"]))),
    (Keys, st.just({"a": 1, "when": date(2026, 1, 1)})),
    (Stroke, st.builds(Stroke, st.just((Plain(x=4),)))),
]


def can_be_copied(value: Any) -> bool:
    """Pydantic makes an iterator of an Iterable in a model; as a default it is refused, see below."""
    try:
        copy.deepcopy(value)
    except TypeError:
        return False
    return True


def nested(inner: tuple[Any, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    annotation, values = inner
    made: list[tuple[Any, st.SearchStrategy[Any]]] = [
        (list[annotation], st.lists(values, max_size=3)),
        (Sequence[annotation], st.lists(values, max_size=3)),
        (Iterable[annotation], st.lists(values, max_size=3)),
        (tuple[annotation, ...], st.lists(values, max_size=3).map(tuple)),
        (tuple[annotation, int], st.tuples(values, st.integers(0, 9))),
        (dict[str, annotation], st.dictionaries(st.text("abc", max_size=2), values, max_size=3)),
        (Mapping[str, annotation], st.dictionaries(st.text("abc", max_size=2), values, max_size=3)),
        (Optional[annotation], values | st.none()),  # noqa: UP045 - not every annotation knows `|`
        (Annotated[annotation, BeforeValidator(lambda value: value)], values),
        (Annotated[annotation, WrapValidator(lambda value, handler: handler(value))], values),
        (create_model("Holder", inner=(annotation, ...)), None),  # type: ignore[list-item] # built below
    ]
    holder = made.pop()[0]
    made.append((holder, values.map(lambda value: holder(inner=value)).filter(can_be_copied)))
    if annotation in (int, str, date, uuid.UUID, Mode, Level, Size, Decimal):
        made += [
            (set[annotation], st.sets(values, max_size=3)),
            (frozenset[annotation], st.frozensets(values, max_size=3)),
        ]
    if annotation in (int, str, date, Mode, Level):
        made.append((dict[annotation, int], st.dictionaries(values, st.integers(0, 9), max_size=3)))
    return st.sampled_from(made)


TYPES = st.sampled_from(SCALARS)
TYPES = TYPES | TYPES.flatmap(nested) | TYPES.flatmap(nested).flatmap(nested)


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_a_default_means_the_same_left_out_and_sent_back(data):
    annotation, values = data.draw(TYPES)
    default = data.draw(values)
    one = spec(annotation, Field(default))
    check_default(one)
    got = one.validate({})["p"]
    assert got == default or (isinstance(default, int | float) and math.isclose(got, default))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_values_arrive_behind_any_validator(data):
    annotation, values = data.draw(TYPES)
    value = data.draw(values)
    plain, wrapped = spec(annotation, Field(value)), annotation
    for validator in (BeforeValidator(lambda v: v), WrapValidator(lambda v, handler: handler(v))):
        wrapped = Annotated[wrapped, validator]
    sent = plain.flat_schema()["p"]["default"]
    assert sent_back(spec(wrapped), sent) == sent_back(plain, sent) == value


def members(fragment: Mapping[str, Any]) -> Iterator[Any]:
    yield from fragment.get("enum", [fragment["const"]] if "const" in fragment else [])
    for arm in fragment.get("anyOf", ()):
        yield from members(arm)


@pytest.mark.parametrize(
    "annotation",
    [Mode, Size, Level, Ratio, Word, Literal["a", 1, True, None], Literal[1], Mode | None, Size | int],
)
def test_every_published_member_is_accepted_once(annotation):
    one = spec(annotation)
    published = list(members(one.flat_schema()["p"]))
    assert published
    texts = [json.dumps(each) for each in published]
    assert len(texts) == len(set(texts))
    for each in published:
        value = sent_back(one, each)
        plain = value.value if isinstance(value, Enum) else value
        assert json.dumps(plain, default=str) == json.dumps(each)


@pytest.mark.parametrize("annotation", [int, float, Decimal, Level, Literal[1], Size, timedelta, date])
@pytest.mark.parametrize("around", [lambda t: t, lambda t: Annotated[t, BeforeValidator(lambda v: v)]])
def test_true_is_no_number(annotation, around):
    with pytest.raises(InvalidCommandError):
        sent_back(spec(around(annotation)), True)


def test_what_a_validator_made_is_taken_and_what_the_client_sent_is_not():
    one = spec(Annotated[int, BeforeValidator(lambda v: v if v == "5" else str(v))])
    assert sent_back(one, 7) == 7
    with pytest.raises(InvalidCommandError, match="whole number, not '5'"):
        sent_back(one, "5")


@pytest.mark.parametrize(
    ("annotation", "default", "means"),
    [
        (Annotated[int, AfterValidator(lambda v: v * 2)], 2, 4),
        (Full, Full(guidance=3, hidden=9), Full(guidance=3, hidden=9)),  # type: ignore[call-arg]  # one field has an alias
        (list[int], (1, 2), [1, 2]),
        (Any, (1, 2), [1, 2]),
        (Iterable[int], (1, 2), [1, 2]),
        (Mode, "good", Mode.GOOD),
        (Full, {"guidance": 4}, Full(guidance=4)),  # type: ignore[call-arg]  # one field has an alias
    ],
)
def test_what_defaults_mean(annotation, default, means):
    one = spec(annotation, default)
    check_default(one)
    assert one.validate({})["p"] == means


def test_defaults_of_fields_mean_the_same_too():
    class Doubled(BaseModel):
        x: Annotated[int, AfterValidator(lambda v: v * 2)] = 2
        mode: Mode = "good"  # type: ignore[assignment] # authors write it
        maybe: int = None  # type: ignore[assignment]

    one = spec(Doubled)
    published = {name: part["default"] for name, part in one.flat_schema()["p"]["properties"].items()}
    assert published == {"x": 2, "mode": "good", "maybe": None}
    assert sent_back(one, {}) == sent_back(one, published)
    assert sent_back(one, {}).x == 4


def test_a_class_says_how_json_spells_its_parts():
    one = spec(Encoded, Encoded())
    check_default(one)
    published = {name: part["default"] for name, part in one.flat_schema()["p"]["properties"].items()}
    assert published == one.flat_schema()["p"]["default"] == {"raw": "_wA=", "text": "YWJjZA=="}
    assert sent_back(one, published) == Encoded()


class Sub(Plain):
    more: int = 3


class ByPath(BaseModel):
    x: int = Field(1, validation_alias=AliasPath("size", 0))


class Twins(Enum):
    LIST = [1, 2]  # noqa: RUF012 - the value of a member
    TUPLE = (1, 2)


class Encoded(BaseModel):
    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
    raw: bytes = b"\xff\x00"
    text: bytes = b"abcd"


class Unreadable(BaseModel):
    x: Annotated[int, AfterValidator(lambda v: v + 1)] = 0


class Opaque(Enum):
    A = object()


@pytest.mark.parametrize(
    ("annotation", "default", "said"),
    [
        (Plain, (Sub(),), "means something else when a client sends it back"),
        (Any, (Mode.FAST,), "annotate the exact type"),
        (Any, ({1, 2},), "means something else"),
        (Unreadable, (Unreadable(x=5),), "means something else"),
        (Twins, (), "are both \\[1, 2\\] in JSON"),
        (Opaque, (), "no JSON form"),
        (ByPath, (), "is read from inside of another value"),
        (Generator[int, None, None], (), "read once only"),
        (list[Iterator[int]], (), "read once only|cannot send"),
    ],
)
def test_what_cannot_be_published_true_is_refused(annotation, default, said):
    with pytest.raises(ModelDefinitionError, match=said) as caught:
        spec(annotation, *default)
    assert "parameter 'p'" in str(caught.value)


def test_iterables_are_checked_and_can_be_read_twice():
    one = spec(Iterable[int])
    with pytest.raises(InvalidCommandError, match=r"'p\.1' must be a whole number"):
        sent_back(one, [1, "two"])
    value = sent_back(one, [1, 2])
    assert list(value) == list(value) == [1, 2]


def test_a_factory_sees_the_arguments_under_their_names():
    class Some(VideoModel):
        @command("go")
        def go(
            self,
            a: Mode = "good",  # type: ignore[assignment] # authors write it
            b: list = Field(default_factory=lambda data: [data["a"]]),  # type: ignore[type-arg] # noqa: B008
        ): ...

    one = commands_of(Some)["go"]
    assert one.validate({}) == {"a": Mode.GOOD, "b": [Mode.GOOD]}
    assert one.validate({"a": "fast"}) == {"a": Mode.FAST, "b": [Mode.FAST]}


def test_final_is_what_it_wraps():
    assert spec(Final[int], 1).flat_schema()["p"] == {"type": "integer", "default": 1}
    assert spec(Final, 1).flat_schema()["p"] == {"default": 1}


def test_pydantics_own_sentence_is_kept():
    class Old(BaseModel):
        x: Callable[[int], int]

    with pytest.raises(ModelDefinitionError, match=r"Pydantic says: .*callable|Pydantic says: .*Callable"):
        spec(Old)


class Base(VideoModel, Generic[T]):
    @command("take")
    def take(self, x: T, xs: list[T] | None = None): ...


def test_type_variables_mean_what_the_subclass_said():
    class Model(Base[int]): ...

    class Middle(Base[list[T]], Generic[T]): ...

    class Deep(Middle[str]): ...

    assert commands_of(Model)["take"].flat_schema()["x"] == {"type": "integer", "required": True}
    with pytest.raises(InvalidCommandError, match="'x' must be a whole number"):
        commands_of(Model)["take"].validate({"x": "text"})
    assert commands_of(Model)["take"].validate({"x": 1, "xs": [2]}) == {"x": 1, "xs": [2]}
    assert commands_of(Deep)["take"].validate({"x": ["a"]})["x"] == ["a"]


def test_a_type_variable_that_nobody_bound_is_refused():
    class Model(Base): ...  # type: ignore[type-arg]

    with pytest.raises(ModelDefinitionError, match=r"'x': type variable ~T means nothing yet.*Base\[int\]"):
        commands_of(Model)["take"].flat_schema()


def test_a_default_that_can_be_read_only_once_is_refused():
    holder = create_model("Holder", inner=(Iterable[int], ...))
    with pytest.raises(ModelDefinitionError, match=r"'p'.* cannot be copied.*declare a list"):
        spec(holder, holder(inner=[1, 2]))
