"""The engine `reactor-webrtc` (libwebrtc), behind our port. Nothing outside this folder imports it."""

from .engine import ReactorWebRtcEngine

__all__ = ["ReactorWebRtcEngine"]
