"""Names of statistics are the W3C's where it has one, and the documentation says which."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import reactor_runtime
from reactor_runtime.clients.audio_share import OutboundAudio
from reactor_runtime.clients.media_share import OutboundRate

ROOT = Path(__file__).resolve().parents[2]
WEB = Path(reactor_runtime.__file__).parent / "web"


def documented() -> dict[str, str]:
    """Our names and, beside each, what stands in the next column."""
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    section = text.split("### Names of statistics")[1].split("\n### ")[0]
    rows = re.findall(r"^\| (`.+?`) \| (.+?) \|", section, re.MULTILINE)
    return {name: theirs for names, theirs in rows for name in re.findall(r"`(\w+)`", names)}


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def test_every_name_of_what_a_client_is_sent_stands_beside_the_standards() -> None:
    table = documented()
    ours = {field.name for kind in (OutboundRate, OutboundAudio) for field in dataclasses.fields(kind)}
    assert ours <= table.keys()
    for name in ours - {"codec"}:  # the standard has its codec elsewhere
        assert table[name] in ("–", f"`{camel(name)}`")
    without = {name for name in ours if table[name] == "–"}
    assert without == {"track", "sent_bitrate", "frames_waiting", "frames_skipped", "keyframe_waits"}


def test_every_measure_of_the_page_says_what_it_is_made_of() -> None:
    source = (WEB / "core" / "stats.js").read_text("utf-8")
    measures = re.findall(r'^  \["(\w+)", ".+", ".*", \d\],$', source, re.MULTILINE)
    assert len(measures) == 10
    assert set(measures) <= documented().keys()
