"""Freed memory goes back to the system."""

from __future__ import annotations

import threading

from reactor_runtime.session import heap


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def test_what_a_thread_has_freed_goes_back() -> None:
    if heap._TRIM is None:
        heap.give_back()  # it does nothing, and says nothing
        return
    held: list[object] = []

    def work() -> None:
        blocks = [bytes([n % 256]) * 60_000 for n in range(2000)]
        # One block in the way of all the others keeps them in the thread's pool.
        held.append(blocks[-1])
        blocks.clear()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    before = resident()
    heap.give_back()

    assert resident() < before - 50_000_000
