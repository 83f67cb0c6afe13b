from __future__ import annotations

import json
from typing import Literal

from pydantic import Field

from reactor_runtime import AudioOut, VideoIn, VideoModel, VideoOut, __version__, command, model
from reactor_runtime.authoring.capabilities import capabilities
from reactor_runtime.protocol.descriptor import session_descriptor


@model("described")
class Described(VideoModel):
    main_video = VideoOut(rate=24, default=True)
    sound = AudioOut()
    webcam = VideoIn()

    @command("set_level", description="How bright.")
    def set_level(self, level: int = Field(..., ge=0, le=10), mode: Literal["a", "b"] = "a") -> None: ...


def test_every_field_that_some_sdk_requires() -> None:
    descriptor = session_descriptor(
        session_id="local",
        state="WAITING",
        model_name="described",
        capabilities=capabilities(Described),
        number=3,
        started_at=1700000000.5,
    )

    schema = descriptor["capabilities"]["commands"][0].pop("schema")
    assert descriptor == {
        "session_id": "local",
        "state": "WAITING",
        "cluster": "local",
        "model": {"name": "described"},
        "server_info": {"server_version": __version__},
        "selected_transport": {"protocol": "webrtc", "version": "1.0"},
        "capabilities": {
            "protocol_version": "1.0",
            "tracks": [
                {"name": "main_video", "kind": "video", "direction": "recvonly"},
                {"name": "sound", "kind": "audio", "direction": "recvonly"},
                {"name": "webcam", "kind": "video", "direction": "sendonly"},
            ],
            "commands": [{"name": "set_level", "description": "How bright."}],
            "emission_fps": 24.0,
        },
        "number": 3,
        "started_at": 1700000000.5,
    }
    assert schema["level"] == {"type": "integer", "minimum": 0, "maximum": 10, "required": True}
    assert schema["mode"]["enum"] == ["a", "b"]
    assert "required" not in schema["mode"] or schema["mode"]["required"] is False
    json.dumps(descriptor, allow_nan=False)
