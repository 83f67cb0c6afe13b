"""What the page is made of: few, small files, that name each other rightly and nobody else."""

from __future__ import annotations

import gzip
import re

from .pages import WEB

FILES = sorted(path for path in WEB.iterdir() if path.is_file())
MODULES = [path for path in FILES if path.suffix == ".js"]
WIRE_LIMIT = 60_000


def test_the_page_weighs_less_than_60_kb_on_the_wire() -> None:
    assert sum(len(gzip.compress(path.read_bytes())) for path in FILES) < WIRE_LIMIT


def test_every_module_is_preloaded_so_that_imports_cost_one_round_trip() -> None:
    preloaded = re.findall(r'modulepreload" href="/web/(\S+?)"', (WEB / "index.html").read_text())
    assert sorted([*preloaded, "app.js"]) == [path.name for path in MODULES]


def test_imports_name_modules_of_the_page_only() -> None:
    for path in MODULES:
        for name in re.findall(r'\bfrom "(.+?)"|\bimport\("(.+?)"\)', path.read_text()):
            assert any((WEB / part).is_file() for part in name if part), f"{path.name} imports {name}"


def test_nothing_inline_and_nothing_foreign() -> None:
    html = (WEB / "index.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", html)
    for path in FILES:
        hosts = set(re.findall(r"https?://([\w.-]*\w)", path.read_text()))
        # SVG's namespace, and a word in a sentence about secure pages: neither is ever requested.
        assert hosts <= {"www.w3.org", "localhost"}, path.name


def test_modules_stay_readable() -> None:
    assert max(len(path.read_text().splitlines()) for path in MODULES) <= 400
