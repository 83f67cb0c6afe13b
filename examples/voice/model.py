"""Your voice, changed while you speak, with a picture of it."""

from typing import Literal

import numpy as np
from drawing import Screen
from effects import CHUNK, EFFECTS, RATE, Effect
from omegaconf import DictConfig
from pydantic import Field

from reactor_runtime import AudioIn, AudioOut, VideoModel, VideoOut, command, get_ctx, model

FPS = 30
STEP = RATE // FPS
"""Samples that belong to one picture."""
BEHIND = 8 * STEP
"""What waits longer than this many samples is old: better a gap than a voice that comes late for ever."""


@model(name="voice", config="config.yml", description="Your voice, changed while you speak")
class Voice(VideoModel):
    microphone = AudioIn(rate=RATE)
    main_video = VideoOut(rate=FPS)
    voice = AudioOut(rate=RATE)

    def __init__(self, config: DictConfig):
        self.first_effect = config.get("effect", "robot")
        self.screen = Screen(config.get("width", 832), config.get("height", 480))
        self.reset()

    def reset(self):
        self.amount = 0.5
        self.volume = 1.0
        self.effect: Effect = EFFECTS[self.first_effect]()
        self.screen.clear()

    @command("set_effect", description="What happens to the voice")
    def set_effect(self, effect: Literal["none", "robot", "pitch", "echo", "cathedral"] = "robot"):
        self.effect = EFFECTS[effect]()
        get_ctx().send({"type": "effect", "effect": effect})

    @command("set_amount", description="How much of it: the pitch goes down below 0.5 and up above it")
    def set_amount(self, amount: float = Field(0.5, ge=0.0, le=1.0)):
        self.amount = amount

    @command("set_volume", description="How loud the voice comes back; use headphones")
    def set_volume(self, volume: float = Field(1.0, ge=0.0, le=2.0)):
        self.volume = volume

    def start_session(self):
        ctx = get_ctx()
        while not ctx.should_stop():
            if not ctx.connected:  # nobody listens; what they said before they went is old when they return
                self.listen()
                ctx.wait_stop(0.1)
                continue
            spoken = self.listen()
            if spoken is None:
                ctx.get_track("main_video").emit(self.screen.waiting)
                ctx.wait_stop(0.2)
                continue
            changed = self.changed(spoken)
            # One step: what is emitted together is seen and heard together.
            ctx.get_track("main_video").emit(self.screen.draw(spoken, changed))
            ctx.get_track("voice").emit(changed)

    def listen(self) -> np.ndarray | None:
        """What was said since the last time, (M,) float32; None without a microphone."""
        microphone = get_ctx().get_track("microphone")
        blocks = [microphone.read(STEP, timeout=0.1)]
        while blocks[-1] is not None:
            blocks.append(microphone.read(STEP, timeout=0))
        if len(blocks) == 1:
            return None
        samples = np.concatenate(blocks[:-1], axis=1)[0]
        if len(samples) > BEHIND:
            samples = samples[-STEP:]
        return samples.astype(np.float32) / 32768

    def changed(self, spoken: np.ndarray) -> np.ndarray:
        """The effect, in chunks short enough for every echo in it; (M,) float32 in and out."""
        parts = [self.effect(spoken[at : at + CHUNK], self.amount) for at in range(0, len(spoken), CHUNK)]
        # Softly limited: an echo on an echo may be louder than full scale.
        return np.tanh(np.concatenate(parts) * self.volume)
