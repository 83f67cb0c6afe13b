"""Whatever clients and an author's code do, nothing of one session is delivered in another.

A Hypothesis machine plays users one after the other over the in-memory wire. Every user's words, pictures,
sounds and files carry the number of the session; the model starts threads and timers that go on after it.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from reactor_runtime import AudioOut, VideoIn, VideoModel, VideoOut, command, get_ctx, model
from reactor_runtime.authoring.uploads import UploadedFile
from reactor_runtime.errors import CommandError
from reactor_runtime.session.states import State
from reactor_runtime.testing import Client, MemoryServer, decode, serve

SHADES = (30, 80, 130, 180, 230)
CLOSE = 15
"""How far a shade may be off after encoding."""
LEVEL = 1000
"""The sound of session n is a constant of so many times n."""
MARK = re.compile(r"mark-(\d+)\b")
LATE_S = 0.3
FORGOTTEN_S = 10.0
"""A thread that waits for the next user in vain ends by itself."""


def mark(number: int) -> str:
    return f"mark-{number}"


def shade_of(number: int) -> int:
    return SHADES[number % len(SHADES)]


class Arrivals:
    """Wakes what an author's threads do once the next user is there."""

    def __init__(self) -> None:
        self.next = threading.Event()

    def come(self) -> None:
        self.next.set()
        self.next = threading.Event()


arrivals = Arrivals()


@model("gossip", keep=["_paths"])
class Gossip(VideoModel):
    """Shows, says and plays what it is told, also when nobody should hear it any more."""

    main_video = VideoOut()
    voice = AudioOut(rate=48_000)
    webcam = VideoIn()

    def __init__(self, config: Any) -> None:
        self._paths: list[Path] = []
        self._shade: int | None = None
        self._level = 0
        self._echo = False
        self._crash = False
        self._linger = 0.0

    @command("say")
    def say(self, text: str) -> str:
        get_ctx().send({"said": text})
        return text

    @command("draw")
    def draw(self, shade: int, level: int) -> None:
        self._shade, self._level = shade, level

    @command("echo")
    def echo(self) -> None:
        self._echo = True

    @command("crash")
    def crash(self) -> None:
        self._crash = True

    @command("linger")
    def linger(self, seconds: float) -> None:
        self._linger = seconds

    @command("slow")
    def slow(self, text: str, seconds: float) -> str:
        time.sleep(seconds)
        with suppress(Exception):
            get_ctx().send({"slow": text})
        return text

    @command("late")
    def late(self, text: str, shade: int, patient: bool) -> None:
        """A thread and a timer that go on after the session; `patient` ones wait for the next user."""
        ctx = get_ctx()
        arrived = arrivals.next
        track = ctx.get_track("main_video")
        frame = np.full((32, 32, 3), shade, np.uint8)

        def work() -> None:
            if patient and not arrived.wait(FORGOTTEN_S):
                return
            until = time.monotonic() + LATE_S
            while time.monotonic() < until:
                for attempt in (
                    lambda: ctx.send(text),
                    lambda: get_ctx().send(text),
                    lambda: track.emit(frame),
                    lambda: get_ctx().get_track("main_video").emit(frame),
                    lambda: self.main_video.emit(frame),
                ):
                    with suppress(Exception):
                        attempt()
                time.sleep(0.01)

        threading.Thread(target=work, daemon=True).start()
        timer = threading.Timer(LATE_S / 2, work)
        timer.daemon = True
        timer.start()

    @command("read")
    def read(self, file: UploadedFile) -> str:
        self._paths.append(file.path)
        return file.read_bytes().decode()

    @command("earlier_files")
    def earlier_files(self) -> list[bool]:
        return [path.exists() for path in self._paths]

    def start_session(self) -> None:
        ctx = get_ctx()
        left = None
        while left is None or time.monotonic() < left:
            if self._crash:
                raise RuntimeError("as asked")
            picture = ctx.get_track("webcam").latest() if self._echo else None
            if picture is not None:
                ctx.get_track("main_video").emit(picture)
            elif self._shade is not None:
                ctx.get_track("main_video").emit(np.full((32, 32, 3), self._shade, np.uint8))
            if self._level:
                ctx.get_track("voice").emit(np.full(960, self._level, np.int16))
            if left is None and ctx.wait_stop(0.01):
                left = time.monotonic() + self._linger

    def reset(self) -> None:
        self._shade, self._level, self._echo, self._crash, self._linger = None, 0, False, False, 0.0


