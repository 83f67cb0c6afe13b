"""The table of docs/clients.md, from what the interop tests saw last: ``python -m tests.interop.table``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from .sdks import FOLDER, SDKS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "clients.md"
SEEN = FOLDER / "seen.json"
"""What the last run saw, by SDK and check."""
BEGIN, END = "<!-- table: tests/interop/table.py -->\n\n", "\n<!-- end of the table -->\n"
HEADINGS = {
    "connect": "connects",
    "frames": "60 frames",
    "message": "messages",
    "command": "command changes the picture",
    "reply": "command's result",
    "error": "command's error",
    "camera": "camera reaches the model",
    "upload": "file reaches the model",
    "reconnect": "reconnects to its session",
    "disconnect": "disconnects",
    "again": "next session is clean",
}
CHECKS = list(HEADINGS)
MARKS = {"ok": "✓", "cannot": "–"}


def render(found: Mapping[str, Mapping[str, str]]) -> str:
    """A row for each SDK. A check that failed, or that one before it kept from running, is a cross."""
    rows = [["SDK", "speaks", *HEADINGS.values()], ["---"] * (2 + len(HEADINGS))]
    for sdk in SDKS:
        results = found.get(sdk.key, {})
        marks = [MARKS.get(results.get(check, ""), "✗") for check in CHECKS]
        rows.append([f"`{sdk.package}` {sdk.version}", sdk.speaks, *marks])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def in_document() -> str:
    return DOCUMENT.read_text().partition(BEGIN)[2].partition(END)[0]


def remember(found: Mapping[str, Mapping[str, str]]) -> None:
    SEEN.write_text(json.dumps(found, indent=1))


def main() -> None:
    text = DOCUMENT.read_text()
    before, _, rest = text.partition(BEGIN)
    DOCUMENT.write_text(before + BEGIN + render(json.loads(SEEN.read_text())) + END + rest.partition(END)[2])


if __name__ == "__main__":
    main()
