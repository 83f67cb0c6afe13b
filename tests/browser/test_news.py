"""Another session where there was one: said in words that stay a while, whatever is played meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .pages import until

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
# A gateway in front of the pretended runtime: a place in the line, whose turn it always is.
FLEET = """
new MutationObserver((_, observer) => {
  if (!document.head) return;
  document.head.append(Object.assign(document.createElement('meta'), { name: 'reactor-fleet' }));
  observer.disconnect();
}).observe(document, { childList: true, subtree: true });
const worker = window.fetch;
window.fleet = { dead: false, reason: '' };
const json = (body, status) => new Response(JSON.stringify(body), { status });
window.fetch = async (url, given) => {
  const path = new URL(url, location.href).pathname;
  const place = { ticket: 't', state: 'offered', position: 0, eta_s: null, reason: fleet.reason };
  if (path === '/tickets') return json(place, 201);
  if (path.endsWith('/claim')) {
    fleet.dead = false;
    return json({ base_url: `${location.origin}/t/x`, expires_at: null }, 200);
  }
  if (fleet.dead && path.startsWith('/t/x/')) return json({ code: 'worker_lost', detail: 'Gone.' }, 503);
  return worker(url.replace('/t/x', ''), given);
};
window.EventSource = class extends EventTarget { close() {} };
window.titles = [];
addEventListener('DOMContentLoaded', () => new MutationObserver(() => {
  const title = document.querySelector('.veil strong')?.textContent;
  if (title && title !== titles.at(-1)) titles.push(title);
}).observe(document, { subtree: true, childList: true }));
"""
DIES = """fleet.dead = true; fleet.reason = 'worker_lost';
    runtime.state = 'READY'; runtime.boot = 2; runtime.hangUp();"""
FAILED = "The worker of your session failed. This is a new one: the model began anew."


def test_a_worker_that_was_replaced_at_once_is_told_over_the_new_picture(open_page: Open) -> None:
    page = open_page(FLEET)
    page.locator("html[data-phase=live]").wait_for()
    assert page.locator(".news").inner_text() == ""
    page.evaluate(DIES)
    until(page, "runtime.started === 2 && document.documentElement.dataset.phase === 'live'")
    page.get_by_role("status").get_by_text(FAILED).wait_for()
    assert page.locator(".news").is_visible()
    # Nobody was told that the session before is gone on with.
    assert (
        page.evaluate("titles.slice(titles.indexOf('The worker failed')).includes('Connection lost')")
        is False
    )
    assert "The worker failed" in page.evaluate("titles")
    page.get_by_role("log").get_by_text(FAILED).wait_for()


def test_a_server_that_was_started_anew_is_told_so(open_page: Open) -> None:
    page = open_page()
    page.locator("html[data-phase=live]").wait_for()
    page.evaluate("runtime.state = 'READY'; runtime.boot = 2; runtime.hangUp()")
    until(page, "runtime.started === 2 && document.documentElement.dataset.phase === 'live'")
    page.get_by_role("status").get_by_text("Your session is over. This is a new one").wait_for()


def test_a_session_that_somebody_began_is_no_news(open_page: Open) -> None:
    page = open_page()
    page.locator("html[data-phase=live]").wait_for()
    page.evaluate("runtime.end('completed')")
    page.locator(".veil").get_by_role("button", name="Play again").click()
    until(page, "runtime.started === 2 && document.documentElement.dataset.phase === 'live'")
    page.evaluate("runtime.hangUp()")  # the same session goes on
    until(page, "runtime.offers.length === 3 && document.documentElement.dataset.phase === 'live'")
    assert page.locator(".news").inner_text() == ""
