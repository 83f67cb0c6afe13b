from __future__ import annotations

import gc
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


def test_what_a_posted_job_raises_is_logged_and_the_next_one_runs(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise SystemExit(2)

    worker = JobThread("reactor-test")
    assert worker.post(fail)
    assert worker.submit(lambda: 5).result(2) == 5
    assert [record.getMessage() for record in caplog.records] == [
        "A job of thread reactor-test failed; it goes on with the next one"
    ]
    worker.close()


def test_behind_the_end_nothing_runs() -> None:
    ran: list[str] = []
    worker = JobThread("reactor-test")
    assert worker.post(lambda: ran.append("before"))
    worker.close()

    assert not worker.post(lambda: ran.append("behind"))
    assert worker.submit(lambda: ran.append("behind")).cancelled()
    worker.close()
    assert ran == ["before"]


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
