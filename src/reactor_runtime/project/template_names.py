"""What a new project may begin as."""

from __future__ import annotations

TEMPLATES = {
    "generator": "a moving picture with sliders: brightness, colours, a text",
    "camera": "a person's camera, through an effect",
    "voice": "a person's voice, changed, with a picture of it",
    "world": "a world to walk in with W A S D",
    "diffusion": "pictures from a prompt, twelve frames at a time, with a seed",
}
DEFAULT_TEMPLATE = "generator"
