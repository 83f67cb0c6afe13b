"""What an actor tells comes once, in order, and is bounded."""

from __future__ import annotations

from reactor_runtime.fleet.on_ray import news
from reactor_runtime.fleet.on_ray.news import News


async def test_what_is_told_comes_in_order_until_it_was_seen() -> None:
    told = News()
    told.put(event="first")
    told.line("w1", "a line")
    told.put(event="last")
    pieces = await told.after(0)
    assert [next(iter(piece.values())) for _, piece in pieces] == ["first", "a line", "last"]
    assert await told.after(0) == pieces, "an answer may be lost on its way"
    assert await told.after(pieces[1][0]) == pieces[2:]


async def test_a_question_waits_for_what_comes() -> None:
    told = News()
    told.put(event="seen")
    ((number, _),) = await told.after(0)
    assert await told.after(number, within=0.01) == []


async def test_lines_give_way_and_events_do_not() -> None:
    told = News()
    told.put(event="lost")
    for number in range(news.LINES_LIMIT + 7):
        told.line("w1", str(number))
    pieces = await told.after(0)
    assert pieces[0] == (0, {"dropped": 7})
    assert pieces[1][1] == {"event": "lost"}
    assert pieces[2][1]["line"] == "7"
    assert len(pieces) <= news.PART + 1
    seen, lines = pieces[-1][0], len(pieces) - 2
    while len(following := await told.after(seen)) == news.PART:
        seen, lines = following[-1][0], lines + len(following)
    assert lines + len(following) == news.LINES_LIMIT
