"""What the page is made of: few, small files, that name each other rightly and nobody else."""

from __future__ import annotations

import re

from reactor_runtime.runtimes.http.page import EMBEDDED, PAGES, load

from .pages import WEB

FILES = sorted(path for path in WEB.iterdir() if path.is_file())
MODULES = [path for path in FILES if path.suffix == ".js"]
WIRE_LIMIT = 70_000


def test_the_page_weighs_less_than_70_kb_on_the_wire() -> None:
    elsewhere = {
        "room.js",
        "locked.js",
        "locked.html",
        EMBEDDED,
    }  # what the page of `reactor run` does not load
    loaded = [file for name, file in load().items() if name not in elsewhere]
    assert sum(len(file.zipped or file.plain) for file in loaded) < WIRE_LIMIT


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


def test_no_text_in_the_style_sheet_holds_what_is_made_tight() -> None:
    style = re.sub(r"/\*.*?\*/", "", (WEB / "style.css").read_text(), flags=re.DOTALL)
    assert not [text for text in re.findall(r'"[^"\n]*"', style) if re.search(r"[{};,>]|: ", text)]


def test_every_module_is_preloaded_so_that_imports_cost_one_round_trip() -> None:
    preloaded = re.findall(r'modulepreload" href="web/(\S+?)"', (WEB / "index.html").read_text())
    later = ["again.js", "app.js", "locked.js", "room.js", EMBEDDED]  # a room is in front of a fleet only
    assert sorted([*preloaded, *later]) == [path.name for path in MODULES]


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
