from __future__ import annotations

import asyncio
import gc
import re
import threading
import time
import weakref
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest

from reactor_runtime import AudioOut, CommandError, VideoIn, VideoModel, VideoOut, command, get_ctx, model
from reactor_runtime.errors import MessageError, ModelLoadError, NoSessionError
from reactor_runtime.executors.port import ModelOutcome
from reactor_runtime.executors.thread.feed import FEED_LIMIT
from reactor_runtime.executors.thread.waiting import PENDING_LIMIT
from reactor_runtime.session.session import Session

from .rig import WITHIN, rig, this_thread

FRAME = np.zeros((16, 16, 3), np.uint8)


@model("idle")
class Idle(VideoModel):
    """Waits until it is stopped."""

    def start_session(self) -> None:
        while not get_ctx().wait_stop(0.5):
            pass


def until(condition: Any, within: float = WITHIN) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.002)


# --- threads ---


def test_which_code_runs_on_which_thread() -> None:
    threads: dict[str, set[tuple[str, int]]] = {}

    def note(what: str) -> None:
        threads.setdefault(what, set()).add((this_thread(), threading.get_ident()))

    @model("threads")
    class Threads(Idle):
        webcam = VideoIn()
        main_video = VideoOut()

        def __init__(self, config: Any) -> None:
            note("__init__")

        def warmup(self) -> None:
            note("warmup")

        def start_session(self) -> None:
            note("start_session")
            super().start_session()

        def reset(self) -> None:
            note("reset")

        def on_media(self, bundle: Any) -> None:
            note("on_media")

        @command("go")
        def go(self) -> None:
            note("command")

    with rig(Threads) as made:
        for _ in range(2):
            session = made.begin()
            done = made.run(session)
            made.ask(session, "go")
            made.host.media(session, "webcam", FRAME)
            until(lambda: "on_media" in threads)
            session.stop()
            done.result(WITHIN)
            made.end(session)

    assert threads["__init__"] == threads["warmup"] == threads["start_session"] == threads["reset"]
    names = [threads[what] for what in ("__init__", "command", "on_media")]
    assert [len(name) for name in names] == [1, 1, 1]
    assert len(set.union(*names)) == 3
    assert threading.get_ident() not in {ident for _, ident in set.union(*names)}


# --- loading ---


@pytest.mark.parametrize("hook", ["__init__", "warmup"])
@pytest.mark.parametrize("error", [ValueError("no such file"), SystemExit(3)])
def test_a_model_that_cannot_be_loaded(hook: str, error: BaseException) -> None:
    def raises(self: Any, *_: Any) -> None:
        raise error

    broken = model("broken")(type("Broken", (Idle,), {hook: raises}))
    with rig(broken, load=False) as made, pytest.raises(ModelLoadError) as caught:
        made.load()

    assert caught.value.__cause__ is error
    assert hook in caught.value.message
    assert type(error).__name__ in caught.value.message
    assert "test_thread.py" in caught.value.message, "the author's line"


def test_an_async_warmup_is_run() -> None:
    warm: list[bool] = []

    @model("warm")
    class Warm(Idle):
        async def warmup(self) -> None:  # type: ignore[override]  # an async one is run, too
            await asyncio.sleep(0)
            warm.append(True)

    with rig(Warm):
        assert warm == [True]


def test_a_thread_of_the_warmup_may_join_every_session() -> None:
    @model("pool")
    class Pool(Idle):
        def warmup(self) -> None:
            self.asked: Any = threading.Event()
            self.answers: list[str] = []
            threading.Thread(target=self.work, daemon=True).start()

        def work(self) -> None:
            for _ in range(2):
                self.asked.wait(WITHIN)
                self.asked.clear()
                self.answers.append(get_ctx().session_id)

        def start_session(self) -> None:
            before = len(self.answers)
            self.asked.set()
            until(lambda: len(self.answers) > before)
            get_ctx().send(self.answers)

    with rig(Pool) as made:
        for wanted in (["s1"], ["s1", "s2"]):
            session = made.begin()
            assert made.run(session).result(WITHIN).error is None
            assert made.said(session) == [wanted]
            made.end(session)


