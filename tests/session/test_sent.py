"""What has gone, and what was lost, in numbers that only grow."""

from __future__ import annotations

from reactor_runtime.session.losses import Losses, Lost
from reactor_runtime.session.sent import Sent, SentCounts


def test_what_has_gone_is_counted_by_stream() -> None:
    counts = SentCounts()
    counts.add("video", "VP8", Sent(1, 100, 1))
    counts.add("video", "VP8", Sent(2, 50))
    counts.add("video", "H264", Sent(bytes=7))
    assert counts.by_stream == {("video", "VP8"): Sent(3, 150, 1), ("video", "H264"): Sent(0, 7, 0)}


def test_the_difference_and_what_it_was_taken_of_are_the_whole() -> None:
    before, now = Sent(1, 10, 1), Sent(4, 25, 3)
    more = now.since(before)
    assert more == Sent(3, 15, 2)
    before.add(more)
    assert before == now


def test_losses_are_counted_by_place_and_say_when_they_are_the_first() -> None:
    losses = Losses()
    assert losses.add(Lost.NETWORK, 5) == 0
    assert losses.add(Lost.NETWORK) == 5
    assert losses.add(Lost.EARLY, 0) == 0
    counts = losses.counts()
    assert counts.keys() == {place.value for place in Lost}
    assert {place: count for place, count in counts.items() if count} == {"network": 6}
