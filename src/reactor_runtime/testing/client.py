"""A client of one session, as a page or an SDK would be."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from reactor_runtime.errors import CommandError
from reactor_runtime.protocol.descriptor import LOCAL_SESSION_ID

if TYPE_CHECKING:
    import httpx
    from numpy.typing import NDArray

    from reactor_runtime.media.encoders import EncodedFrame
    from reactor_runtime.transports.memory import MemoryClient

SIGNALLING = f"/sessions/{LOCAL_SESSION_ID}/transport/webrtc"
POLLS = 10
"""How often the answer is asked for; the server holds each question up to a second."""


WITHIN_S = 20.0
"""How long a test waits for what should come soon: a limit for machines that are busy, no bar."""


class Client:
    """Speaks HTTP and the data channel. Event loop only."""

    def __init__(self, http: httpx.AsyncClient, wire: MemoryClient, tracks: list[str]) -> None:
        self.http = http
        self.wire = wire
        self._mids = {name: str(index) for index, name in enumerate(tracks)}
        self._ids = itertools.count(1)
        self._read: list[dict[str, Any]] = []
        """Of the wire's messages, those that were looked at: each is parsed once."""

    # --- signalling ---

    async def start(self, seed: int | None = None) -> dict[str, Any]:
        """`POST /start_session`; returns the descriptor. Without a `seed` the server draws one."""
        response = await self.http.post("/start_session", json={} if seed is None else {"seed": seed})
        response.raise_for_status()
        return dict(response.json())

    async def connect(self, method: str = "POST") -> None:
        """Offer, poll the answer, connect. `PUT` is what clients do when they come back."""
        response = await self.http.request(method, f"{SIGNALLING}/sdp_params", json=await self.offer())
        response.raise_for_status()
        self.wire.connect(await self.answer())

    async def offer(self) -> dict[str, Any]:
        """The body of an offer."""
        descriptor = (await self.http.get("/session")).json()
        mapping = [
            {"mid": self._mids[track["name"]], **{key: track[key] for key in ("name", "kind", "direction")}}
            for track in descriptor["capabilities"]["tracks"]
        ]
        return {"sdp_offer": self.wire.create_offer(), "client_info": {}, "track_mapping": mapping}

    async def answer(self) -> str:
        for _ in range(POLLS):
            response = await self.http.get(f"{SIGNALLING}/sdp_params")
            response.raise_for_status()
            if response.status_code == 200:
                return str(response.json()["sdp_answer"])
        raise TimeoutError("the server gave no answer")

    async def stop(self) -> str:
        """`POST /stop_session`; returns the state of the worker."""
        response = await self.http.post("/stop_session")
        response.raise_for_status()
        return str(response.json()["state"])

    # --- messages ---

    @property
    def received(self) -> list[dict[str, Any]]:
        """Every message so far, in order."""
        self._read += [json.loads(data) for _, data in self.wire.messages[len(self._read) :]]
        return list(self._read)

    @property
    def said(self) -> list[Any]:
        """What the model sent, in order."""
        return [message["data"] for message in self.received if message["scope"] == "application"]

    def runtime_messages(self, kind: str) -> list[dict[str, Any]]:
        """The data of the runtime's messages of one type, in order."""
        inner = [message["data"] for message in self.received if message["scope"] == "runtime"]
        return [message["data"] for message in inner if message["type"] == kind]

    @property
    def end(self) -> dict[str, Any] | None:
        """The reason and the sentence of the session's end, once it was told."""
        return next(iter(self.runtime_messages("sessionEnded")), None)

    async def command(self, name: str, /, **arguments: Any) -> Any:
        """Run a command and return its result. Raises `CommandError` when it was refused."""
        request = self.post(name, **arguments)
        await self.until(lambda: self.outcome(request) is not None)
        outcome = self.outcome(request) or {}
        if "code" in outcome:
            raise CommandError(outcome["code"], outcome["message"], field=outcome.get("field"))
        return outcome.get("result")

    def post(self, name: str, /, **arguments: Any) -> str:
        """Send a command without waiting; returns its id."""
        request = f"test-{next(self._ids)}"
        self.send({"scope": "application", "data": {"type": name, "data": arguments, "id": request}})
        return request

    async def upload(
        self, data: bytes, name: str = "upload", mime_type: str = "application/octet-stream"
    ) -> dict[str, Any]:
        """Send a file; returns what stands for it among the arguments of a command."""
        about = {"name": name, "size": len(data), "mime_type": mime_type}
        path = f"/sessions/{LOCAL_SESSION_ID}/uploads"
        announced = (await self.http.post(path, json=about)).raise_for_status().json()
        (await self.http.put(announced["presigned_url"], content=data)).raise_for_status()
        return {"upload_id": announced["presigned_id"], **about}

    def outcome(self, request: str) -> dict[str, Any] | None:
        """The answer to the command with this id, once it is there."""
        answers = self.runtime_messages("commandResult") + self.runtime_messages("commandError")
        return next((answer for answer in answers if answer["id"] == request), None)

    def send(self, message: Any) -> None:
        self.wire.send(json.dumps(message))

    async def wait_said(self, count: int = 1, within: float = WITHIN_S) -> list[Any]:
        """What the model sent, as soon as it is `count` messages."""
        await self.until(lambda: len(self.said) >= count, within)
        return self.said

    async def wait_end(self, within: float = WITHIN_S) -> dict[str, Any]:
        """Why the session ended, when it was told and the wire is closed."""
        await self.until(lambda: self.end is not None and self.wire.closed, within)
        return self.end or {}

    async def until(self, condition: Callable[[], bool], within: float = WITHIN_S) -> None:
        """Return when `condition()` holds. Raises `TimeoutError`."""
        await self.wire.wait_for(condition, within)

    # --- media ---

    def frames(self, track: str | None = None) -> list[EncodedFrame]:
        """What was received on a track; on the first one when none is named."""
        mid = self._mids[track] if track is not None else next(iter(self._mids.values()))
        return self.wire.frames.get(mid, [])

    async def wait_frames(
        self, count: int = 1, track: str | None = None, within: float = WITHIN_S
    ) -> list[EncodedFrame]:
        await self.until(lambda: len(self.frames(track)) >= count, within)
        return self.frames(track)

    def send_video(self, track: str, rgb: NDArray[np.uint8]) -> None:
        """Send a picture ``(H, W, 3)`` uint8 RGB."""
        self.wire.send_video(self._mids[track], rgb)

    def sounds(self, track: str) -> NDArray[np.int16]:
        """What was heard on a track so far, ``(channels, M)`` int16 at 48 kHz, silence included."""
        blocks = [block for _, block in self.wire.sounds.get(self._mids[track], [])]
        return np.concatenate(blocks, axis=1) if blocks else np.empty((1, 0), np.int16)

    def send_audio(self, track: str, block: NDArray[np.int16], rate: int = 48_000) -> None:
        """Send sound ``(channels, M)`` int16; engines give 10 ms at a time."""
        self.wire.send_audio(self._mids[track], block, rate)

    def leave(self) -> None:
        """Go without a word, as a page that is closed does."""
        self.wire.close()
