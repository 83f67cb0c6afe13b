"""What the bodies of requests have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """What clients send: `true` is no number, and a number no text."""

    model_config = ConfigDict(strict=True)
