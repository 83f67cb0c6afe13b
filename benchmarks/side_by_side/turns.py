"""Versions of ours in small turns: what the machine does meanwhile, it does to all of them alike.

Where strangers share the processor, a frame takes 8 ms in one minute and 9 in the next. So the servers of
all versions run at once, and each part goes round among them every few seconds; who waits has no session, and
does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from playwright.sync_api import Browser
from playwright.sync_api import Error as PlaywrightError

from .browser import chromium, receiver
from .figures import medians
from .scenario import SETTLE_S, Figures, Outcome, Plan, Play
from .servers import Contender, running

FRESH_STARTS = 3
OFFERS = 8
REST_S = 0.3
"""After a session has ended."""


T = TypeVar("T")
Measured = tuple[Play, Figures]


@dataclass(frozen=True)
class Part:
    measure: Callable[[Play], Figures]
    turns: int


STEADY = (Part(Play.steady, 6),)
"""The 99th percentile of a turn rests on two of its frames."""
REST = (
    Part(Play.commands, 3),
    Part(Play.slow_step, 3),
    Part(Play.slow_model, 3),
    Part(Play.more_viewers, 2),
)
"""Figures of a few samples get more turns: six answers in one slow step are 10 % apart from the next six."""


def in_turns(items: Sequence[T], turns: int) -> Iterator[T]:
    """All of them, `turns` times, each time another one first: so nobody has a place of its own, and nobody
    comes twice in a row, with caches that are still warm."""
    for turn in range(turns):
        yield from rotated(items, turn)


def rotated(items: Sequence[T], turn: int) -> list[T]:
    """All of them, beginning with another one each turn."""
    first = turn % len(items)
    return [*items[first:], *items[:first]]


@dataclass(frozen=True)
class Round:
    """One round of one size. Servers take their ports from `ports`."""

    origin: str
    ports: Iterator[int]
    size: tuple[int, int]
    plan: Plan
    log: Callable[[Contender], Path]

    def outcomes(self, contenders: Sequence[Contender]) -> dict[str, Outcome]:
        """By name. What fails is the outcome of all: a round is one measurement."""
        kept: dict[str, list[Figures]] = {each.name: [] for each in contenders}
        found = {each.name: Outcome() for each in contenders}
        try:
            for contender in in_turns(contenders, FRESH_STARTS):
                kept[contender.name].append({"first_frame_fresh_ms": self._fresh_offer(contender)})
            for play, figures in self._parts(contenders):
                kept[play.contender.name].append(figures)
                found[play.contender.name] = play.outcome
        except (RuntimeError, PlaywrightError, OSError) as error:
            return {name: Outcome(error=str(error).strip().splitlines()[0]) for name in kept}
        return {name: replace(found[name], figures=medians(figures)) for name, figures in kept.items()}

    def _fresh_offer(self, contender: Contender) -> float:
        """Server and browser are fresh, and alone."""
        with chromium() as browser, self._playing(browser, contender) as play:
            return play.join()

    def _parts(self, contenders: Sequence[Contender]) -> Iterator[Measured]:
        with ExitStack() as stack:
            browser = stack.enter_context(chromium())
            plays = [stack.enter_context(self._playing(browser, each)) for each in contenders]
            for part in (*STEADY, *(REST if self.plan.everything else ())):
                yield from ((play, _visit(play, part.measure)) for play in in_turns(plays, part.turns))
            for play in in_turns(plays, OFFERS if self.plan.everything else 0):
                yield play, {"first_frame_ms": _warm_offer(play)}

    @contextmanager
    def _playing(self, browser: Browser, contender: Contender) -> Iterator[Play]:
        with (
            running(contender, next(self.ports), self.size, self.log(contender)) as server,
            receiver(browser, self.origin) as page,
        ):
            yield Play(contender, server, page, self.size, self.plan, Outcome())


def _visit(play: Play, measure: Callable[[Play], Figures]) -> Figures:
    """One part, in a session of its own."""
    play.page.to_front()
    play.join()
    play.page.watch(SETTLE_S)
    figures = measure(play)
    play.figures.update(figures)
    play.leave()
    play.page.watch(REST_S)
    return figures


def _warm_offer(play: Play) -> float:
    play.page.to_front()
    milliseconds = play.join()
    play.page.watch(REST_S)
    play.leave()
    play.page.watch(REST_S)
    return milliseconds
