from __future__ import annotations

from typing import Any

import pytest

from reactor_runtime import VideoModel, model
from reactor_runtime.authoring.spec import spec_of
from reactor_runtime.errors import ModelDefinitionError


def decorated(**arguments: Any) -> type[VideoModel]:
    @model("kept", **arguments)
    class Kept(VideoModel):
        def start_session(self) -> None: ...

    return Kept


def test_keep_is_no_metadata() -> None:
    paths = ["_cache", "pipeline.scheduler._step", "self._frames", "tables['a']", "PROMPTS"]
    spec = spec_of(decorated(keep=paths))
    assert spec.keep == tuple(paths)
    assert not spec.metadata
    assert spec_of(decorated()).keep == ()


@pytest.mark.parametrize(
    ("keep", "words"),
    [
        ("_cache", "keep=['_cache']"),
        ([""], "attribute path"),
        (["a b"], "attribute path"),
        ([3], "attribute path"),
        ({"_cache": 1}, "list of attribute paths"),
        (["_a", "_a"], "twice"),
    ],
)
def test_a_keep_that_names_nothing_is_refused(keep: Any, words: str) -> None:
    with pytest.raises(ModelDefinitionError, match=words.replace("[", r"\[")):
        decorated(keep=keep)


@pytest.mark.parametrize("arguments", [{"keeps": ["_a"]}, {"moderate": "module:function"}])
def test_what_looks_like_a_parameter_is_refused(arguments: Any) -> None:
    with pytest.raises(ModelDefinitionError):
        decorated(**arguments)
