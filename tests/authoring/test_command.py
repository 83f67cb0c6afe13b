from __future__ import annotations

import functools
import re
import textwrap
from enum import Enum
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from reactor_runtime import VideoIn, VideoModel, command
from reactor_runtime.authoring.command import commands_of
from reactor_runtime.errors import ModelDefinitionError


class Base(VideoModel):
    @command("set_prompt", description="Change the prompt")
    def set_prompt(self, prompt: str):
        return prompt

    @command("set_speed")
    def set_speed(self, speed: float = Field(0.5, ge=0.0, le=1.0)): ...

    @command("wait")
    async def wait(self): ...


def test_what_a_command_says_about_itself():
    spec = commands_of(Base)["set_prompt"]
    assert (spec.name, spec.description, spec.method) == ("set_prompt", "Change the prompt", "set_prompt")
    assert spec.function is Base.set_prompt
    assert commands_of(Base)["wait"].validate(None) == {}
    assert Base().set_prompt("directly") == "directly"
    assert "Base.set_prompt" in repr(spec)


def test_overriding_a_method_overrides_the_command():
    class Child(Base):
        def set_prompt(self, prompt: str, strength: float = 1): ...

        @command("faster")
        def set_speed(self, by: int): ...

    assert list(commands_of(Child)) == ["set_prompt", "faster", "wait"]
    spec = commands_of(Child)["set_prompt"]
    assert spec.function is Child.set_prompt
    assert spec.description == "Change the prompt"
    assert list(spec.flat_schema()) == ["prompt", "strength"]
    assert list(commands_of(Base)["set_prompt"].flat_schema()) == ["prompt"]


def test_a_bare_override_keeps_the_declared_arguments():
    class Child(Base):
        def set_speed(self, speed):
            super().set_speed(speed)

    assert commands_of(Child)["set_speed"].flat_schema() == commands_of(Base)["set_speed"].flat_schema()
    assert commands_of(Child)["set_speed"].validate({}) == {"speed": 0.5}


def test_none_removes_a_command():
    class Child(Base):
        set_speed = None

    assert list(commands_of(Child)) == ["set_prompt", "wait"]


def test_mixins_count():
    class Mixin:
        @command("mixed")
        def mixed(self, a: int): ...

    class Child(Base, Mixin):
        pass

    assert list(commands_of(Child)) == ["mixed", "set_prompt", "set_speed", "wait"]
    assert list(commands_of(Mixin)) == ["mixed"]


def test_the_nearest_class_wins_a_name():
    class Child(Base):
        @command("set_prompt")
        def another(self, text: str): ...

    assert commands_of(Child)["set_prompt"].method == "another"


def test_a_wrapped_method_is_described_by_what_it_wraps():
    def logged(method):
        @functools.wraps(method)
        def wrapper(*args, **kwargs):
            return method(*args, **kwargs)

        return wrapper

    class Wrapped(VideoModel):
        @command("inside")
        @logged
        def inside(self, a: int): ...

        @logged
        @command("outside")
        def outside(self, b: Literal["x"]): ...

    assert list(commands_of(Wrapped)["inside"].flat_schema()) == ["a"]
    assert commands_of(Wrapped)["outside"].flat_schema()["b"]["const"] == "x"


def test_two_methods_with_one_command_name():
    with pytest.raises(ModelDefinitionError, match=r"two commands called 'go': methods first and second"):

        class Two(VideoModel):
            @command("go")
            def first(self): ...

            @command("go")
            def second(self): ...


def test_a_command_method_that_would_replace_another():
    with pytest.raises(ModelDefinitionError, match="another command method called 'move'"):

        class Two(VideoModel):
            @command("left")
            def move(self): ...

            @command("right")
            def move(self): ...  # noqa: F811 - that is the point


@pytest.mark.parametrize("name", ["", "two words", "tab\t", "x" * 65, 3, None])
def test_names_that_are_no_names(name):
    with pytest.raises(ModelDefinitionError):
        command(name)


def test_a_description_that_is_no_text():
    with pytest.raises(ModelDefinitionError, match="as text"):
        command("a", description=3)


