"""`<reactor-player>` in the page of another origin: video, controls and keys, in front of a real server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.sites import page_served

from .pages import until
from .server import Server

pytestmark = [pytest.mark.browser, pytest.mark.wire]

PROJECT = Path(__file__).parent / "model"


@contextmanager
def served(html: str, name: str = "127.0.0.1") -> Iterator[str]:
    """Somebody's own page on a server of its own: yields its origin, under the host name `name`."""
    with page_served(html) as port:
        yield f"http://{name}:{port}"


def embedding(server: Server, attributes: str = "") -> str:
    """One line for the script and one for the player."""
    return (
        f'<!doctype html><html lang="en"><title>A site</title><body><h1>My site</h1>'
        f'<script type="module" src="{server.url}/player.js"></script>'
        f'<reactor-player src="{server.url}" controls commands {attributes}></reactor-player>'
    )


@pytest.fixture(scope="module")
def site(server: Server) -> Iterator[str]:
    with served(embedding(server)) as origin:
        yield origin


def test_a_model_plays_in_somebody_elses_page(site: str, server: Server, new_page: Any) -> None:
    page = new_page()
    page.goto(site)
    page.locator("reactor-player[data-phase=live]").wait_for()
    video = "document.querySelector('reactor-player').shadowRoot.querySelector('video')"
    until(page, f"{video}.videoWidth === 320")
    page.get_by_role("slider", name="Level").press("End")
    level = (
        "(() => { const canvas = new OffscreenCanvas(8, 8); const context = canvas.getContext('2d');"
        f" context.drawImage({video}, 0, 0, 8, 8); return context.getImageData(1, 4, 1, 1).data[0]; }})()"
    )
    until(page, f"{level} > 235")
    reply = page.evaluate("document.querySelector('reactor-player').send('set_level', { level: 0 })")
    assert isinstance(reply["frame"], int)
    until(page, f"{level} < 20")
    # Nothing of the player's style or structure reaches the page around it.
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).whiteSpace") == "normal"
    assert page.get_by_role("heading", level=1).count() == 1
    page.evaluate("document.querySelector('reactor-player').remove()")
    until(page, f"fetch('{server.url}/session').then((r) => r.json()).then((s) => s.clients.length === 0)")
    server.stop_session(page)


VIDEO = "document.querySelector('reactor-player').shadowRoot.querySelector('video')"
TOKEN = "a secret"


@pytest.fixture
def guarded() -> Iterator[Server]:
    server = Server(PROJECT)
    yield server
    server.kill()


def test_a_site_that_is_allowed_and_holds_the_token(guarded: Server, new_page: Any) -> None:
    with served(embedding(guarded, f'token="{TOKEN}"'), "site.example") as origin:
        guarded.options = ("--token", TOKEN, "--allow-origin", origin)
        guarded.start()
        page = new_page()
        page.goto(origin)
        page.locator("reactor-player[data-phase=live]").wait_for()
        until(page, f"{VIDEO}.videoWidth === 320")
        # Its style came too: a picture without it has no frame around it.
        assert page.evaluate(f"getComputedStyle({VIDEO}.closest('.screen')).position") == "relative"
        reply = page.evaluate("document.querySelector('reactor-player').send('set_level', { level: 0.25 })")
        assert isinstance(reply["frame"], int)
        assert not any(TOKEN in line for line in guarded.log)


def test_a_wrong_token_is_explained_and_can_be_entered(guarded: Server, new_page: Any) -> None:
    with served(embedding(guarded, 'token="old"'), "site.example") as origin:
        guarded.options = ("--token", TOKEN, "--allow-origin", origin)
        guarded.start()
        page = new_page()
        page.goto(origin)
        page.locator(".veil").get_by_text("The token that this player has is not the server's.").wait_for()
        page.get_by_role("textbox", name="Token").fill(TOKEN)
        page.get_by_role("button", name="Enter").click()
        page.locator("reactor-player[data-phase=live]").wait_for()
        page.evaluate("document.querySelector('reactor-player').setAttribute('token', 'old')")
        page.locator("reactor-player[data-phase=locked]").wait_for()
        page.evaluate(f"document.querySelector('reactor-player').setAttribute('token', {TOKEN!r})")
        page.locator("reactor-player[data-phase=live]").wait_for()


