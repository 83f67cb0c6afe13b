"""Tests wait for what they wait for: who sleeps stands here, with a reason."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

import pytest

from reactor_runtime.authoring import syntax

from .sleeps import guessing_sleeps, of_all, patched_constants

WORK = "author code that takes its time: the sleep is what is tested"
PEER = "a machine, a program or a person on the other side that is slow: no clock of ours is theirs"
NOTHING = "nothing is to happen, and real threads would do it: it can pass by luck, never fail by it"
MOMENTS = "the moment is random on purpose, so that threads meet everywhere"
LIVES = "a session goes on for a while, so that something could be mixed; nothing hangs on how much"
OTHERS = "what other processes use is read before and after"
WALL = "about the wall's clock itself"

SLEEPS = {
    ("executors/test_loop.py", "slow"): WORK,
    ("executors/test_loop.py", "start_session"): WORK,
    ("executors/test_thread.py", "one"): WORK,
    ("executors/test_thread.py", "work"): WORK,
    ("fleet/test_faults.py", "test_a_gateway_that_stood_still_gives_nobody_up"): WALL,
    ("fleet/toy/model.py", "__init__"): WORK,
    ("hostile/test_loop.py", "hold"): WORK,
    ("hostile/test_next_user.py", "link"): WORK,
    ("hostile/test_next_user.py", "work"): WORK,
    ("interop/more.py", "main"): NOTHING,
    ("interop/play.py", "come_back"): PEER,
    ("media/test_playout.py", "test_after_flushing_nothing_old_is_delivered_whenever_it_happens"): MOMENTS,
    ("media/test_playout.py", "test_stopping_during_a_full_queue_never_hangs"): MOMENTS,
    ("media/test_sound.py", "test_silence_fills_and_time_goes_on"): WALL,
    ("postmortem.py", "report"): OTHERS,
    ("project/weights/places.py", "_body"): PEER,
    ("session/audit/hostile.py", "__getitem__"): WORK,
    ("session/audit/hostile.py", "__iter__"): WORK,
    ("session/audit/hostile.py", "__len__"): WORK,
    ("session/audit/hostile.py", "items"): WORK,
    ("session/audit/test_no_mixing.py", "draws"): LIVES,
    ("session/audit/test_no_mixing.py", "leaves_what_goes_on_to_the_next_user"): NOTHING,
    ("session/audit/test_no_mixing.py", "shows_a_camera"): LIVES,
    ("session/audit/test_no_mixing.py", "slow"): WORK,
    ("session/audit/test_no_mixing.py", "teardown"): NOTHING,
    ("wire/client.py", "recv"): PEER,
    ("wire/test_clients.py", "leave"): MOMENTS,
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
    assert list(look(syntax.parse(source))) == found
