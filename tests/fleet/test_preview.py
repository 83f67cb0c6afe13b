"""Who waits watches a session that runs, where the operator allows it, and can do nothing else there."""

from __future__ import annotations

from typing import Any

import httpx
from tests.fleet.memory import Gateway, gateway

from reactor_runtime.runtimes.access.credentials import Keys, TokenRole

SECRET = "the secret of an operator"
# Made when the file is collected, and used whenever its turn comes.
PLAYS = {"Authorization": f"Bearer {Keys([SECRET]).mint(TokenRole.CONTROL, 86400)}"}


def code(answer: httpx.Response) -> Any:
    return answer.status_code, answer.json().get("code")


async def waits(found: Gateway) -> str:
    return str((await found.http.post("/tickets", headers=PLAYS)).json()["ticket"])


async def test_who_waits_gets_an_address_that_watches_one_session() -> None:
    async with gateway(1, SECRET, preview=True) as found:
        session = (await found.session("ann")).session
        ticket = await waits(found)
        shown = await found.http.get(f"/tickets/{ticket}/preview", headers=PLAYS)
        assert shown.status_code == 200
        base = shown.json()["base_url"]
        grant = Keys([SECRET]).read(base.rpartition("/")[2].encode())
        assert grant is not None
        assert (grant.role, grant.session) == (TokenRole.VIEW, session)
        assert code(await found.http.get(f"{base}/session")) == (503, "worker_lost"), "nobody listens there"
        assert code(await found.http.post(f"{base}/tickets")) == (403, "view_only")
        assert code(await found.http.get(f"{base}/fleet")) == (403, "admin_only")


async def test_without_a_session_or_a_place_there_is_nothing_to_watch() -> None:
    async with gateway(1, SECRET, preview=True) as found:
        ticket = await waits(found)
        assert code(await found.http.get(f"/tickets/{ticket}/preview", headers=PLAYS)) == (
            409,
            "nothing_to_watch",
        )
        assert code(await found.http.get("/tickets/nobody/preview", headers=PLAYS)) == (404, "unknown_ticket")
        assert (await found.http.get(f"/tickets/{ticket}/preview")).status_code == 401
        await found.http.delete(f"/tickets/{ticket}", headers=PLAYS)
        await found.session("ann")
        assert code(await found.http.get(f"/tickets/{ticket}/preview", headers=PLAYS)) == (
            409,
            "nothing_to_watch",
        )


async def test_without_the_operators_word_nobody_watches() -> None:
    async with gateway(1, SECRET) as found:
        await found.session("ann")
        ticket = await waits(found)
        assert code(await found.http.get(f"/tickets/{ticket}/preview", headers=PLAYS)) == (404, "not_found")
        page = await found.http.get("/", headers=PLAYS)
        assert '"reactor-fleet" content=""' in page.text
    async with gateway(1, SECRET, preview=True) as found:
        assert '"reactor-fleet" content="preview"' in (await found.http.get("/", headers=PLAYS)).text