def test_a_site_that_is_not_allowed_gets_nothing_with_the_right_token(
    guarded: Server, new_page: Any, browser: Any
) -> None:
    with served(embedding(guarded, f'token="{TOKEN}"'), "other.example") as origin:
        guarded.options = ("--token", TOKEN, "--allow-origin", "http://site.example")
        guarded.start()
        page = browser.new_page()  # the browser itself complains about what it refuses
        with page.expect_event("requestfailed") as failed:
            page.goto(origin)
        assert failed.value.url == f"{guarded.url}/player.js"
        assert page.evaluate("customElements.get('reactor-player') === undefined")
        ask = "fetch(%r, { headers: { Authorization: 'Bearer %s' } }).then(() => 'read', () => 'refused')"
        assert page.evaluate(ask % (f"{guarded.url}/session", TOKEN)) == "refused"
        page.close()


def test_a_player_says_what_happens_and_takes_a_poster_a_label_and_a_child(
    server: Server, new_page: Any
) -> None:
    html = embedding(server, "label='My model' poster='/none.png'").replace(
        "></reactor-player>", "><b id=over>Over the picture</b></reactor-player>"
    )
    html = html.replace(" controls commands ", " controls='minimal' ")
    with served(html) as origin:
        page = new_page()
        page.add_init_script(
            "window.heard = [];"
            "for (const type of ['phase', 'role', 'reply', 'message'])"
            " addEventListener(type, ({ detail }) => heard.push([type, detail]), { capture: true });"
        )
        page.goto(origin)
        page.locator("reactor-player[data-phase=live]").wait_for()
        assert page.get_by_role("region", name="My model").count() == 1
        assert page.get_by_role("slider", name="Level").count() == 0
        assert page.get_by_role("button", name="Snapshot").is_visible()
        assert page.locator("#over").is_visible()
        assert page.evaluate("document.querySelector('reactor-player').steers") is True
        page.evaluate("document.querySelector('reactor-player').send('set_level', { level: 0 })")
        until(page, "heard.some(([type, { command }]) => type === 'reply' && command === 'set_level')")
        assert page.evaluate("heard.some(([type, { phase }]) => type === 'phase' && phase === 'live')")
        page.evaluate("document.querySelector('reactor-player').takeControl()")
        until(page, "heard.some(([type, { role }]) => type === 'role' && role === 'controller')")
        assert page.evaluate("heard.some(([type, { level }]) => type === 'message' && level === 0)")
        page.evaluate("document.querySelector('reactor-player').stop()")
        page.locator("reactor-player[data-phase=ended]").wait_for()


POSTER = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E"


def test_a_poster_is_seen_until_the_first_picture_and_no_controls_where_none_are_wanted(
    server: Server, new_page: Any
) -> None:
    dead = '<reactor-player src="http://127.0.0.1:9" controls="none"'
    html = embedding(server).partition("<reactor-player")[0]
    page = new_page()
    with served(f'{html}{dead} poster="{POSTER}"></reactor-player>') as origin:
        page.goto(origin)
        page.locator("reactor-player[data-phase=gone]").wait_for()
        poster = page.locator("reactor-player .poster")
        assert poster.is_visible()
        assert poster.evaluate("(each) => each.src") == POSTER
        page.evaluate(f"document.querySelector('reactor-player').setAttribute('src', '{server.url}')")
        page.locator("reactor-player[data-phase=live]").wait_for()
        assert poster.is_hidden()
        assert page.get_by_role("button").filter(visible=True).count() == 0
        server.stop_session(page)


def test_a_player_that_is_taken_away_leaves_nothing_on(site: str, server: Server, new_page: Any) -> None:
    page = new_page()
    page.goto(site)
    page.locator("reactor-player[data-phase=live]").wait_for()
    page.get_by_role("button", name="Use camera").click()
    page.get_by_label("Preview of Webcam").wait_for()
    page.evaluate(
        """() => { window.player = document.querySelector('reactor-player');
                   window.given = player.shadowRoot.querySelector('.input video').srcObject.getTracks()[0];
                   player.remove(); }"""
    )
    assert page.evaluate("given.readyState") == "ended"
    page.evaluate("document.body.append(player)")  # and it works where it is put again
    page.locator("reactor-player[data-phase=live]").wait_for()
    until(page, f"{VIDEO}.videoWidth === 320")
    assert page.locator("reactor-player video").count() == 2  # the picture and a preview, once
    server.stop_session(page)


def test_a_server_that_does_not_allow_the_site_is_explained(
    server: Server, new_page: Any, files: str
) -> None:
    """A refusal looks like silence to a page, so the words name what would help."""
    page = new_page()
    page.goto(f"{files}/blank")
    words = page.evaluate(
        "async () => (await import('/web/core/phases.js')).wordsFor({ phase: 'gone' }, 'https://my.site').sentence"
    )
    assert "--allow-origin https://my.site" in words
