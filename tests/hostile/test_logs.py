"""Nothing that a client or a model says forges a line of the log, drives a terminal or fills a disk."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime import CommandError, VideoModel, command, get_ctx, model
from reactor_runtime.cli.logs import Formatter
from reactor_runtime.loglines import (
    BURST,
    BURST_PER_CLIENT,
    KINDS_LIMIT,
    REFILL_PER_CLIENT_S,
    REPORT_S,
    Block,
    Limits,
    client,
    escaped,
)
from reactor_runtime.testing import serve

FORGED = "no\n2026-01-01 12:00:00 critical  x: FORGED\r\x1b[31m\x9b2J\u2028\u202e"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What would be on stderr."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(Formatter())
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


@model("saying")
class Saying(VideoModel):
    @command("refuse")
    def refuse(self, text: str) -> None:
        raise CommandError("no", text)

    @command("fail")
    def fail(self, text: str) -> None:
        raise ValueError(text)

    @command("note")
    def note(self, text: str) -> None:
        logging.getLogger("author").warning(f"the prompt is {text}")

    @command("boom")
    def boom(self) -> None:
        raise ValueError("boom")

    def start_session(self) -> None:
        while not get_ctx().wait_stop(0.02):
            pass


async def test_what_a_client_says_stays_on_its_line(log: io.StringIO) -> None:
    async with serve(Saying) as server:
        visitor = await server.join()
        for name in ("refuse", "fail", "note", FORGED):
            try:
                await visitor.command(name, text=FORGED)
            except CommandError:
                continue
        visitor.send({"scope": "runtime", "data": {"type": FORGED, "data": {}}})
        visitor.wire.send(FORGED)
        await visitor.command("note", text="the last")
        await visitor.stop()
    text = log.getvalue()
    assert "FORGED" in text
    assert not [letter for letter in text if letter != "\n" and escaped(letter) != letter]
    forged = [line for line in text.split("\n") if "FORGED" in line and "critical" in line[:60]]
    assert not [line for line in forged if line.startswith("2026-01-01")]


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_an_escaped_text_is_one_line_and_prints_nothing_odd(text: str) -> None:
    line = escaped(text)
    assert len(f"<{line}>".splitlines()) == 1
    assert escaped(line) == line
    line.encode()


def record(template: str, *args: object, name: str = "reactor_runtime.x") -> logging.LogRecord:
    return logging.LogRecord(name, logging.WARNING, "x.py", 1, template, args, None)


def test_our_own_stacks_and_tracebacks_stay_on_several_lines() -> None:
    formatter = Formatter()
    assert formatter.format(record("Here:\n%s", Block("a\nb"))).endswith("warning  x: Here:\na\nb")
    try:
        raise ValueError("one\ntwo")
    except ValueError as error:
        failed = record("It failed")
        failed.exc_info = (type(error), error, error.__traceback__)
    lines = formatter.format(failed).splitlines()
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-1] == r"ValueError: one\ntwo"


def test_numbers_are_formatted_as_numbers() -> None:
    assert Formatter().format(record("%d of %g: %s %r", 3, 1.5, None, "a")).endswith("3 of 1.5: None 'a'")


async def test_a_client_that_repeats_itself_gets_few_lines_and_a_count(log: io.StringIO) -> None:
    async with serve(Saying) as server:
        visitor = await server.join()
        for _ in range(100):
            visitor.wire.send("x" * 100)
        for _ in range(40):
            with pytest.raises(CommandError):
                await visitor.command("boom")
        await visitor.stop()
    lines = log.getvalue().splitlines()
    assert (
        len([line for line in lines if "was refused" in line and "left out" not in line]) == BURST_PER_CLIENT
    )
    assert len([line for line in lines if "'boom' failed" in line]) == BURST_PER_CLIENT
    assert [line for line in lines if "35 lines like this were left out" in line]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def limits() -> tuple[Limits, Clock]:
    clock = Clock()
    return Limits(clock), clock


def passed(limits: Limits, count: int, who: str | None, template: str = "A message: %s") -> int:
    token = client.set(who)
    try:
        return sum(limits.filter(record(template, number)) for number in range(count))
    finally:
        client.reset(token)


def test_kinds_and_clients_are_bounded_apart(limits: tuple[Limits, Clock]) -> None:
    bounded, clock = limits
    assert passed(bounded, 100, "1") == BURST_PER_CLIENT
    assert passed(bounded, 100, "2") == BURST_PER_CLIENT
    assert passed(bounded, 100, "1", "Another kind") == BURST_PER_CLIENT
    clock.now += REFILL_PER_CLIENT_S
    told = record("A message: %s", 1)
    token = client.set("1")
    assert bounded.filter(told)
    client.reset(token)
    assert vars(told)["left_out"] == 95


def test_clients_that_come_again_and_again_are_one_kind(limits: tuple[Limits, Clock]) -> None:
    bounded, _ = limits
    assert sum(passed(bounded, 1, str(number)) for number in range(10 * KINDS_LIMIT)) == BURST
    assert len(bounded._buckets) <= KINDS_LIMIT


def test_what_was_left_out_is_told_also_when_no_such_line_comes(
    limits: tuple[Limits, Clock], caplog: pytest.LogCaptureFixture
) -> None:
    bounded, clock = limits
    passed(bounded, 100, "7")
    bounded.report()
    assert not caplog.records
    clock.now += REPORT_S
    bounded.report()
    bounded.report()
    assert [entry.getMessage() for entry in caplog.records] == [
        "95 lines like this were left out of client 7: x: A message: %s"
    ]


def test_a_filter_is_gone_with_its_runtime() -> None:
    async def visit() -> None:
        async with serve(Saying):
            pass

    logger = logging.getLogger("reactor_runtime.executors.thread.commands")
    before = list(logger.filters)
    asyncio.run(visit())
    assert logger.filters == before