def test_bare_use():
    with pytest.raises(
        ModelDefinitionError, match=r"needs a name, and got .*bare.* Write @command\('bare'\)"
    ):

        @command
        def bare(self): ...


def test_twice_on_one_method():
    with pytest.raises(ModelDefinitionError, match="is the command 'a' already"):

        @command("b")
        @command("a")
        def both(self): ...


def _generator(self):
    yield


async def _async_generator(self):
    yield


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (staticmethod(lambda self: None), "decorates a staticmethod"),
        (classmethod(lambda cls: None), "decorates a classmethod"),
        (property(lambda self: None), "decorates a property"),
        (int, "decorates a type"),
        (functools.partial(print), "decorates a partial"),
        (_generator, "contains `yield`"),
        (_async_generator, "contains `yield`"),
        (lambda: None, "must take `self`"),
        (lambda *, a: None, "must take `self`"),
        (lambda self, *args: None, r"'\*args' takes any number of values"),
        (lambda self, **kwargs: None, r"'\*\*kwargs' takes any name"),
        (lambda self, a, /: None, "'a' is positional-only"),
    ],
)
def test_methods_that_no_client_could_call(target, said):
    with pytest.raises(ModelDefinitionError, match=said):
        command("go")(target)


def test_hooks_are_no_commands():
    def start_session(self): ...

    with pytest.raises(ModelDefinitionError, match="the runtime calls start_session itself"):
        command("go")(start_session)


@pytest.mark.parametrize("wrap", [staticmethod, classmethod])
def test_wrapped_above_the_decorator(wrap):
    with pytest.raises(ModelDefinitionError, match=f"remove the @{wrap.__name__} line"):

        class Wrong(VideoModel):
            @wrap
            @command("go")
            def go(self): ...


def test_a_command_replaced_by_something_else():
    with pytest.raises(
        ModelDefinitionError, match=r"py:\d+\) replaces the command 'set_prompt', .*py:\d+\), by a int"
    ):

        class Wrong(Base):
            set_prompt = 3


class Mode(Enum):
    GLOBAL = "global"


def test_strings_name_what_the_class_can_see():
    class Local(Enum):
        HERE = "here"

    class Some(VideoModel):
        import enum
        from typing import Literal as OneOf

        Speed = Annotated[float, Field(le=1)]

        class Mode(Enum):
            NESTED = "nested"

        @command("go")
        def go(self, local: Local, nested: Mode, deep: list[Annotated[Mode, "doc"]]): ...

        @command("more")
        def more(self, alias: Speed, special: OneOf["a"], kind: enum.Enum = None): ...  # type: ignore[name-defined, assignment]  # as authors write it

        def set(self): ...

        @command("after")
        def after(self, tags: set[int]): ...

    schema = commands_of(Some)["go"].flat_schema()
    assert schema["local"]["enum"] == ["here"]
    assert schema["nested"]["enum"] == ["nested"]
    assert schema["deep"]["items"]["enum"] == ["nested"]
    more = commands_of(Some)["more"].flat_schema()
    assert (more["alias"]["maximum"], more["special"]["const"]) == (1, "a")
    assert commands_of(Some)["after"].flat_schema()["tags"]["type"] == "array"


class Early(VideoModel):
    @command("go")
    def go(self, mode: Later, names: list[Nested]): ...


class Later(Enum):
    LATE = "late"


class Nested(BaseModel):
    inner: LastOfAll


class LastOfAll(BaseModel):
    value: int


def test_names_defined_further_down():
    spec = commands_of(Early)["go"]
    assert spec.validate({"mode": "late", "names": [{"inner": {"value": 3}}]}) == {
        "mode": Later.LATE,
        "names": [Nested(inner=LastOfAll(value=3))],
    }


def test_names_that_never_come():
    class Never(VideoModel):
        @command("go")
        def go(self, fine: int, mode: Nowhere): ...  # type: ignore[name-defined]  # noqa: F821 - that is the point

    spec = commands_of(Never)["go"]
    for use in (spec.flat_schema, spec.json_schema, lambda: spec.validate({}), lambda: spec.arguments):
        with pytest.raises(
            ModelDefinitionError, match=r"'go'.*Never\.go.*'mode': name 'Nowhere' is not defined"
        ):
            use()


