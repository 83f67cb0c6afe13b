from __future__ import annotations

import asyncio
import gc
import queue
import threading
import weakref

import pytest

from reactor_runtime import VideoIn, VideoModel, VideoOut, get_ctx
from reactor_runtime.authoring.active import admitting_threads
from reactor_runtime.authoring.context import Context, activate, deactivate, use
from reactor_runtime.errors import NoSessionError, TrackError

from .fakes import FakeSession, in_thread, running


class Helper:
    """A thread that runs what it is given, for as long as a test needs it."""

    def __init__(self) -> None:
        self._work: queue.Queue = queue.Queue()
        self._results: queue.Queue = queue.Queue()
        self.thread = threading.Thread(target=self._run, name="helper")
        self.thread.start()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                self._results.put(work())
            except NoSessionError as error:
                self._results.put(error)

    def __call__(self, work):
        self._work.put(work)
        return self._results.get(timeout=5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._work.put(None)
        self.thread.join(5)


def test_outside_a_session():
    with pytest.raises(RuntimeError, match="only valid during one: in start_session"):
        get_ctx()


def test_inside_and_after():
    session = FakeSession(frames=2)
    with running(session) as context:
        assert get_ctx() is context
        assert (context.session_id, context.model_name, context.connected) == (
            "session-1",
            "VideoModel",
            True,
        )
        get_ctx().get_track().emit("a")
        assert not get_ctx().should_stop()
        get_ctx().emit_block("b")
        assert get_ctx().should_stop()
        assert get_ctx().wait_stop(0.01)
        get_ctx().send({"type": "progress"})
        assert get_ctx().flush() == 2
        context.enable_monitoring()
        context.disable_monitoring()
    assert session.emitted == [("main_video", "a", None), ("main_video", "b", None)]
    assert session.sent == [{"type": "progress"}]
    with pytest.raises(NoSessionError):
        get_ctx()


def test_a_kept_context_is_of_no_use_later():
    with running(FakeSession()) as kept:
        pass
    with running(FakeSession(number=2)):
        assert kept.ended
        assert kept.should_stop()
        assert kept.wait_stop(10)
        assert not kept.connected
        for call in (kept.get_track, kept.flush, lambda: kept.emit_block("x"), lambda: kept.send({})):
            with pytest.raises(NoSessionError, match="'session-1', which has ended"):
                call()
    assert "ended" in repr(kept)


def test_what_the_author_keeps_does_not_keep_the_session():
    session = FakeSession()
    gone = weakref.ref(session)
    with running(session) as kept:
        track = kept.get_track()
    del session
    gc.collect()
    assert gone() is None
    assert (kept.session_id, kept.tracks, track.name) == ("session-1", {}, "main_video")


def test_deactivating_twice_is_harmless():
    context = Context(FakeSession())
    activate(context)
    deactivate(context)
    deactivate(context)


def test_a_thread_of_the_author_finds_the_session():
    with running(FakeSession()) as context:
        assert in_thread(get_ctx) is context


def test_a_thread_from_before_all_sessions_may_join_each():
    with admitting_threads():
        helper = Helper()
    with helper:
        for number in (1, 2):
            with running(FakeSession(number=number)) as context:
                assert helper(get_ctx) is context
        assert isinstance(helper(get_ctx), NoSessionError)


def test_a_thread_of_an_earlier_session_is_refused():
    with running(FakeSession()) as first:
        helper = Helper()
    with helper:
        assert "an earlier session" in str(helper(get_ctx))
        with running(FakeSession(number=2)) as second:
            error = helper(get_ctx)
            assert isinstance(error, NoSessionError)
            assert "'helper' was started during an earlier session" in str(error)
            # Handing it the context is the way out that the error names.
            assert helper(second.should_stop) is False
            assert helper(first.should_stop) is True


class Several(VideoModel):
    main = VideoOut()


def test_an_attribute_track_does_not_leak_into_the_next_session():
    def emit():
        try:
            Several().main.emit("leak")
        except TrackError as error:
            return error

    with running(FakeSession(Several)):
        helper = Helper()
    with helper:
        session = FakeSession(Several, 2)
        with running(session):
            assert isinstance(helper(emit), TrackError)
        assert session.emitted == []


def test_several_sessions_need_an_own_thread_each():
    one, two = Context(FakeSession()), Context(FakeSession(number=2))
    activate(one)
    activate(two)
    try:
        with use(one):
            assert get_ctx() is one
            with use(two):
                assert get_ctx() is two
            assert get_ctx() is one
        with pytest.raises(NoSessionError, match="2 sessions are running in this process"):
            in_thread(get_ctx)
    finally:
        deactivate(one)
        deactivate(two)


def test_a_task_keeps_the_session_it_was_made_in():
    seen = []

    async def task():
        seen.append(get_ctx())

    with running(FakeSession()) as context:
        asyncio.run(task())
        asyncio.run(asyncio.to_thread(lambda: seen.append(get_ctx())))
    assert seen == [context, context]


def test_a_task_of_an_ended_session_never_reaches_the_next():
    async def work():
        started = asyncio.Event()

        async def late():
            await started.wait()
            return get_ctx()

        first = Context(FakeSession())
        activate(first)
        with use(first):
            task = asyncio.create_task(late())
        deactivate(first)
        second = Context(FakeSession(number=2))
        activate(second)
        started.set()
        try:
            with pytest.raises(NoSessionError, match="session that has ended"):
                await task
        finally:
            deactivate(second)

    asyncio.run(work())


def test_an_unknown_track_lists_what_there_is():
    class Named(VideoModel):
        webcam = VideoIn()
        picture = VideoOut()

    with running(FakeSession(Named)) as context:
        with pytest.raises(
            TrackError, match=r"no track 'pictur'; it has: webcam, picture\. Did you mean 'picture'\?"
        ):
            context.get_track("pictur")
        with pytest.raises(TrackError, match="give the name of a track as a string"):
            context.get_track(3)


@pytest.mark.parametrize(
    ("name", "line"), [("webcam", "webcam = VideoIn()"), ("my_mic", "my_mic = AudioIn()")]
)
def test_an_undeclared_input_shows_the_line_to_add(name, line):
    with running(FakeSession()) as context, pytest.raises(TrackError) as caught:
        context.get_track(name)
    assert f"`{line}`" in str(caught.value)
    assert "`main_video = VideoOut()`" in str(caught.value)


def test_a_name_that_no_attribute_can_have():
    with running(FakeSession()) as context, pytest.raises(TrackError, match="Python identifier"):
        context.get_track("my track")


def test_no_default_track():
    class OnlyInput(VideoModel):
        webcam = VideoIn()

    with (
        running(FakeSession(OnlyInput)) as context,
        pytest.raises(TrackError, match=r"no video output.*webcam"),
    ):
        context.get_track()
