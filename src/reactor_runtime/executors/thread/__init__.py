"""Author code on threads of this process: one for the model, one for commands, one for `on_media`."""

from __future__ import annotations

from .executor import ThreadExecutor

__all__ = ["ThreadExecutor"]