# --- start_session ---


@pytest.mark.parametrize("error", [RuntimeError("boom"), SystemExit(0), KeyboardInterrupt(), GeneratorExit()])
def test_what_start_session_raises_ends_the_session_and_not_the_thread(error: BaseException) -> None:
    errors: list[BaseException | None] = [error, None]

    @model("raising")
    class Raising(VideoModel):
        def start_session(self) -> None:
            if (raised := errors.pop(0)) is not None:
                raise raised

    with rig(Raising) as made:
        assert made.visit().error is error
        assert made.visit().error is None


def test_an_async_start_session_runs_on_a_loop_of_its_own() -> None:
    @model("async")
    class Async(VideoModel):
        async def start_session(self) -> None:
            ctx = get_ctx()
            sent = await asyncio.gather(*(self.one(value) for value in range(3)))
            ctx.send([sent, this_thread()])
            while not ctx.should_stop():  # noqa: ASYNC110 - what authors write
                await asyncio.sleep(0.005)

        async def one(self, value: int) -> str:
            await asyncio.sleep(0.001)
            return f"{get_ctx().session_id}:{value}"

    with rig(Async) as made:
        for name in ("s1", "s2"):
            session = made.begin()
            done = made.run(session)
            until(lambda session=session: session.outbox._messages)
            session.stop()
            assert done.result(WITHIN).error is None
            assert made.said(session) == [[[f"{name}:{value}" for value in range(3)], "reactor-model"]]
            made.end(session)


@pytest.mark.parametrize("ends", ["returns", "raises"])
def test_reset_runs_after_every_session_and_may_still_send(ends: str) -> None:
    @model("resetting")
    class Resetting(VideoModel):
        def start_session(self) -> None:
            get_ctx().send("started")
            if ends == "raises":
                raise ValueError(ends)

        def reset(self) -> None:
            get_ctx().send("reset")
            get_ctx().get_track().emit(FRAME)

    with rig(Resetting) as made:
        session = made.begin()
        made.run(session).result(WITHIN)

        assert made.said(session) == ["started", "reset"]
        assert session.next_frame() == 1


def test_a_reset_that_raises_is_the_outcome_and_a_rebuild_forgets_the_model() -> None:
    built: list[object] = []

    @model("resetting")
    class Resetting(VideoModel):
        def __init__(self) -> None:
            built.append(self)

        def start_session(self) -> None:
            if get_ctx().session_id == "s1":
                raise ValueError("of the session")

        def reset(self) -> None:
            if self is built[0]:
                raise SystemExit("no")

    with rig(Resetting) as made:
        outcome = made.visit()
        assert isinstance(outcome.error, ValueError)
        assert isinstance(outcome.reset_error, SystemExit)
        made.load()
        assert made.visit() == ModelOutcome()
    assert len(built) == 2


def test_a_model_that_ignores_should_stop_can_be_seen() -> None:
    release = threading.Event()

    @model("deaf")
    class Deaf(VideoModel):
        def start_session(self) -> None:
            self.a_long_step()

        def a_long_step(self) -> None:
            release.wait(WITHIN)

    with rig(Deaf) as made:
        session = made.begin()
        done = made.run(session)
        assert session.timeline.entered.wait(WITHIN)
        session.stop()

        until(lambda: "a_long_step" in made.host.stacks())
        assert not done.done()
        release.set()
        assert done.result(WITHIN).error is None


# --- get_ctx ---


def test_get_ctx_after_the_session_raises() -> None:
    kept: list[Any] = []

    @model("keeping")
    class Keeping(VideoModel):
        def start_session(self) -> None:
            kept.extend([get_ctx(), get_ctx().get_track()])

    with rig(Keeping) as made:
        made.visit()
        ctx, track = kept

        with pytest.raises(NoSessionError):
            get_ctx()
        with pytest.raises(NoSessionError):
            ctx.send("late")
        with pytest.raises(NoSessionError):
            track.emit(FRAME)
        assert ctx.should_stop()
        assert not ctx.connected


