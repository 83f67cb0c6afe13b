"""Tests that stand in documents, run as they are written there."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run_test(text: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the test `name` of the first block of Python in `text`, beside the example brightness."""
    found = re.search(r"```python\n(.*?)```", text, re.S)
    assert found is not None
    monkeypatch.syspath_prepend(str(ROOT / "examples" / "brightness"))
    monkeypatch.delitem(sys.modules, "model", raising=False)
    names: dict[str, object] = {}
    exec(found.group(1), names)
    test = names[name]
    assert callable(test)
    test()
    del sys.modules["model"]
