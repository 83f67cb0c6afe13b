"""Every code block of the two seed documents runs unchanged, inside a session where it needs one."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from tests.authoring.fakes import FakeSession, FakeWeights, running

from reactor_runtime import MediaBundle, VideoModel, get_ctx
from reactor_runtime.authoring import syntax
from reactor_runtime.authoring.building import build_model
from reactor_runtime.authoring.capabilities import capabilities
from reactor_runtime.authoring.command import commands_of
from reactor_runtime.authoring.spec import spec_of
from reactor_runtime.errors import InvalidCommandError

from . import blocks

omegaconf = pytest.importorskip("omegaconf")


class Pipeline:
    """Stands for what an author would load: says what it was asked, and makes "frames" of it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.loaded_with = (args, kwargs)
        self.pushed: list[Any] = []
        self.resets = 0

    def generate(self, prompt: str) -> str:
        return f"frames of {prompt}"

    def step(self, direction: str) -> str:
        return f"frame {direction}"

    def run(self) -> None:
        while not get_ctx().should_stop():
            get_ctx().get_track().emit("run")

    def push_frame(self, frame: Any) -> None:
        self.pushed.append(frame)

    def reset(self) -> None:
        self.resets += 1


def built(cls: Any, **config: Any) -> Any:
    return build_model(cls, omegaconf.OmegaConf.create(config), FakeWeights())


def play(instance: VideoModel, number: int = 1) -> FakeSession:
    """Run `start_session` on a thread of its own, as the runtime does, until it has emitted three times."""
    session = FakeSession(type(instance), number)
    problems: list[BaseException] = []

    def run() -> None:
        try:
            with running(session):
                instance.start_session()
        except BaseException as error:
            problems.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert not problems, problems
    return session


def call(instance: VideoModel, name: str, **arguments: Any) -> Any:
    """What the command thread does."""
    spec = commands_of(type(instance))[name]
    return getattr(instance, spec.method)(**spec.validate(arguments))


def emitted(session: FakeSession) -> list[Any]:
    return [frame for _, frame, _ in session.emitted]


def block(name: str) -> str:
    return blocks.read(name)


def test_videomodel_01_the_first_model():
    cls = blocks.run(block("videomodel-01-model.py"), load_pipeline=Pipeline)["MyModel"]
    assert (spec_of(cls).name, spec_of(cls).config) == ("my-model", "config.yml")
    instance = built(cls, steps=3)
    assert instance.pipeline.loaded_with == (({"steps": 3},), {})
    assert emitted(play(instance)) == ["frames of a calm forest"] * 3
    call(instance, "set_prompt", prompt="a storm")
    assert emitted(play(instance, 2)) == ["frames of a storm"] * 3
    assert capabilities(cls)["commands"] == [
        {
            "name": "set_prompt",
            "description": "Change the generation prompt",
            "schema": {"prompt": {"type": "string", "required": True}},
        }
    ]


def test_videomodel_02_and_03_decorator_and_init():
    cls = blocks.model_around(
        block("videomodel-03-init.py"),
        "def start_session(self): ...",
        decorator=block("videomodel-02-decorator.py"),
        load_pipeline=Pipeline,
    )
    assert spec_of(cls).weights == ("my-weights",)
    assert built(cls).num_steps == 8
    assert built(cls, num_steps=4).num_steps == 4
    assert built(cls).pipeline.loaded_with == ((), {"device": "cuda"})


def test_videomodel_04_start_session():
    instance = built(blocks.model_around(block("videomodel-04-start-session.py")))
    instance.pipeline, instance._prompt = Pipeline(), "x"
    assert emitted(play(instance)) == ["frames of x"] * 3


def test_videomodel_05_should_stop_in_the_middle():
    cls = blocks.model_around(
        block("videomodel-05-should-stop.py"),
        """
def start_session(self):
    self.latent, self.denoising_steps = 0, [1, 2]
    while (block := self.generate_block()) is not None:
        get_ctx().get_track().emit(block)

def denoise_step(self, latent, step):
    return latent + step

def decode(self, latent):
    return latent
""",
    )
    assert emitted(play(built(cls))) == [3, 6, 9]


def test_videomodel_06_send():
    cls = blocks.model_around(
        "def start_session(self):\n    self.frame_count = 7\n    " + block("videomodel-06-send.py")
    )
    assert play(built(cls)).sent == [{"type": "progress", "frames": 7}]


def test_videomodel_07_cleanup():
    instance = built(blocks.model_around(block("videomodel-07-cleanup.py")))
    instance.pipeline = Pipeline()
    for number in (1, 2):
        instance._prompt = "of this user"
        assert emitted(play(instance, number)) == ["run"] * 3
        assert (instance._prompt, instance._speed, instance.pipeline.resets) == ("a calm forest", 1.0, number)