def model_with(body: str) -> type[VideoModel]:
    scope = {"VideoModel": VideoModel, "VideoIn": VideoIn, "command": command, "wraps": functools.wraps}
    exec("class Some(VideoModel):\n" + textwrap.indent(textwrap.dedent(body), "    "), scope)
    return scope["Some"]  # type: ignore[return-value] # the class statement above made it


COMMAND = "@command('speed')\ndef speed(self, x: int = 1): return x\n"


@pytest.mark.parametrize(
    "later",
    [
        "@property\ndef speed(self): return 1",
        "def speed(self): ...",
        "speed = 1.0",
        "speed: float = 1.0",
        "speed = None",
        "speed = VideoIn()",
        "class speed: ...",
        "speed = staticmethod(lambda: 1)",
    ],
)
def test_a_later_name_that_takes_a_command_away(later):
    with pytest.raises(ModelDefinitionError, match=r"command 'speed', Some.speed \(<string>:2\), is lost"):
        model_with(COMMAND + later)


def test_both_lines_are_named_where_there_is_source():
    with pytest.raises(ModelDefinitionError, match="is lost") as caught:

        class Lost(VideoModel):
            @command("speed")
            def speed(self): ...

            speed = 1.0  # noqa: F811 - what is tested

    lines = [int(line) for line in re.findall(r"test_command\.py:(\d+)", str(caught.value))]
    assert lines[1] == lines[0] + 3


@pytest.mark.parametrize(
    "earlier", ["speed = 1.0", "@property\ndef speed(self): return 1", "speed = VideoIn()"]
)
def test_a_command_that_takes_an_earlier_name_away(earlier):
    with pytest.raises(ModelDefinitionError, match="the class has 'speed' already"):
        model_with(earlier + "\n" + COMMAND)


def test_the_line_of_an_earlier_name():
    with pytest.raises(ModelDefinitionError, match=r"already in line \d+, a float") as caught:

        class Hides(VideoModel):
            speed = 1.0

            @command("speed")
            def speed(self): ...  # noqa: F811 - what is tested

    method = int(re.search(r"test_command\.py:(\d+)", str(caught.value))[1])
    earlier = int(re.search(r"in line (\d+)", str(caught.value))[1])
    assert earlier == method - 2


def test_a_decorator_above_that_keeps_the_function_keeps_the_command():
    keeping = "keep = lambda f: wraps(f)(lambda self, x=1: f(self, x) * 2)\n@keep\n" + COMMAND
    spec = commands_of(model_with(keeping))["speed"]
    assert spec.call(spec.function, {"x": 2}) == 4
    with pytest.raises(ModelDefinitionError, match="is lost"):
        model_with("lose = lambda f: lambda self, x=1: f(self, x)\n@lose\n" + COMMAND)


def test_a_mixin_may_not_lose_its_command_either():
    class Mixin:
        @command("speed")
        def speed(self): ...

        @property
        def speed(self):  # noqa: F811 - what is tested
            return 1

    with pytest.raises(ModelDefinitionError, match="is lost"):

        class Some(Mixin, VideoModel): ...


@pytest.mark.parametrize("name", ["track", "value", "property"])
def test_a_subclass_says_which_lines_are_at_odds(name):
    values = {"track": VideoIn(), "value": 1, "property": property(lambda self: 1)}
    with pytest.raises(
        ModelDefinitionError, match=r"replaces the command 'set_speed', Base.set_speed \(.*py:\d+"
    ):
        type("Child", (Base,), {"set_speed": values[name]})


def test_what_a_model_keeps_under_the_name_hides_nothing():
    model = model_with("@command('speed')\ndef speed(self, x: float):\n    self.speed = x\n    return x")
    one, instance = commands_of(model)["speed"], model()
    assert [one.call(instance, {"x": x}) for x in (1.0, 2.0)] == [1.0, 2.0]
    assert instance.speed == 2.0  # type: ignore[attr-defined]

    class Child(model):  # type: ignore[misc, valid-type]
        def speed(self, x):
            return -x

    assert commands_of(Child)["speed"].call(Child(), {"x": 1.0}) == -1.0
