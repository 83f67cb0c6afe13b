"""What the page is made of: few, small files, that name each other rightly and nobody else."""

from __future__ import annotations

import re

from reactor_runtime.runtimes.http.page import EMBEDDED, PAGES, load

from .pages import WEB

FILES = sorted(path for path in WEB.iterdir() if path.is_file())
MODULES = [path for path in FILES if path.suffix == ".js"]
WIRE_LIMIT = 70_000


def test_the_page_weighs_less_than_70_kb_on_the_wire() -> None:
    assert sum(len(file.zipped or file.plain) for file in load().values()) < WIRE_LIMIT


def test_what_is_served_is_what_is_written_without_its_comments() -> None:
    served = load()
    for path in MODULES:
        written, sent = path.read_text().splitlines(), served[path.name].plain.decode().splitlines()
        assert len(sent) == len(written), path.name
        left_out = [
            line.strip().removeprefix(kept).strip()
            for line, kept in zip(written, sent, strict=True)
            if line.strip() != kept
        ]
        assert all(line.startswith(("//", "/**", "*")) for line in left_out), path.name
        # A template literal over several lines could hold what looks like a comment.
        assert all(line.count("`") % 2 == 0 for line in sent), path.name


def test_every_module_is_preloaded_so_that_imports_cost_one_round_trip() -> None:
    preloaded = re.findall(r'modulepreload" href="web/(\S+?)"', (WEB / "index.html").read_text())
    assert sorted([*preloaded, "app.js", "locked.js", EMBEDDED]) == [path.name for path in MODULES]


def test_imports_name_modules_of_the_page_only() -> None:
    for path in MODULES:
        for name in re.findall(r'^import .*from "(.+?)"', path.read_text(), re.MULTILINE):
            folder = WEB.parent if path.name == EMBEDDED else WEB
            assert (folder / name).resolve().parent == WEB, f"{path.name} imports {name}"
            assert (folder / name).is_file(), f"{path.name} imports {name}"


def test_nothing_inline_and_nothing_foreign() -> None:
    for page in PAGES:
        html = (WEB / page).read_text()
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", html)
    for path in FILES:
        hosts = set(re.findall(r"https?://([\w.-]*\w)", path.read_text()))
        # SVG's namespace, and words in sentences: none is ever requested.
        assert hosts <= {"www.w3.org", "localhost", "host"}, path.name


def test_modules_stay_readable() -> None:
    assert max(len(path.read_text().splitlines()) for path in MODULES) <= 400