def test_videomodel_08_command():
    cls = blocks.model_around(block("videomodel-08-command.py"), "def start_session(self): ...")
    instance = built(cls)
    call(instance, "set_prompt", prompt="new")
    assert instance._prompt == "new"


def test_videomodel_09_literal():
    cls = blocks.model_around(block("videomodel-09-literal.py"), "def start_session(self): ...")
    instance = built(cls)
    call(instance, "move", direction="left")
    assert instance._direction == "left"
    options = commands_of(cls)["move"].flat_schema()["direction"]
    assert options == {
        "type": "string",
        "enum": ["forward", "back", "left", "right", "none"],
        "required": True,
    }
    with pytest.raises(InvalidCommandError, match="must be 'forward', 'back', 'left', 'right' or 'none'"):
        call(instance, "move", direction="up")


def test_videomodel_10_field():
    cls = blocks.model_around(block("videomodel-10-field.py"), "def start_session(self): ...")
    instance = built(cls)
    call(instance, "set_speed")
    assert instance._speed == 0.5
    call(instance, "set_speed", speed=1)
    assert instance._speed == 1.0
    assert commands_of(cls)["set_speed"].flat_schema() == {
        "speed": {"type": "number", "default": 0.5, "minimum": 0.0, "maximum": 1.0}
    }
    with pytest.raises(InvalidCommandError, match=r"at most 1\.0, not 1\.5"):
        call(instance, "set_speed", speed=1.5)


def test_videomodel_11_threads():
    instance = built(blocks.model_around(block("videomodel-11-threads.py")))
    instance.pipeline = Pipeline()
    call(instance, "move", direction="north")
    assert emitted(play(instance)) == ["frame north"] * 3


def test_videomodel_12_on_media():
    cls = blocks.model_around(block("videomodel-12-on-media.py"), "def start_session(self): ...")
    instance = built(cls)
    instance.pipeline = Pipeline()
    instance.on_media(MediaBundle.from_video_frame("a frame", "webcam"))
    instance.on_media(MediaBundle.from_video_frame("another", "screen"))
    assert instance.pipeline.pushed == ["a frame"]


def test_model_01_the_least():
    instance = built(blocks.run(block("model-01-least.py"))["MyVideoModel"])
    assert play(instance).emitted == []


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("model-02-name.py", ("my-diffusion-model", None, ())),
        ("model-04-config.py", ("my-model", "configs/default.yaml", ())),
        ("model-05-weights.py", ("my-model", None, ("my-model-weights", "vae-decoder"))),
        ("model-06-metadata.py", ("my-model", "configs/default.yaml", ())),
    ],
)
def test_model_02_to_06_identity(name, identity):
    spec = spec_of(blocks.run(block(name))["MyVideoModel"])
    assert (spec.name, spec.config, spec.weights) == identity


def test_model_03_each_of_the_names():
    for decorator in block("model-03-names.py").splitlines():
        assert spec_of(blocks.model_around("pass", decorator=decorator)).name in decorator


def test_model_06_metadata_is_kept():
    spec = spec_of(blocks.run(block("model-06-metadata.py"))["MyVideoModel"])
    assert spec.metadata == {
        "author": "Your Name",
        "version": "1.0.0",
        "description": "A real-time diffusion model",
    }


def test_model_09_the_complete_example():
    cls = blocks.run(block("model-09-complete.py"))["RealtimeDiffusionModel"]
    assert spec_of(cls).weights == ("diffusion-weights", "vae-decoder")
    instance = built(cls, num_steps=2)
    assert instance.num_steps == 2
    call(instance, "set_prompt", prompt="fog")
    instance.generate = lambda: f"block of {instance.current_prompt}"
    assert emitted(play(instance)) == ["block of fog"] * 3


def test_model_10_and_11_identity_and_behaviour():
    cls = blocks.model_around(
        "def __init__(self, config):\n    self.scale = config.guidance_scale",
        "def start_session(self): ...",
        decorator=block("model-10-identity.py"),
    )
    config = omegaconf.OmegaConf.create(block("model-11-behaviour.yml"))
    assert build_model(cls, config, FakeWeights()).scale == 7.5
    assert (config.fps, config.num_steps) == (30, 8)


def test_every_python_block_is_run_above():
    import ast
    from pathlib import Path

    strings = {
        node.value
        for node in ast.walk(syntax.parse(Path(__file__).read_text()))
        if isinstance(node, ast.Constant)
    }
    assert set(blocks.names(".py")) <= strings