def test_a_thread_of_the_last_session_never_reaches_the_next_one() -> None:
    outcomes: list[Any] = []
    second_runs = threading.Event()

    @model("leaky")
    class Leaky(VideoModel):
        def start_session(self) -> None:
            if get_ctx().session_id == "s1":
                threading.Thread(target=self.straggle, daemon=True).start()
            else:
                second_runs.set()
                until(lambda: outcomes)

        def straggle(self) -> None:
            second_runs.wait(WITHIN)
            try:
                outcomes.append(get_ctx().session_id)
            except NoSessionError as error:
                outcomes.append(error)

    with rig(Leaky) as made:
        made.visit()
        assert made.visit().error is None

    assert isinstance(outcomes[0], NoSessionError)


def test_what_send_cannot_send_is_raised_in_the_authors_thread() -> None:
    @model("sending")
    class Sending(VideoModel):
        def start_session(self) -> None:
            get_ctx().send(object())

    with rig(Sending) as made:
        assert isinstance(made.visit().error, MessageError)


def test_nothing_of_a_session_outlives_it() -> None:
    @model("twice")
    class Twice(Idle):
        webcam = VideoIn()
        main_video = VideoOut()

        @command("emit")
        def emit(self) -> None:
            get_ctx().get_track("main_video").emit(FRAME)

        def on_media(self, bundle: Any) -> None:
            pass

    def visit(made: Any) -> weakref.ref[Session]:
        session = made.begin()
        assert session.media.inputs.latest("webcam") is None
        assert session.next_frame() == 0
        done = made.run(session)
        assert made.ask(session, "emit") is None
        made.host.media(session, "webcam", FRAME)
        session.stop()
        done.result(WITHIN)
        made.end(session)
        made.runs.clear()
        return weakref.ref(session)

    with rig(Twice) as made:
        for _ in range(2):
            died = visit(made)
            gc.collect()
            assert died() is None, gc.get_referrers(died())


# --- commands ---


def test_a_command_answers_with_its_result_and_the_next_frame() -> None:
    @model("adding")
    class Adding(Idle):
        @command("add")
        def add(self, a: int, b: int = 1) -> int:
            get_ctx().get_track().emit(np.stack([FRAME] * 3))
            return a + b

        @command("nothing")
        async def nothing(self) -> None:
            await asyncio.sleep(0)

    with rig(Adding) as made:
        session = made.begin()
        made.run(session)
        outcome = made.command(session, "add", a=2).result(WITHIN)
        assert (outcome.result, outcome.error, outcome.frame) == ("3", None, 3)
        assert made.command(session, "nothing").result(WITHIN).result is None
        session.stop()


def test_async_commands_of_the_second_session_belong_to_it() -> None:
    @model("async-commands")
    class AsyncCommands(Idle):
        @command("where")
        async def where(self) -> str:
            await asyncio.sleep(0)
            return get_ctx().session_id

    with rig(AsyncCommands) as made:
        for wanted in ("s1", "s2"):
            session = made.begin()
            done = made.run(session)
            assert made.ask(session, "where") == wanted
            session.stop()
            done.result(WITHIN)
            made.end(session)


