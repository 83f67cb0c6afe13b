from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from reactor_runtime import VideoModel, VideoOut, command, model
from reactor_runtime.authoring.command import commands_of
from reactor_runtime.authoring.spec import is_model, spec_of
from reactor_runtime.authoring.tracks import tracks_of
from reactor_runtime.errors import ModelDefinitionError


def make(*args, **kwargs):
    @model(*args, **kwargs)
    class Some(VideoModel):
        pass

    return Some


def test_the_class_carries_its_own_specification():
    spec = spec_of(make("my-model", config="config.yml", weights=["a", "b.c"], author="Me", tracks=[1]))
    assert (spec.name, spec.config, spec.weights) == ("my-model", "config.yml", ("a", "b.c"))
    assert spec.metadata == {"author": "Me", "tracks": [1]}
    assert spec.file == Path(__file__).absolute()
    assert spec.line == make.__code__.co_firstlineno + 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.name = "other"
    with pytest.raises(TypeError):
        spec.metadata["author"] = "you"


def test_the_least():
    spec = spec_of(make("m"))
    assert (spec.config, spec.weights, dict(spec.metadata)) == (None, (), {})
    assert spec_of(make("m", Path("a") / "b.yml")).config == "a/b.yml"


def test_two_models_never_see_each_other():
    @model("same-name")
    class One(VideoModel):
        left = VideoOut()

        @command("go")
        def go(self, a: int): ...

    @model("same-name")
    class Two(VideoModel):
        right = VideoOut()

        @command("go")
        def go(self, b: str): ...

    assert list(tracks_of(One)) == ["left"]
    assert list(tracks_of(Two)) == ["right"]
    assert list(commands_of(One)["go"].flat_schema()) == ["a"]
    assert list(commands_of(Two)["go"].flat_schema()) == ["b"]


def test_a_subclass_is_not_decorated_by_its_base():
    base = make("base")

    class Child(base):
        pass

    assert is_model(base)
    assert not is_model(Child)
    with pytest.raises(ModelDefinitionError, match="Child is not decorated with @model"):
        spec_of(Child)
    assert spec_of(model("child")(Child)).name == "child"
    assert spec_of(base).name == "base"


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("Bad Name!", "bad-name"),
        ("MyModel2", "my-model2"),
        ("-x-", "x"),
        ("under_score", "under-score"),
        ("", "my-model"),
        ("é", "my-model"),
        ("x" * 64, "x" * 63),
        ("a\n", "a"),
    ],
)
def test_a_bad_name_suggests_a_good_one(name, suggestion):
    with pytest.raises(ModelDefinitionError, match="lowercase letters, digits and hyphens") as caught:
        model(name)
    assert str(caught.value).endswith(f"Try {suggestion!r}.")
    model(suggestion)


@pytest.mark.parametrize("name", ["longlive", "my-diffusion-v2", "a", "0", "x" * 63, "a--b"])
def test_good_names(name):
    assert spec_of(make(name)).name == name


def test_bare_use():
    with pytest.raises(ModelDefinitionError, match=r"@model needs a name\. Write @model\(name='my-bare'\)"):

        @model
        class MyBare(VideoModel):
            pass


@pytest.mark.parametrize("target", [int, VideoModel, print, object()])
def test_only_video_models(target):
    with pytest.raises(ModelDefinitionError, match="not a subclass of VideoModel"):
        model("m")(target)


def test_twice_on_one_class():
    with pytest.raises(ModelDefinitionError, match="twice, as 'a' and as 'b'"):
        model("b")(make("a"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"config": {"a": 1}}, "path of a YAML file"),
        ({"config": " "}, "path of a YAML file"),
        ({"weights": "w"}, r"weights=\['w'\]"),
        ({"weights": [1]}, "folder name is"),
        ({"weights": ["../x"]}, "is no path"),
        ({"weights": ["a", "a"]}, "listed twice"),
        ({"Name": "x"}, "shadow the parameter 'name'"),
        ({"weight": ["x"]}, "shadow the parameter 'weights'"),
        ({"_config": "x"}, "shadow the parameter 'config'"),
        ({"metadata": {"a": 1}}, "as keywords"),
        ({"a b": 1}, "Python identifier"),
        ({"author": object()}, "published as JSON"),
        ({"author": lambda: 1}, "published as JSON"),
    ],
)
def test_arguments_that_cannot_be_meant(arguments, said):
    with pytest.raises(ModelDefinitionError, match=said):
        model("m", **arguments)


def test_a_name_that_is_no_string():
    with pytest.raises(ModelDefinitionError, match="as a string"):
        model(3)
