"""`<reactor-player>` in a page of React, of Vue and of nobody: attributes, slots, events, methods."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.sites import files_served

from .pages import until
from .server import Server

pytestmark = [pytest.mark.browser, pytest.mark.wire]

ROOT = Path(__file__).parents[2]
PROJECT = Path(__file__).parent / "model"
MODULES = ROOT / ".venv-test" / "frameworks" / "node_modules"
SCRIPTS = {
    "react": ["react/umd/react.production.min.js", "react-dom/umd/react-dom.production.min.js"],
    "vue": ["vue/dist/vue.global.prod.js"],
    "nobody": [],
}
# Each makes a player with a child over the picture and one below it, whose replies are in `heard`; `change`
# gives it another label, or takes it away.
APPS = {
    "react": """
        const { createElement: h, useState, useEffect, useRef } = React;
        function App() {
          const [state, set] = useState({ label: 'First', on: true });
          const player = useRef(null);
          window.change = (more) => set((now) => ({ ...now, ...more }));
          useEffect(() => {
            const hear = ({ detail }) => heard.push(detail);
            const at = player.current;
            at?.addEventListener('reply', hear);
            return () => at?.removeEventListener('reply', hear);
          }, [state.on]);
          const given = { ref: player, src: SRC, controls: 'all', label: state.label };
          return state.on && h('reactor-player', given,
            h('b', { id: 'over' }, 'over'), h('i', { id: 'below', slot: 'below' }, 'below'));
        }
        ReactDOM.createRoot(document.getElementById('app')).render(h(App));
    """,
    "vue": """
        const state = Vue.reactive({ label: 'First', on: true });
        window.change = (more) => Object.assign(state, more);
        Vue.createApp({ render: () => state.on ? Vue.h('reactor-player',
          { src: SRC, controls: 'all', label: state.label, onReply: ({ detail }) => heard.push(detail) },
          [Vue.h('b', { id: 'over' }, 'over'), Vue.h('i', { id: 'below', slot: 'below' }, 'below')]) : null,
        }).mount('#app');
    """,
    "nobody": """
        const player = document.createElement('reactor-player');
        const given = { src: SRC, controls: 'all', label: 'First' };
        for (const [name, value] of Object.entries(given)) player.setAttribute(name, value);
        player.innerHTML = '<b id=over>over</b><i id=below slot=below>below</i>';
        player.addEventListener('reply', ({ detail }) => heard.push(detail));
        window.change = ({ label, on }) =>
          on === false ? player.remove() : player.setAttribute('label', label);
        document.getElementById('app').append(player);
    """,
}


@pytest.fixture(params=sorted(APPS))
def site(request: pytest.FixtureRequest, server: Server) -> Iterator[str]:
    name = request.param
    missing = [each for each in SCRIPTS[name] if not (MODULES / each).is_file()]
    if missing:
        pytest.skip(f"{name} is not here: scripts/test-programs installs it where there is npm.")
    scripts = {f"/{each}": (MODULES / each).read_bytes() for each in SCRIPTS[name]}
    tags = "".join(f'<script src="{each}"></script>' for each in scripts)
    html = (
        f'<!doctype html><html lang="en"><title>A site</title><body><main id="app"></main>{tags}'
        f"<script>const SRC = '{server.url}'; const heard = [];</script>"
        f'<script type="module" src="{server.url}/player.js"></script><script>{APPS[name]}</script>'
    )
    with files_served({"/": html.encode(), **scripts}) as origin:
        yield origin


def test_a_player_lives_in_whatever_draws_the_page(site: str, server: Server, new_page: Any) -> None:
    page = new_page()
    page.goto(site)
    player = page.locator("reactor-player[data-phase=live]")
    player.wait_for()
    assert page.get_by_role("region", name="First").count() == 1
    assert page.locator("#over").is_visible()
    picture, below = (
        page.locator("reactor-player .screen").bounding_box(),
        page.locator("#below").bounding_box(),
    )
    assert below["y"] >= picture["y"] + picture["height"]
    page.get_by_role("slider", name="Level").press("End")
    until(page, "heard.some(({ command }) => command === 'set_level')")
    reply = page.evaluate("document.querySelector('reactor-player').send('set_level', { level: 0.5 })")
    assert (isinstance(reply["frame"], int), reply["superseded"]) == (True, False)
    page.evaluate("change({ label: 'Second' })")
    page.get_by_role("region", name="Second").wait_for()
    page.locator("reactor-player[data-phase=live]").wait_for()
    assert page.locator("reactor-player .app").count() == 1
    page.evaluate("change({ on: false })")
    until(page, f"fetch('{server.url}/session').then((r) => r.json()).then((s) => s.clients.length === 0)")
    server.stop_session(page)
