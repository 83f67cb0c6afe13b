"""The blocks are what the documents say: neither a changed line nor a forgotten one."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from . import blocks

DOCUMENTS = Path(os.environ.get("REACTOR_SEEDS", "/work/shared/seeds"))
CODE = re.compile(
    r"(from \w+(\.\w+)* import |import \w|class \w+\(|def \w+\(|@model\(|@command\(|while |for |if |return"
    r"|try:|finally:|self\.\w+ = |self\.\w+(\.\w+)*\(|frames? = |get_ctx\(\)\.\S+\(.*\)$)"
)

pytestmark = pytest.mark.skipif(
    not DOCUMENTS.is_dir(),
    reason="the documents are not in the repository: set REACTOR_SEEDS",
)


def documents() -> list[list[str]]:
    texts = (path.read_text() for path in sorted(DOCUMENTS.glob("*.txt")))
    return [[line.strip() for line in text.splitlines() if line.strip()] for text in texts]


def lines_of(name: str) -> list[str]:
    return [line.strip() for line in blocks.read(name).splitlines() if line.strip()]


def contains(text: list[str], part: list[str]) -> bool:
    return any(text[start : start + len(part)] == part for start in range(len(text)))


@pytest.mark.parametrize("name", blocks.names())
def test_every_line_stands_in_the_document_in_this_order(name):
    assert any(contains(text, lines_of(name)) for text in documents())


def test_no_line_of_code_is_left_out():
    transcribed = {line for name in blocks.names() for line in lines_of(name)}
    code = [line for text in documents() for line in text if CODE.match(line) and not line.endswith(".")]
    assert len(code) > 60
    assert [line for line in code if line not in transcribed and not reads_like_prose(line)] == []


def reads_like_prose(line: str) -> bool:
    return " — " in line or line.startswith(("If you", "If your", "For "))
