"""Tests wait for what they wait for: who sleeps stands here, with a reason."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

import pytest

from .sleeps import guessing_sleeps, of_all, patched_constants

WORK = "author code that takes its time: the sleep is what is tested"
PEER = "a machine, a program or a person on the other side that is slow: no clock of ours is theirs"
NOTHING = "nothing is to happen, and real threads would do it: it can pass by luck, never fail by it"
MOMENTS = "the moment is random on purpose, so that threads meet everywhere"
POLLS = "asks again, so many times at most"
WALL = "about the wall's clock itself"

SLEEPS = {
    ("cli/test_processes.py", "test_a_signal_for_a_forked_child_is_none_for_the_server"): NOTHING,
    ("executors/test_loop.py", "slow"): WORK,
    ("executors/test_loop.py", "start_session"): WORK,
    ("executors/test_thread.py", "one"): WORK,
    ("executors/test_thread.py", "test_a_frame_on_its_way_when_the_session_ends_is_dropped"): NOTHING,
    ("executors/test_thread.py", "test_a_model_that_ignores_should_stop_can_be_seen"): NOTHING,
    ("executors/test_thread.py", "test_commands_before_the_loop_runs_are_kept_in_order"): NOTHING,
    (
        "executors/test_thread.py",
        "test_reset_waits_for_the_handler_that_runs_and_those_that_wait_are_answered",
    ): NOTHING,
    ("executors/test_thread.py", "work"): WORK,
    ("fleet/test_faults.py", "test_a_gateway_that_dies_loses_no_session"): PEER,
    ("fleet/test_faults.py", "test_a_gateway_that_stood_still_gives_nobody_up"): PEER,
    ("fleet/toy/model.py", "__init__"): WORK,
    ("hostile/test_loop.py", "hold"): WORK,
    ("hostile/test_next_user.py", "link"): WORK,
    ("hostile/test_next_user.py", "tick"): WORK,
    ("hostile/test_next_user.py", "work"): WORK,
    ("interop/more.py", "main"): PEER,
    ("interop/play.py", "come_back"): PEER,
    ("media/test_plane.py", "test_a_late_sink_does_not_see_the_future"): MOMENTS,
    ("media/test_plane.py", "test_the_tail_is_delivered"): PEER,
    ("media/test_playout.py", "test_after_flushing_nothing_old_is_delivered_whenever_it_happens"): MOMENTS,
    ("media/test_playout.py", "test_flushing_cuts_the_batch_that_waits_for_room"): NOTHING,
    ("media/test_playout.py", "test_stopping_during_a_full_queue_never_hangs"): MOMENTS,
    ("media/test_sound.py", "held_back"): NOTHING,
    ("media/test_sound.py", "test_silence_fills_and_time_goes_on"): WALL,
    ("project/weights/places.py", "_body"): PEER,
    ("runtimes/http/test_clients.py", "test_a_command_after_the_end_is_answered"): PEER,
    ("runtimes/http/test_sessions.py", "test_a_model_that_ignores_should_stop"): NOTHING,
    (
        "runtimes/http/test_sessions.py",
        "test_a_reconnect_takes_the_place_of_the_connection_that_goes_meanwhile",
    ): NOTHING,
    ("runtimes/http/test_sound.py", "test_a_microphone_is_read_in_order_and_seen_by_on_media"): POLLS,
    ("session/audit/hostile.py", "__getitem__"): WORK,
    ("session/audit/hostile.py", "__iter__"): WORK,
    ("session/audit/hostile.py", "__len__"): WORK,
    ("session/audit/hostile.py", "items"): WORK,
    ("session/audit/test_no_mixing.py", "draws"): MOMENTS,
    ("session/audit/test_no_mixing.py", "leaves_what_goes_on_to_the_next_user"): MOMENTS,
    ("session/audit/test_no_mixing.py", "shows_a_camera"): MOMENTS,
    ("session/audit/test_no_mixing.py", "slow"): WORK,
    ("session/audit/test_no_mixing.py", "teardown"): NOTHING,
    ("wire/client.py", "recv"): PEER,
    ("wire/test_clients.py", "leave"): PEER,
    ("wire/test_clients.py", "play"): PEER,
    ("wire/test_network.py", "captured"): PEER,
    ("wire/test_sound.py", "play"): PEER,
}


def test_nobody_sleeps_but_those_with_a_reason() -> None:
    assert set(of_all(guessing_sleeps)) == set(SLEEPS)


def test_no_constant_of_a_module_and_no_default_of_a_function_is_patched() -> None:
    assert list(of_all(patched_constants)) == []


@pytest.mark.parametrize(
    ("look", "source", "found"),
    [
        (guessing_sleeps, "def f():\n    time.sleep(1)", ["f"]),
        (guessing_sleeps, "async def f():\n    await asyncio.sleep(1)", ["f"]),
        (guessing_sleeps, "while not done():\n    def f():\n        time.sleep(1)", ["f"]),
        (guessing_sleeps, "def f():\n    while not done():\n        time.sleep(1)", []),
        (guessing_sleeps, "async def f():\n    await asyncio.sleep(0)", []),
        (patched_constants, "monkeypatch.setattr(module, 'LIMIT_S', 1)", ["LIMIT_S"]),
        (patched_constants, "monkeypatch.setattr('a.b.LIMIT_S', 1)", ["a.b.LIMIT_S"]),
        (patched_constants, "f.__" + "kwdefaults__['a'] = 1", ["__" + "kwdefaults__"]),
        (patched_constants, "monkeypatch.setattr(module, 'look', f)", []),
    ],
)
def test_what_is_found(look: Callable[[ast.AST], Iterator[str]], source: str, found: list[str]) -> None:
    assert list(look(ast.parse(source))) == found