class Users(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.serving: AbstractAsyncContextManager[MemoryServer] | None = None
        self.server: Any = None
        self.clients: list[tuple[int, Client]] = []
        self.client: Client | None = None
        self.number = 0
        self.file: dict[str, Any] | None = None
        self.old_file: dict[str, Any] | None = None
        self.sent = 0

    def do(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(coroutine, 20))

    def ask(self, name: str, **arguments: Any) -> Any:
        assert self.client is not None
        return self.do(self.client.command(name, **arguments))

    @initialize()
    def starts(self) -> None:
        self.serving = serve(Gossip)
        self.server = self.do(self.serving.__aenter__())

    @precondition(lambda self: self.client is None)
    @rule()
    def a_user_comes(self) -> None:
        async def comes() -> Client:
            await self.server.wait_state(State.READY, 10.0)
            joined = await self.server.join()
            assert isinstance(joined, Client)
            return joined

        self.client = self.do(comes())
        self.number = self.server.worker.life.number
        arrivals.come()
        self.clients.append((self.number, self.client))
        self.old_file, self.file, self.sent = self.file or self.old_file, None, 0

    @precondition(lambda self: self.client is not None)
    @rule()
    def says(self) -> None:
        assert self.ask("say", text=mark(self.number)) == mark(self.number)

    @precondition(lambda self: self.client is not None)
    @rule()
    def draws(self) -> None:
        self.ask("draw", shade=shade_of(self.number), level=LEVEL * self.number)
        self.do(asyncio.sleep(0.1))

    @precondition(lambda self: self.client is not None)
    @rule()
    def shows_a_camera(self) -> None:
        assert self.client is not None
        self.client.send_video("webcam", np.full((32, 32, 3), shade_of(self.number), np.uint8))
        self.ask("echo")
        self.do(asyncio.sleep(0.05))

    @precondition(lambda self: self.client is not None)
    @rule(patient=st.booleans())
    def starts_what_goes_on(self, patient: bool) -> None:
        self.ask("late", text=mark(self.number), shade=shade_of(self.number), patient=patient)

    @precondition(lambda self: self.client is not None)
    @rule(ends=st.sampled_from(["stops", "crashes"]))
    def leaves_what_goes_on_to_the_next_user(self, ends: str) -> None:
        self.starts_what_goes_on(patient=True)
        getattr(self, ends)()
        self.a_user_comes()
        self.do(asyncio.sleep(LATE_S))

    @precondition(lambda self: self.client is not None)
    @rule()
    def sends_a_file(self) -> None:
        assert self.client is not None
        self.file = self.do(self.client.upload(mark(self.number).encode(), f"{mark(self.number)}.txt"))
        assert self.ask("read", file=self.file) == mark(self.number)
        self.sent += 1

    @precondition(lambda self: self.client is not None and self.old_file is not None)
    @rule()
    def names_a_file_of_an_earlier_session(self) -> None:
        with_error = None
        try:
            self.ask("read", file=self.old_file)
        except CommandError as error:
            with_error = error
        assert with_error is not None
        assert with_error.code == "invalid_command"

    @precondition(lambda self: self.client is not None)
    @rule(commands=st.integers(1, 5), seconds=st.sampled_from([0.0, 0.02, 0.1]))
    def leaves_amid_slow_commands(self, commands: int, seconds: float) -> None:
        assert self.client is not None
        for _ in range(commands):
            self.client.post("slow", text=mark(self.number), seconds=seconds)
        self.stops()

    @precondition(lambda self: self.client is not None)
    @rule(seconds=st.sampled_from([0.05, 0.2]))
    def lingers(self, seconds: float) -> None:
        self.ask("linger", seconds=seconds)

    @precondition(lambda self: self.client is not None)
    @rule()
    def crashes(self) -> None:
        assert self.client is not None
        self.ask("crash")
        self.do(self.client.wait_end(10.0))
        self.client = None

    @precondition(lambda self: self.client is not None)
    @rule()
    def stops(self) -> None:
        assert self.client is not None
        self.do(self.client.stop())
        self.client = None

    def teardown(self) -> None:
        try:
            if self.client is None:
                self.a_user_comes()
            arrivals.come()
            self.do(asyncio.sleep(LATE_S))
            files = self.ask("earlier_files")
            assert not any(files[: len(files) - self.sent]), "files of earlier sessions"
            for number, client in self.clients:
                self.check(number, client)
        finally:
            assert self.serving is not None
            self.do(self.serving.__aexit__(None, None, None))
            self.loop.close()

    def check(self, number: int, client: Client) -> None:
        """What one client was sent in all its time."""
        texts = " ".join(
            data.decode() if isinstance(data, bytes) else data for _, data in client.wire.messages
        )
        assert {int(found) for found in MARK.findall(texts)} <= {number}
        if frames := client.frames("main_video"):
            means = [picture.mean() for picture in decode(frames)]
            assert all(abs(mean - shade_of(number)) < CLOSE for mean in means), (number, means)
        heard = set(np.unique(client.sounds("voice")).tolist()) - {0}
        assert heard <= {LEVEL * number}, (number, heard)


TestUsers = Users.TestCase
TestUsers.settings = settings(
    max_examples=8,
    stateful_step_count=14,
    deadline=None,
    # Real time passes in each: to shrink a failure takes minutes, and its steps are printed anyhow.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
