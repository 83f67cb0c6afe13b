"""What one session left to the next, on the page of the author."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser
Open = Callable[..., Any]

LEFT = """runtime.audit = {mode: 'warn', leaks: 1, last: {session: 1, untold: 0, problem: '',
          leaks: [{path: 'self._prompt', where: 'model.py:31'}]}}"""


def test_a_leak_is_told_once_after_its_session(open_page: Open) -> None:
    page = open_page()
    page.locator("html[data-phase=live]").wait_for()
    page.evaluate(LEFT)
    page.evaluate("runtime.end('completed')")
    told = page.get_by_role("log").get_by_text("self._prompt is not what it was")
    told.wait_for()
    assert "model.py:31" in told.inner_text()
    page.locator(".veil").get_by_role("button").click()
    page.locator("html[data-phase=live]").wait_for()
    assert told.count() == 1


@pytest.mark.parametrize("how", ["who stops has gone when `reset` runs", "who is there hears of it"])
def test_a_reset_that_failed_is_told_once(open_page: Open, how: str) -> None:
    page = open_page()
    page.locator("html[data-phase=live]").wait_for()
    page.evaluate('runtime.resetFailed = "The model\'s reset failed (reference 0123abcd)."')
    if "stops" in how:
        page.get_by_role("button", name="Stop", exact=True).click()
    else:
        page.evaluate(
            "runtime.say({ scope: 'runtime', data: { type: 'modelError',"
            " data: { hook: 'reset', message: runtime.resetFailed } } }); runtime.end('completed')"
        )
    told = page.get_by_role("log").get_by_text("The model's reset failed (reference 0123abcd).")
    told.wait_for()
    page.locator(".veil").get_by_role("button").click()
    page.locator("html[data-phase=live]").wait_for()
    page.wait_for_timeout(1_200)  # the next session has looked, too
    assert told.count() == 1
