"""`VideoModel.progress(...)`: who hears it, and what it takes."""

from __future__ import annotations

import logging
import math

import numpy as np
import pytest

from reactor_runtime import VideoModel, model
from reactor_runtime.authoring.binding import bound
from reactor_runtime.authoring.building import build_model
from reactor_runtime.authoring.progress import MESSAGE_MAX, LoadProgress, Progress
from reactor_runtime.errors import ModelLoadError, ProgressError

from .fakes import FakeWeights, in_thread


@model("one")
class One(VideoModel):
    def __init__(self):
        VideoModel.progress(0.25, "Reading")
        self.progress(0.5)

    def start_session(self):
        pass


@model("two")
class Two(VideoModel):
    pass


@pytest.fixture
def heard():
    return LoadProgress()


def test_it_means_the_model_that_is_built_whatever_it_is_called_on(heard):
    for called_on in (VideoModel, One):
        with bound(One, FakeWeights(), heard):
            called_on.progress(0.75, "Compiling")
        assert heard.now == Progress(0.75, "Compiling")
        build_model(One, {}, FakeWeights(), heard)
        assert heard.now == Progress(0.5, "")


def test_threads_of_the_author_are_heard(heard):
    weights = FakeWeights()
    with bound(One, weights, heard), bound(One, weights, heard):
        in_thread(lambda: VideoModel.progress(1))
        assert heard.now == Progress(1.0)


def test_it_never_reaches_another_model(heard):
    with bound(One, FakeWeights(), heard), bound(Two, FakeWeights()):
        in_thread(lambda: VideoModel.progress(0.5))  # which of the two?
        Two.progress(0.5)
    assert heard.now == Progress()


def test_where_nobody_loads_it_has_no_effect_and_is_still_checked(heard):
    One.progress(0.5, "x")
    heard.end()
    with bound(One, FakeWeights(), heard):
        VideoModel.progress(0.5, "late")
    assert heard.now == Progress()
    with pytest.raises(ProgressError):
        VideoModel.progress(40)


@pytest.mark.parametrize(
    ("given", "share"),
    [
        *((None, None), (0, 0.0), (1, 1.0), (0.5, 0.5), (np.float32(0.5), 0.5), (np.int64(1), 1.0)),
        *((1 + 1e-9, 1.0), (-1e-9, 0.0)),
    ],
)
def test_shares(heard, given, share):
    with bound(One, FakeWeights(), heard):
        VideoModel.progress(given)
    assert heard.now.share == share


@pytest.mark.parametrize("given", [40, -0.1, 1.01, math.nan, math.inf, "0.5", True, [0.5], object()])
def test_what_is_no_share(heard, given):
    with bound(One, FakeWeights(), heard), pytest.raises(ProgressError, match="0 to 1"):
        VideoModel.progress(given)
    assert heard.now == Progress()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("  Reading\n  the weights ", "Reading the weights"),
        ("half \udcff", "half ?"),  # as os.listdir gives names that are no UTF-8
        ("x" * 1_000, "x" * (MESSAGE_MAX - 1) + "…"),
    ],
)
def test_messages(heard, given, message):
    with bound(One, FakeWeights(), heard):
        VideoModel.progress(None, given)
    assert heard.now.message == message


def test_what_is_no_message(heard):
    with bound(One, FakeWeights(), heard), pytest.raises(ProgressError, match="give it a text"):
        VideoModel.progress(0.5, b"Reading")


def test_a_wrong_call_names_the_line_of_the_author():
    @model("wrong")
    class Wrong(One):
        def __init__(self):
            self.progress(50)

    with pytest.raises(ModelLoadError, match=r"ProgressError: progress\(\) got 50; .*test_progress\.py:\d+"):
        build_model(Wrong, {}, FakeWeights())


def test_the_log_has_a_line_for_each_message_and_not_for_each_number(heard, caplog):
    caplog.set_level(logging.INFO)
    with bound(One, FakeWeights(), heard):
        for step in range(100):
            VideoModel.progress(step / 100, f"Reading shard {step} of 100")
        VideoModel.progress(1, "Compiling")
        VideoModel.progress(1, "")
    assert [record.getMessage() for record in caplog.records] == [
        "Loading: Reading shard 0 of 100",
        "Loading: Compiling",
    ]
