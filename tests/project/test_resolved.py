"""The configuration as data: whole, and without what came from the environment."""

from __future__ import annotations

import json
from typing import Any

import pytest
from omegaconf import OmegaConf

from reactor_runtime.project.config import EffectiveConfig
from reactor_runtime.project.resolved import MAX_LOGGED_CHARS, resolved_data, summary


def data(values: dict[str, Any]) -> dict[str, Any]:
    return resolved_data(EffectiveConfig(OmegaConf.create(values), {}))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("${oc.env:REACTOR_TEST_SECRET}", "***"),
        ("${oc.env:'REACTOR_TEST_SECRET'}", "***"),
        ("${ oc.env:REACTOR_TEST_SECRET }", "***"),
        ("${oc.env:REACTOR_TEST_SECRET,fallback}", "***"),
        ("${oc.env:REACTOR_TEST_NOT_SET,fallback}", "fallback"),
        ("${oc.env:REACTOR_TEST_NOT_SET,${oc.env:REACTOR_TEST_SECRET}}", "***"),
        ("https://${oc.env:REACTOR_TEST_SECRET}@host", "https://***@host"),
        ("${oc.decode:${oc.env:REACTOR_TEST_SECRET}}", "***"),
        ("${oc.env:${name}}", "***"),
        ("${${resolver}:REACTOR_TEST_SECRET}", "***"),
        ("${env}", "***"),
        ("${oc.select:env}", "***"),
        ("\\${oc.env:REACTOR_TEST_SECRET}", "${oc.env:REACTOR_TEST_SECRET}"),
        ("${nothing}", "???"),
        ("???", "???"),
        ("plain", "plain"),
    ],
)
def test_values_of_the_environment_are_masked(monkeypatch: pytest.MonkeyPatch, text: str, shown: str) -> None:
    monkeypatch.setenv("REACTOR_TEST_SECRET", "hunter2")
    monkeypatch.delenv("REACTOR_TEST_NOT_SET", raising=False)
    values = {
        "name": "REACTOR_TEST_SECRET",
        "resolver": "oc.env",
        "env": "${oc.env:REACTOR_TEST_SECRET}",
        "key": text,
        "list": [text, {"inner": text}],
    }
    found = data(values)
    assert found["key"] == shown
    assert found["list"] == [shown, {"inner": shown}]
    assert "hunter2" not in json.dumps(found)


def test_the_line_of_the_log_is_bounded() -> None:
    effective = EffectiveConfig(OmegaConf.create({"a": "x\n" * 5000}), {})
    assert len(summary(effective)) <= MAX_LOGGED_CHARS
    assert "\n" not in summary(effective)
