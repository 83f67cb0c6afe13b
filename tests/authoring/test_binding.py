from __future__ import annotations

from pathlib import Path

import pytest

from reactor_runtime import VideoModel, model
from reactor_runtime.authoring.binding import bound
from reactor_runtime.errors import WeightsError

from .fakes import FakeWeights, in_thread


@model("one", weights=["vae", "text"])
class One(VideoModel):
    pass


@model("two", weights=["other"])
class Two(VideoModel):
    pass


def test_the_base_class_means_the_model_that_runs():
    with bound(One, FakeWeights()):
        assert VideoModel.weights("vae") == One.weights("vae") == One().weights("vae") == Path("/weights/vae")
        with bound(Two, FakeWeights("/two")):
            assert VideoModel.weights("other") == Path("/two/other")
        assert VideoModel.weights("text") == Path("/weights/text")


def test_a_thread_of_the_author_means_the_only_model():
    weights = FakeWeights()
    with bound(One, weights), bound(One, weights):
        assert in_thread(lambda: VideoModel.weights("vae")) == Path("/weights/vae")
        with bound(Two, weights):
            assert in_thread(lambda: One.weights("vae")) == Path("/weights/vae")
            with pytest.raises(WeightsError, match="several models of this process: One, Two"):
                in_thread(lambda: VideoModel.weights("vae"))


def test_names_that_are_not_listed():
    with (
        bound(One, FakeWeights()),
        pytest.raises(WeightsError, match=r"One; it lists: 'vae', 'text'.*weights=\['x'\]"),
    ):
        VideoModel.weights("x")
    with bound(VideoModel, FakeWeights()), pytest.raises(LookupError, match="it lists: none"):
        VideoModel.weights("x")


def test_outside_a_model():
    with pytest.raises(WeightsError, match="no such model is being loaded or run"):
        VideoModel.weights("vae")
    with bound(One, FakeWeights()), pytest.raises(WeightsError, match="no such model"):
        Two.weights("other")
