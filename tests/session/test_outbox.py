from __future__ import annotations

import threading

import pytest

from reactor_runtime.session.outbox import OUTBOX_LIMIT, Outbox


def test_messages_come_out_in_order_and_wake_the_loop_once() -> None:
    woken: list[bool] = []
    outbox = Outbox(lambda: woken.append(True))
    for text in "abc":
        outbox.put(text)

    assert woken == [True]
    assert outbox.take() == ["a", "b", "c"]
    assert outbox.take() == []
    outbox.put("d")
    assert woken == [True, True]


def test_outbox_limit(caplog: pytest.LogCaptureFixture) -> None:
    outbox = Outbox(lambda: None)
    for index in range(OUTBOX_LIMIT + 5):
        outbox.put(str(index))

    assert outbox.dropped == 5
    assert outbox.take() == [str(index) for index in range(5, OUTBOX_LIMIT + 5)]
    assert len(caplog.records) == 1


def test_after_closing_nothing_is_kept() -> None:
    outbox = Outbox(lambda: None)
    outbox.put("a")
    outbox.close()
    outbox.put("b")

    assert outbox.take() == []


def test_many_threads() -> None:
    taken: list[str] = []
    outbox = Outbox(lambda: taken.extend(outbox.take()))

    def put(name: int) -> None:
        for index in range(200):
            outbox.put(f"{name}:{index}")

    threads = [threading.Thread(target=put, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken += outbox.take()

    assert len(taken) == 800
    for name in range(4):
        own = [text for text in taken if text.startswith(f"{name}:")]
        assert own == [f"{name}:{index}" for index in range(200)]
