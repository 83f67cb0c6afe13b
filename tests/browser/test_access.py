"""Everybody can use it: axe-core in both schemes, on a phone and on a desk; and no mouse is needed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.wire]

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "examples" / "playground"
AXE = Path(os.environ.get("AXE", ROOT / ".venv-test" / "axe" / "node_modules" / "axe-core" / "axe.min.js"))
SERIOUS = {"serious", "critical"}
RESTED = """Promise.all(document.getAnimations()
    .filter((each) => each.effect.getTiming().iterations !== Infinity)  // spinners never rest
    .map((each) => each.finished.catch(() => {})))"""
FOCUSED = (
    "(({ activeElement: at }) => at.closest('[data-command]')?.dataset.command ?? at.innerText)(document)"
)


@pytest.fixture(scope="module")
def axe() -> str:
    if not AXE.is_file():
        pytest.skip("axe-core is not here: scripts/test-programs installs it where there is npm.")
    return AXE.read_text()


def findings(page: Any, axe: str) -> list[str]:
    page.evaluate(axe)
    page.evaluate(RESTED)  # what is fading in has no contrast yet
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
    return [
        f"{each['id']} ({each['impact']}): {json.dumps([node['html'][:160] for node in each['nodes'][:3]])}"
        for each in found
        if each["impact"] in SERIOUS
    ]


LOOKS = [{"width": width, "dark": dark} for width in (360, 1280) for dark in (True, False)]


@pytest.mark.parametrize("page", LOOKS, indirect=True, ids=str)
def test_no_serious_finding(page: Any, axe: str) -> None:
    page.locator("[data-command=move]").get_by_role("button", name="keys").click()
    page.locator("[data-command=set_name]").get_by_role("textbox").fill("X")  # with an error shown
    page.get_by_role("tab", name="Statistics").click()
    assert "\n".join(findings(page, axe)) == ""
    page.get_by_role("tab", name="Messages").click()
    page.get_by_role("button", name="Stop", exact=True).click()
    page.locator("html[data-phase=ended]").wait_for()
    assert "\n".join(findings(page, axe)) == ""
    assert page.evaluate("document.documentElement.scrollWidth === innerWidth")


@pytest.mark.parametrize("words", [3, 300])
def test_no_serious_finding_in_a_failure_of_many_words(
    new_page: Any, files: str, pretended: str, axe: str, words: int
) -> None:
    detail = "CUDA out of memory. " * words
    body = {"status": "failed", "code": "model_load_failed", "state": "TERMINATED", "detail": detail}
    failed = json.dumps({"status": 503, "body": body})
    page = new_page(width=360, height=780, script=f"{pretended}\nruntime.health = {failed};")
    page.goto(files)
    page.locator("html[data-phase=failed]").wait_for()
    assert "\n".join(findings(page, axe)) == ""
    veil = page.locator(".veil")
    assert veil.get_by_text("Load failed").is_visible()
    assert veil.get_attribute("tabindex") == ("0" if words == 300 else None)


def test_every_control_is_reached_with_tab(page: Any) -> None:
    named = page.evaluate(
        """() => { const all = [...document.querySelectorAll('button, input, select, textarea')];
                   return all.filter((each) => each.checkVisibility() && !each.disabled && each.tabIndex < 0)
                             .filter((each) => !each.matches('[role=tab], .cross *')).length; }"""
    )
    assert named == 0
    seen = set()
    for _ in range(140):
        page.keyboard.press("Tab")
        seen.add(page.evaluate(FOCUSED))
        if "fail" in seen:
            break
    assert {"Stop", "Snapshot", "Full screen", "jump", "move", "combine", "fail"} <= seen
