"""Six browsers and two workers: what each of them sees while it waits, plays and loses its worker."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.fleet.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
NewPage = Callable[..., Any]
AWAY = "window.away = true; Object.defineProperty(document, 'hidden', {get: () => window.away});"
"""Somebody who has another tab in front."""


def phase(page: Any, name: str) -> None:
    page.locator(f"html[data-phase={name}]").wait_for(timeout=40_000)


def says(page: Any, words: str) -> None:
    page.locator(".veil").get_by_text(words).wait_for(timeout=40_000)


def test_a_session_is_shared_with_who_watches(new_page: NewPage) -> None:
    with serving("--workers", "1") as fleet:
        player = new_page()
        player.goto(fleet.url)
        phase(player, "live")
        player.get_by_role("button", name="Share", exact=True).click()
        dialog = player.get_by_role("dialog", name="Share")
        dialog.get_by_text("It opens while this session lasts.").wait_for()
        link = dialog.get_by_role("textbox", name="Link").input_value()
        player.keyboard.press("Escape")
        watcher = new_page()
        watcher.goto(link)
        phase(watcher, "live")
        watcher.get_by_text("You are watching; somebody else plays.").wait_for()
        assert watcher.url == link
        assert not watcher.get_by_role("button", name="Take control").is_visible()
        watcher.reload()
        phase(watcher, "live")
        player.reload()  # and keeps what is its own
        phase(player, "live")
        player.get_by_role("button", name="Stop", exact=True).click()
        phase(watcher, "ended")
        watcher.locator(".veil").get_by_role("button").click()
        says(watcher, "The session of this link is over.")
        assert not watcher.locator(".veil").get_by_role("button").is_visible(), "it would say the same again"
        watcher.goto("about:blank")
        watcher.goto(link)
        phase(watcher, "live")  # as anybody else who comes to an empty line
        assert watcher.url == f"{fleet.url}/"


def test_six_browsers_and_two_workers(new_page: NewPage) -> None:
    # A page knows some seconds after that its worker has died: the next one is not there sooner.
    with serving("--workers", "2", "--queue", "3", ready=2, TOY_LOADS_S="5") as fleet:
        asked: dict[Any, list[str]] = {}

        def opened(script: str | None = None) -> Any:
            page = new_page(script=script)
            urls = asked[page] = []
            page.on("request", lambda request: urls.append(request.url))
            page.goto(fleet.url)
            return page

        playing = [opened(), opened()]
        for page in playing:
            phase(page, "live")
        first, second, third = opened(), opened(), opened(AWAY)
        for page, words in (
            (first, "You are 1st in line"),
            (second, "You are 2nd in line"),
            (third, "You are 3rd in line"),
        ):
            says(page, words)
        sixth = opened()
        says(sixth, "3 people wait already")

        second.reload()
        says(second, "You are 2nd in line")
        first.get_by_role("button", name="Leave the line").click()
        says(first, "Left the line")
        says(second, "You are 1st in line")
        says(sixth, "You are 3rd in line")

        playing[0].get_by_role("button", name="Stop").click()
        phase(second, "live")

        # Whose tab is behind is told, and plays when it comes to the front.
        second.get_by_role("button", name="Stop").click()
        phase(third, "turn")
        says(third, "It is your turn")
        third.evaluate(
            "() => { window.away = false; document.dispatchEvent(new Event('visibilitychange')); }"
        )
        phase(third, "live")

        # The worker of somebody dies: he is the next, before who waits.
        says(sixth, "You are 1st in line")
        mine = playing[1].evaluate(
            "() => JSON.parse(JSON.stringify(performance.getEntriesByType('resource').map(e => e.name)))"
        )
        session = next(name.split("/sessions/")[1].split("/")[0] for name in mine if "/sessions/" in name)
        os.kill(fleet.worker_of(session)["pid"], signal.SIGKILL)
        says(playing[1], "The worker failed")
        phase(playing[1], "live")
        playing[1].locator(".news").get_by_text("The worker of your session failed.").wait_for()
        says(sixth, "You are 1st in line")

        # A session goes on in the same page after a reload.
        before = {worker["session"] for worker in fleet.workers().values()}
        third.reload()
        phase(third, "live")
        assert {worker["session"] for worker in fleet.workers().values()} == before

        # A second tab of the same browser is told so, and takes nothing from the first one.
        tab = third.context.new_page()
        tab.goto(fleet.url)
        tab.get_by_text("This session is open in another tab too.").first.wait_for(timeout=40_000)
        phase(tab, "live")
        tab.close()
        phase(third, "live")

        # Who does not come loses his turn.
        sixth.evaluate(AWAY.replace("get:", "configurable: true, get:") + "0")
        third.get_by_role("button", name="Stop").click()
        phase(sixth, "turn")
        ticket = next(url for url in reversed(asked[sixth]) if "/tickets/" in url)
        httpx.delete(ticket.removesuffix("/events"))
        says(sixth, "Your turn has passed")


def test_who_waits_sees_who_plays_and_is_told_when_the_turn_has_passed(new_page: NewPage) -> None:
    with serving("--workers", "1", "--preview", program="tests.fleet.hurried") as fleet:
        playing = new_page()
        playing.goto(fleet.url)
        phase(playing, "live")
        page = new_page(script=AWAY)
        page.goto(fleet.url)
        says(page, "You are 1st in line")
        preview = page.locator(".veil reactor-player[data-phase=live]")
        preview.wait_for(timeout=40_000)
        assert preview.bounding_box()["height"] > 100
        phase(playing, "live")
        httpx.post(f"{fleet.url}/fleet/kick", json={"worker": "w1"})
        says(page, "Your turn has passed")
        assert page.locator("reactor-player").count() == 0
        page.evaluate("() => { window.away = false; }")
        page.get_by_role("button", name="Queue again").click()
        phase(page, "live")
