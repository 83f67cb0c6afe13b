"""When an answer has all our candidates: the engine itself takes 100 ms to say so."""

from __future__ import annotations

import asyncio

import pytest

from reactor_runtime.transports.port import CandidateFound, IceCandidate
from reactor_runtime.transports.reactor_webrtc.gathering import Gathered, LocalCandidates

NEVER_S = 60.0
WITHIN_S = 30.0
UDP = "candidate:1 1 udp 2122260223 10.77.0.1 40000 typ host"
TCP = "candidate:2 1 tcp 1518280447 10.77.0.1 40001 typ host tcptype passive"
ANSWER = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n"


def candidate(text: str = UDP) -> IceCandidate:
    return IceCandidate(text, "0", 0)


def gathering(
    last: int = 0, *, quiet: float = NEVER_S, sure: float = NEVER_S, asks_servers: bool = False
) -> tuple[LocalCandidates, Gathered]:
    gathered = Gathered()
    gathered.count = last
    return LocalCandidates(lambda event: None, asks_servers, gathered, quiet=quiet, sure=sure), gathered


async def waiting(local: LocalCandidates) -> asyncio.Task[None]:
    """One who has looked at what is there, and waits for more."""
    task = asyncio.ensure_future(local.wait(WITHIN_S))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not task.done()
    return task


async def ends(task: asyncio.Task[None]) -> None:
    async with asyncio.timeout(5):
        await task


async def test_as_many_as_the_last_time_are_all() -> None:
    local, _ = gathering(last=2, sure=0.0)
    local.add(candidate())
    task = await waiting(local)
    local.add(candidate())
    await ends(task)


async def test_fewer_than_the_last_time_may_be_all_after_a_while() -> None:
    local, _ = gathering(last=2, quiet=0.01)
    local.add(candidate())
    await ends(asyncio.ensure_future(local.wait(WITHIN_S)))


@pytest.mark.parametrize("last", [1, 2])
async def test_who_was_never_told_how_many_there_are_waits_a_while(last: int) -> None:
    local, gathered = gathering(sure=0.0)
    local.add(candidate())
    task = await waiting(local)
    gathered.count = last
    local.add(candidate())
    await ends(task)


async def test_those_over_tcp_come_later_and_do_not_count() -> None:
    local, _ = gathering(last=2, sure=0.0)
    local.add(candidate())
    task = await waiting(local)
    local.add(candidate(TCP))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not task.done()
    local.complete()
    await ends(task)


async def test_the_engines_word_is_kept_for_the_next_peer() -> None:
    local, gathered = gathering()
    for text in (UDP, UDP, TCP):
        local.add(candidate(text))
    assert gathered.count == 0
    local.complete()
    assert gathered.count == 2
    await ends(asyncio.ensure_future(local.wait(WITHIN_S)))


async def test_where_servers_are_asked_only_the_engine_knows() -> None:
    local, gathered = gathering(last=7, quiet=0.0, sure=0.0, asks_servers=True)
    local.add(candidate())
    task = await waiting(local)
    local.complete()
    await ends(task)
    assert gathered.count == 7  # how many are ours alone was not told


async def test_a_new_answer_begins_without_candidates() -> None:
    local, _ = gathering(last=1, sure=0.0)
    local.add(candidate())
    local.complete()
    local.begin()
    task = await waiting(local)
    local.add(candidate())
    await ends(task)


async def test_nobody_waits_longer_than_told() -> None:
    local, _ = gathering(asks_servers=True)
    await local.wait(0.01)


async def test_before_the_first_one_there_is_nothing_to_go_by() -> None:
    local, _ = gathering(quiet=0.0)
    task = await waiting(local)
    local.add(candidate())
    await ends(task)
    assert Gathered().count == 0


def test_an_answer_has_those_of_its_own_attempt_and_each_is_told() -> None:
    told: list[object] = []
    local = LocalCandidates(told.append, False, Gathered())
    local.add(candidate())
    assert UDP in local.in_answer(ANSWER)
    local.begin()
    assert UDP not in local.in_answer(ANSWER)
    assert told == [CandidateFound(candidate())]
