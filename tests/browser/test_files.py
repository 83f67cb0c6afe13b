"""What the page is made of: few, small files, that name each other rightly and nobody else."""

from __future__ import annotations

import posixpath
import re

from reactor_runtime.runtimes.http.page import EMBEDDED, PAGES, load

from .pages import WEB

FILES = sorted(path for path in WEB.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
MODULES = [path for path in FILES if path.suffix == ".js"]
NAMES = [path.relative_to(WEB).as_posix() for path in MODULES]
WIRE_LIMIT = 70_000
LIGHT_LIMIT = 20_000
LATER = {
    "app/busy.js": "somebody else plays",
    "app/capture.js": "a button is pressed",
    "app/charts.js": "the statistics are looked at",
    "app/failed.js": "the model failed",
    "app/gamepad.js": "a gamepad is plugged in",
    "app/preview.js": "who waits is shown a session",
    "app/room.js": "a fleet has a waiting room",
    "app/share.js": "somebody shares",
    "app/tokenfield.js": "the token is wrong",
    "app/waterfall.js": "the statistics are looked at",
    "core/causes.js": "the model failed",
    "core/noway.js": "no media comes through",
    "core/token.js": "the token is wrong",
}
"""What the page asks for when something happens that need not happen, and no sooner."""
STATIC = re.compile(r'^(?:import|export) .*?from "(.+?)"|^import "(.+?)"', re.MULTILINE)


def imported(name: str, pattern: re.Pattern[str] = STATIC) -> set[str]:
    folder = "web" if name == EMBEDDED else posixpath.dirname(f"web/{name}")  # it is served one floor higher
    base = "" if name == EMBEDDED else folder
    found = ("".join(each) for each in pattern.findall(load()[name].plain.decode()))
    return {posixpath.normpath(posixpath.join(base, each)).removeprefix("web/") for each in found}


def loaded_with(*names: str) -> set[str]:
    """These and what they import, and so on."""
    seen: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(imported(name))
    return seen


def weight(names: set[str]) -> int:
    return sum(len(load()[name].zipped or load()[name].plain) for name in names)


def test_the_page_weighs_less_than_70_kb_on_the_wire() -> None:
    named = set(re.findall(r'(?:href|src)="web/(\S+?)"', (WEB / "index.html").read_text()))
    assert weight({"index.html", *named, *loaded_with("app.js")}) < WIRE_LIMIT


def test_a_player_that_only_shows_weighs_less_than_20_kb() -> None:
    names = {EMBEDDED, "stage.css", *loaded_with("app/viewer.js")}
    assert weight(names) < LIGHT_LIMIT
    assert "app/cards.js" not in names


def test_what_is_served_is_what_is_written_without_its_comments() -> None:
    served = load()
    for path, name in zip(MODULES, NAMES, strict=True):
        written, sent = path.read_text().splitlines(), served[name].plain.decode().splitlines()
        assert len(sent) == len(written), name
        left_out = [
            line.strip().removeprefix(kept).strip()
            for line, kept in zip(written, sent, strict=True)
            if line.strip() != kept
        ]
        assert all(line.startswith(("//", "/**", "*")) for line in left_out), name
        # A template literal over several lines could hold what looks like a comment.
        assert all(line.count("`") % 2 == 0 for line in sent), name


def test_no_text_in_a_style_sheet_holds_what_is_made_tight() -> None:
    for path in FILES:
        if path.suffix == ".css":
            style = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
            assert not [text for text in re.findall(r'"[^"\n]*"', style) if re.search(r"[{};,>]|: ", text)]


def test_every_module_is_preloaded_so_that_imports_cost_one_round_trip() -> None:
    preloaded = re.findall(r'modulepreload" href="web/(\S+?)"', (WEB / "index.html").read_text())
    assert sorted({*preloaded, "app.js"}) == sorted(loaded_with("app.js"))
    assert sorted({*preloaded, *LATER, "again.js", "app.js", "locked.js", EMBEDDED}) == sorted(NAMES)


def test_imports_name_modules_of_the_page_only() -> None:
    for name in NAMES:
        for other in imported(name):
            assert (WEB / other).is_file(), f"{name} imports {other}"


def test_what_comes_later_is_asked_for_in_one_place() -> None:
    """It tries again, and tells: an `import()` elsewhere would fail in silence."""
    code = {name: load()[name].plain.decode() for name in NAMES}
    asks = {name for name, text in code.items() if re.search(r"\bimport\(", text)}
    assert asks == {"core/later.js", EMBEDDED}
    named = {each for text in code.values() for each in re.findall(r'\blater\("(.+?)"\)', text)}
    table = re.findall(r'^  "(.+?)":', (WEB / "core/parts.d.ts").read_text(), re.MULTILINE)
    assert named == set(table) == LATER.keys() | {f"../{EMBEDDED}"}, "that one is served beside `web`"


def test_the_core_knows_no_document() -> None:
    """It runs wherever there are sockets: what draws is in `app`."""
    drawing = re.compile(
        r"\b(document|window|HTML\w*Element|customElements|(?:local|session)Storage|requestAnimationFrame)\b(?!:)"
    )
    for name in NAMES:
        if name.startswith("core/"):
            code = load()[name].plain.decode()
            assert not drawing.search(code), f"{name}: {drawing.search(code)}"
            assert all(each.startswith("core/") for each in imported(name)), name


def test_phases_are_named_in_one_table() -> None:
    """A set of phases beside it would be a second one."""
    source = (WEB / "core/phases.js").read_text()
    table = re.search(r"^export const PHASES = \{(.*?)^\};", source, re.MULTILINE | re.DOTALL)
    assert table
    phases = set(re.findall(r"^  (\w+): \{", table[1], re.MULTILINE))
    assert {"asking", "waiting", "live", "lost", "ended"} <= phases
    for path, name in zip(MODULES, NAMES, strict=True):
        for group in re.findall(r"\[((?:\"\w+\"(?:, )?){3,})\]", path.read_text()):
            assert not set(re.findall(r"\w+", group)) <= phases, f"{name}: {group}"
    types = (WEB / "player.d.ts").read_text()
    assert set(re.findall(r'\| "(\w+)"', types.partition("export interface")[0])) == phases
    style = "".join(path.read_text() for path in FILES if path.suffix == ".css")
    assert set(re.findall(r"data-phase=(\w+)", style)) <= phases


def test_each_event_of_the_player_has_its_type() -> None:
    code = "".join(load()[name].plain.decode() for name in NAMES)
    told = set(re.findall(r'\bannounce\("(\w+)"', code))
    table = (WEB / "player.d.ts").read_text().partition("ReactorPlayerEventMap {")[2].partition("}\n\n")[0]
    assert told == set(re.findall(r"^  (\w+): (?:Custom)?Event", table, re.MULTILINE))


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