class AskedEvent(threading.Event):
    """Tells when somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        self.asked.set()
        return super().wait(timeout)


def test_commands_before_the_loop_runs_are_kept_in_order() -> None:
    @model("early")
    class Early(Idle):
        def start_session(self) -> None:
            self.seen: list[int] = []
            super().start_session()

        @command("note")
        def note(self, value: int) -> list[int]:
            self.seen.append(value)
            return self.seen

    with rig(Early) as made:
        session = made.begin()
        gate = session.timeline.entered = AskedEvent()
        answers = [made.command(session, "note", value=value) for value in range(20)]
        assert gate.asked.wait(WITHIN)
        assert not any(answer.done() for answer in answers)
        done = made.run(session)

        assert answers[-1].result(WITHIN).result == str(list(range(20))).replace(" ", "")
        session.stop()
        done.result(WITHIN)


@pytest.mark.parametrize(
    ("raised", "code", "message"),
    [
        (CommandError("too_fast", "Slow down."), "too_fast", "Slow down."),
        (ValueError("a secret path"), "internal_error", "The model could not run this command."),
        (SystemExit(1), "internal_error", "The model could not run this command."),
        (KeyboardInterrupt(), "internal_error", "The model could not run this command."),
    ],
)
@pytest.mark.parametrize("is_async", [False, True])
def test_what_a_handler_raises(raised: BaseException, code: str, message: str, is_async: bool) -> None:
    @model("failing")
    class Failing(Idle):
        @command("plain")
        def plain(self) -> None:
            raise raised

        @command("coroutine")
        async def coroutine(self) -> None:
            raise raised

        @command("fine")
        async def fine(self) -> str:
            return "fine"

    with rig(Failing) as made:
        session = made.begin()
        made.run(session)
        outcome = made.command(session, "coroutine" if is_async else "plain").result(WITHIN)

        assert outcome.error is not None
        if code == "internal_error":
            reference = re.search(r" \(reference ([0-9a-f]{8})\)\.$", outcome.error.message)
            assert reference is not None
            cause = made.host.causes.find(reference[1])
            assert cause is not None
            assert cause.error.startswith(type(raised).__name__)
            assert "raise raised" in cause.line
            message = message.replace(".", reference[0])
            assert (outcome.error.code, outcome.error.message) == (code, message)
        assert made.ask(session, "fine") == "fine", "the session goes on"
        session.stop()


def test_refusals_before_the_handler() -> None:
    @model("typed")
    class Typed(Idle):
        @command("set")
        def set_(self, level: int) -> None:
            raise AssertionError("it must not run")

    with rig(Typed) as made:
        session = made.begin()
        made.run(session)
        outcomes = [
            made.command(session, "sett", level=1).result(WITHIN).error,
            made.command(session, "set", level="1").result(WITHIN).error,
            made.command(session, "set").result(WITHIN).error,
            made.command(session, "set", level=1, extra=2).result(WITHIN).error,
        ]
        session.stop()

    assert [(error.code, error.field) for error in outcomes if error] == [
        ("unknown_command", None),
        ("invalid_command", "level"),
        ("invalid_command", "level"),
        ("invalid_command", "extra"),
    ]


def test_a_result_that_cannot_be_sent_is_an_error_without_the_text(caplog: pytest.LogCaptureFixture) -> None:
    @model("object")
    class Returning(Idle):
        @command("get")
        def get(self) -> Any:
            return object()

    with rig(Returning) as made:
        session = made.begin()
        made.run(session)
        with pytest.raises(CommandError) as caught:
            made.ask(session, "get")
        session.stop()

    assert caught.value.code == "internal_error"
    assert "'get'" in caplog.text


def test_commands_run_one_at_a_time_in_order_while_the_model_runs() -> None:
    log: list[str] = []

    @model("slow")
    class Slow(Idle):
        @command("work")
        def work(self, name: str) -> None:
            log.append(f"begin {name}")
            time.sleep(0.01)
            log.append(f"end {name}")

    with rig(Slow) as made:
        session = made.begin()
        made.run(session)
        answers = [made.command(session, "work", name=name) for name in "abc"]
        for answer in answers:
            answer.result(WITHIN)
        session.stop()

    assert log == [f"{what} {name}" for name in "abc" for what in ("begin", "end")]


def test_an_unknown_command_is_answered_while_another_one_blocks() -> None:
    release = threading.Event()

    @model("blocking")
    class Blocking(Idle):
        @command("block")
        def block(self) -> str:
            release.wait(WITHIN)
            return "done"

    with rig(Blocking) as made:
        session = made.begin()
        made.run(session)
        blocked = made.command(session, "block")
        assert made.command(session, "unknown").result(0.5).error is not None
        assert not blocked.done()
        release.set()
        assert blocked.result(WITHIN).result == '"done"'
        session.stop()


def test_pending_limit() -> None:
    @model("full")
    class Full(Idle):
        @command("go")
        def go(self) -> None:
            pass

    with rig(Full) as made:
        session = made.begin()
        answers = [made.command(session, "go") for _ in range(PENDING_LIMIT + 5)]
        refused = [answer for answer in answers if answer.done()]
        assert 4 <= len(refused) <= 5
        assert {answer.result().error.code for answer in refused if answer.result().error} == {"rate_limited"}  # type: ignore[union-attr]  # asked for just behind it
        made.run(session)
        outcomes = [answer.result(WITHIN) for answer in answers]
        assert sum(outcome.error is None for outcome in outcomes) == len(answers) - len(refused)
        session.stop()


def test_reset_waits_for_the_handler_that_runs_and_those_that_wait_are_answered() -> None:
    log: list[str] = []
    begun = threading.Event()

    @model("ending")
    class Ending(Idle):
        @command("work")
        def work(self) -> None:
            begun.set()
            time.sleep(0.1)
            log.append("worked")

        def reset(self) -> None:
            log.append("reset")

    with rig(Ending) as made:
        session = made.begin()
        done = made.run(session)
        running = made.command(session, "work")
        assert begun.wait(WITHIN)
        waiting = made.command(session, "work")
        session.stop()
        done.result(WITHIN)

        assert log == ["worked", "reset"]
        assert running.result(0).error is None
        refused = waiting.result(0).error
        assert refused is not None
        assert refused.code == "session_ended"


def test_commands_of_a_session_that_nobody_joined_are_answered() -> None:
    @model("never")
    class Never(Idle):
        @command("go")
        def go(self) -> None:
            pass

    with rig(Never) as made:
        session = made.begin()
        answer = made.command(session, "go")
        made.end(session)

        error = answer.result(WITHIN).error
        assert error is not None
        assert error.code == "session_ended"
        with pytest.raises(NoSessionError):
            made.host.command(session, "go", {}, lambda _: None)


# --- media ---


@model("watching")
class Watching(Idle):
    webcam = VideoIn()
    main_video = VideoOut()

    def start_session(self) -> None:
        self.seen: list[int] = []
        self.gate = threading.Event()
        self.entered = threading.Event()
        get_ctx().send("ready")
        super().start_session()

    def on_media(self, bundle: Any) -> None:
        self.entered.set()
        self.gate.wait(WITHIN)
        self.seen.append(int(bundle.get_track("webcam").data[0, 0, 0]))
        if self.seen[-1] == 3:
            raise ValueError("a bad frame")


def model_of(made: Any) -> Any:
    return made.host._model


def begin_watching(made: Any) -> tuple[Session, Future[Any]]:
    session = made.begin()
    done = made.run(session)
    until(lambda: session.outbox._messages)
    return session, done


def test_on_media_sees_every_frame_in_order_and_an_error_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with rig(Watching) as made:
        session, _ = begin_watching(made)
        model_of(made).gate.set()
        for value in range(10):
            made.host.media(session, "webcam", np.full((2, 2, 3), value, np.uint8))
        until(lambda: len(model_of(made).seen) == 10)
        session.stop()

        assert model_of(made).seen == list(range(10))
        assert made.host.feed.failed == 1
        assert made.host.feed.dropped == 0


def test_feed_limit() -> None:
    with rig(Watching) as made:
        session, _ = begin_watching(made)
        made.host.media(session, "webcam", np.full((2, 2, 3), 100, np.uint8))
        assert model_of(made).entered.wait(WITHIN)
        for value in range(FEED_LIMIT + 7):
            made.host.media(session, "webcam", np.full((2, 2, 3), 101 + value, np.uint8))

        assert made.host.feed.dropped == 7
        assert session.losses()["on_media"] == 7
        model_of(made).gate.set()
        until(lambda: len(model_of(made).seen) == FEED_LIMIT + 1)
        assert model_of(made).seen == [100, *range(108, 108 + FEED_LIMIT)]
        session.stop()


@pytest.mark.parametrize("kind", ["video", "sound"])
def test_a_session_that_ends_under_the_engines_thread_is_no_error(kind: str) -> None:
    """The thread has seen the session run; when it comes to `on_media`, nothing is attached any more."""
    with rig(Watching) as made:
        session, done = begin_watching(made)
        model_of(made).gate.set()
        inputs: Any = session.media.inputs

        def ends(*_: object) -> Any:
            session.stop()
            done.result(WITHIN)
            made.host.detach(session)
            return np.zeros((1, 480), np.int16)

        inputs.put_video = inputs.put_audio = ends
        if kind == "video":
            made.host.media(session, "webcam", np.zeros((2, 2, 3), np.uint8))
        else:
            made.host.sound(session, "webcam", np.zeros((1, 480), np.int16), 48_000, object())

        assert model_of(made).seen == []
        with pytest.raises(NoSessionError):
            made.host.command(session, "look", {}, lambda _: None)


def test_latest_is_there_without_on_media() -> None:
    @model("latest")
    class Latest(Idle):
        webcam = VideoIn()
        main_video = VideoOut()

        @command("look")
        def look(self) -> int:
            return int(get_ctx().get_track("webcam").latest()[0, 0, 0])  # type: ignore[index]  # a picture has come

    with rig(Latest) as made:
        session = made.begin()
        made.run(session)
        made.host.media(session, "webcam", np.full((2, 2, 3), 77, np.uint8))
        assert made.ask(session, "look") == 77
        session.stop()


def test_frames_of_the_last_user_never_reach_the_next_one() -> None:
    with rig(Watching) as made:
        first, done = begin_watching(made)
        seen = model_of(made).seen
        first.stop()
        done.result(WITHIN)
        made.host.media(first, "webcam", np.full((2, 2, 3), 50, np.uint8))
        made.end(first)
        second, _ = begin_watching(made)
        model_of(made).gate.set()
        made.host.media(first, "webcam", np.full((2, 2, 3), 51, np.uint8))
        made.host.media(second, "webcam", np.full((2, 2, 3), 52, np.uint8))
        until(lambda: model_of(made).seen)
        second.stop()

        assert model_of(made).seen == [52]
        assert seen == []


def test_a_frame_on_its_way_when_the_session_ends_is_dropped() -> None:
    """The engine's thread has checked that the session runs, and is held up there until it has ended."""
    with rig(Watching) as made:
        first, done = begin_watching(made)
        model_of(made).gate.set()
        put = made.host.feed.put
        late: list[Any] = []
        made.host.feed.put = lambda *args: late.append(args)  # type: ignore[method-assign, assignment]  # the hold-up
        made.host.media(first, "webcam", np.full((2, 2, 3), 50, np.uint8))
        made.host.feed.put = put  # type: ignore[method-assign] # back again
        seen = model_of(made).seen
        first.stop()
        done.result(WITHIN)
        put(*late[0])
        made.end(first)
        second, _ = begin_watching(made)
        put(*late[0])
        assert made.host.feed.wait_idle(WITHIN)
        second.stop()

        assert seen == []
        assert model_of(made).seen == []


def test_flush_drops_pictures_and_sound_of_every_track_and_counts_them() -> None:
    flushed: list[int] = []

    @model(name="talking")
    class Talking(VideoModel):
        main_video = VideoOut(rate=1)
        voice = AudioOut(rate=48_000)

        def start_session(self) -> None:
            ctx = get_ctx()
            ctx.get_track("main_video").emit(np.zeros((4, 16, 16, 3), np.uint8))
            ctx.get_track("voice").emit(np.ones(4800, np.int16))
            flushed.append(ctx.flush())

    with rig(Talking) as made:
        session = made.begin()
        assert made.run(session).result(WITHIN).error is None
        losses = session.losses()

    # The first picture may have left already.
    assert flushed[0] in (3, 4)
    assert losses["flushed"] == flushed[0]
    # While nobody listens, sound passes at its own pace.
    assert 0 < losses["audio_out"] <= 4800
