from __future__ import annotations

import threading

import pytest

from reactor_runtime import VideoModel, command, get_ctx, model
from reactor_runtime.authoring.building import build_model, loading
from reactor_runtime.errors import ModelDefinitionError, ModelLoadError

from .fakes import FakeSession, FakeWeights, running

CONFIG = {"steps": 8}


def build(init=None, **body):
    if init is not None:
        body["__init__"] = init
    cls = type("Some", (VideoModel,), {"start_session": lambda self: None} | body)
    return build_model(cls, CONFIG, FakeWeights())


def keep(self, value):
    self.given = value


@pytest.mark.parametrize(
    "init",
    [
        lambda self, config: keep(self, config),
        lambda self, cfg: keep(self, cfg),
        lambda self, anything, /: keep(self, anything),
        lambda self, *, config: keep(self, config),
        lambda self, config=None: keep(self, config),
        lambda self, model_cfg=None: keep(self, model_cfg),
        lambda self, steps=3, *, config=None: keep(self, config),
        lambda self, **kwargs: keep(self, kwargs["config"]),
        lambda self, *args: keep(self, args[0]),
        lambda self, *args, **kwargs: keep(self, kwargs["config"]),
    ],
)
def test_init_that_wants_the_configuration(init):
    assert build(init).given is CONFIG


@pytest.mark.parametrize("init", [None, lambda self: None, lambda self, steps=3: keep(self, steps)])
def test_init_that_does_not(init):
    assert getattr(build(init), "given", 3) == 3


def test_init_that_wants_too_much():
    with pytest.raises(
        ModelDefinitionError, match=r"wants width, height\..*test_building.py.*|wants width, height"
    ):
        build(lambda self, width, height: None)
    with pytest.raises(ModelDefinitionError, match="wants width"):
        build(lambda self, *, width: None)


def test_without_start_session():
    class Empty(VideoModel):
        def helper(self): ...

    with pytest.raises(ModelDefinitionError, match=r"Empty \(.*test_building\.py\) has no start_session"):
        build_model(Empty, CONFIG, FakeWeights())


def test_what_init_raises_is_explained():
    def init(self, config):
        {}["missing"]

    with pytest.raises(ModelLoadError) as caught:
        build(init)
    line = init.__code__.co_firstlineno + 1
    assert f"Some.__init__ failed with KeyError: 'missing' ({__file__}:{line})" in str(caught.value)
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize("error", [SystemExit(3), get_ctx])
def test_other_ways_to_fail(error):
    def init(self):
        raise error if isinstance(error, BaseException) else RuntimeError(error())

    with pytest.raises(ModelLoadError):
        build(init)


def test_weights_work_in_init():
    @model("with-weights", weights=["vae"])
    class WithWeights(VideoModel):
        def __init__(self):
            self.path = VideoModel.weights("vae")

        def start_session(self): ...

    assert str(build_model(WithWeights, CONFIG, FakeWeights()).path) == "/weights/vae"
    with pytest.raises(ModelLoadError, match="WeightsError: Weights 'nope' are not listed"):
        build(lambda self: VideoModel.weights("nope"))


def test_an_undefined_annotation_shows_at_loading():
    class Undefined(VideoModel):
        def start_session(self): ...

        @command("go")
        def go(self, mode: Nowhere): ...  # type: ignore[name-defined]  # noqa: F821 - that is the point

    with pytest.raises(ModelDefinitionError, match="parameter 'mode': name 'Nowhere' is not defined"):
        build_model(Undefined, CONFIG, FakeWeights())


def test_threads_of_loading_belong_to_the_model():
    go, seen = threading.Semaphore(0), []

    def init(self):
        self.thread = threading.Thread(target=lambda: (go.acquire(), seen.append(get_ctx()), go.acquire()))
        self.thread.start()

    with running(FakeSession()):  # an earlier session of the process
        some = build(init)
    with running(FakeSession(number=2)) as context:
        go.release()
        go.release()
        some.thread.join(5)
    assert seen == [context]


def test_warmup_is_explained_too():
    class Cold(VideoModel):
        pass

    with (
        pytest.raises(ModelLoadError, match=r"Cold\.warmup failed with ValueError \(.*test_building\.py"),
        loading(Cold, "warmup"),
    ):
        raise ValueError
