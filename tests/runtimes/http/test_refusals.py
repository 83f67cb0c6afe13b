"""Refusals over HTTP: every kind has a status, and there is one table."""

from __future__ import annotations

import pytest

from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.runtimes.http.problems import refused
from reactor_runtime.runtimes.http.refusals import STATUSES


@pytest.mark.parametrize("kind", Refusal)
def test_every_kind_of_refusal_has_a_status(kind: Refusal) -> None:
    answer = refused(RefusedError(kind, "odd", "No.", retry_after=3))
    assert answer.status_code == STATUSES[kind]
    assert answer.status_code in range(400, 430) or answer.status_code == 503
    assert answer.headers["Retry-After"] == "3"
    assert answer.body == b'{"detail":"No.","code":"odd"}'
