"""Twenty models that leak are told by path and line; their clean twins are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from .models import CLEAN, PAIRS
from .play import played, visit

USERS = ("a red car on the moon", "two blue birds in rain", "the old harbour at dawn")


@pytest.mark.parametrize("name", PAIRS)
def test_a_leak_is_told_by_its_path_and_line(name: str, tmp_path: Path) -> None:
    pair = PAIRS[name]
    with played(tmp_path, pair.leaky) as made:
        report = visit(made, USERS[0])
    found = [finding for finding in report.findings if finding.path.startswith(pair.path)]
    assert found, report.findings
    if pair.where:
        file, _, line = found[0].where.rpartition(":")
        assert file == "model.py"
        assert pair.where in pair.leaky.splitlines()[int(line) - 1], found[0]


@pytest.mark.parametrize("source", [*(pair.clean for pair in PAIRS.values()), *CLEAN.values()])
def test_a_clean_model_is_not_told(source: str, tmp_path: Path) -> None:
    with played(tmp_path, source) as made:
        for user in USERS:
            assert not visit(made, user).findings
