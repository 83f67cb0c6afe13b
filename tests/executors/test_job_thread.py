from __future__ import annotations

import gc
import queue
import threading
import weakref

import pytest

from reactor_runtime.process.job_thread import JobThread


def test_jobs_run_in_order_on_one_thread() -> None:
    worker = JobThread("reactor-test")
    futures = [worker.submit(threading.get_ident) for _ in range(3)]

    assert {future.result(2) for future in futures} == {worker.ident}
    worker.close()


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(2), KeyboardInterrupt()])
def test_what_a_job_raises_belongs_to_its_future(error: BaseException) -> None:
    def fail() -> None:
        raise error

    worker = JobThread("reactor-test")

    assert worker.submit(fail).exception(2) is error
    assert worker.submit(lambda: 5).result(2) == 5
    worker.close()


def test_a_job_that_was_cancelled_does_not_run() -> None:
    gate = threading.Event()
    worker = JobThread("reactor-test")
    worker.submit(lambda: gate.wait(2))
    second = worker.submit(lambda: 1)
    assert second.cancel()
    gate.set()

    assert worker.submit(lambda: 2).result(2) == 2
    worker.close()


def test_limit() -> None:
    gate = threading.Event()
    began = threading.Event()
    worker = JobThread("reactor-test", limit=1)
    worker.submit(lambda: (began.set(), gate.wait(2)))
    began.wait(2)
    worker.submit(lambda: None)

    with pytest.raises(queue.Full):
        worker.submit(lambda: None)
    gate.set()
    until_closed(worker)


def until_closed(worker: JobThread) -> None:
    while True:
        worker.close()
        if worker.ident not in {thread.ident for thread in threading.enumerate()}:
            return


def test_nothing_of_a_job_is_kept_until_the_next_one() -> None:
    class Session:
        pass

    worker = JobThread("reactor-test")
    session = Session()
    died = weakref.ref(session)
    worker.submit(lambda kept=session: None).result(2)
    del session
    worker.submit(lambda: None).result(2)
    gc.collect()

    assert died() is None
    worker.close()
