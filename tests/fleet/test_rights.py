"""Who may do what at a fleet that asks for tokens."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fleet.memory import gateway

from reactor_runtime.runtimes.access.credentials import Keys, TokenRole

SECRET = "the secret of an operator"
KEYS = Keys([SECRET])
OPERATORS: dict[tuple[str, str], Any] = {
    ("GET", "/fleet"): None,
    ("GET", "/metrics"): None,
    ("POST", "/fleet/scale"): {"min": 1, "max": 1},
    ("POST", "/fleet/kick"): {"worker": "nobody"},
    ("POST", "/fleet/drain"): {},
}
ROLES = {
    "nobody": ("", 401, "token_required"),
    "a stranger": (Keys(["another secret"]).mint(TokenRole.ADMIN, 86400), 401, "token_required"),
    "who watches": (KEYS.mint(TokenRole.VIEW, 86400), 403, "admin_only"),
    "who plays": (KEYS.mint(TokenRole.CONTROL, 86400), 403, "admin_only"),
    "the admin of one session": (KEYS.mint(TokenRole.ADMIN, 86400, "", "a-session"), 403, "admin_only"),
}


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"} if credential else {}


@pytest.mark.parametrize("who", ROLES)
async def test_only_an_admin_sees_and_steers_the_fleet(who: str) -> None:
    credential, status, code = ROLES[who]
    async with gateway(1, SECRET) as found:
        for (method, path), body in OPERATORS.items():
            for above, headers in (("", bearer(credential)), (f"/t/{credential}" if credential else "", {})):
                answer = await found.http.request(method, above + path, json=body, headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (status, code), (path, answer.text)
        assert found.fleet.broker.limits.workers_max == 1
        assert (await found.http.get("/livez")).status_code == 200
        assert (await found.http.get("/readyz")).status_code in (200, 503)


@pytest.mark.parametrize("credential", [SECRET, KEYS.mint(TokenRole.ADMIN, 86400)], ids=["secret", "token"])
async def test_an_admin_does(credential: str) -> None:
    async with gateway(1, SECRET) as found:
        for (method, path), body in OPERATORS.items():
            answer = await found.http.request(method, path, json=body, headers=bearer(credential))
            wanted = 409 if path == "/fleet/kick" else 200  # nobody plays there
            assert answer.status_code == wanted, (path, answer.text)


async def test_a_place_is_for_who_may_play() -> None:
    async with gateway(1, SECRET) as found:
        refused = await found.http.post("/tickets", headers=bearer(KEYS.mint(TokenRole.VIEW, 86400)))
        assert (refused.status_code, refused.json()["code"]) == (403, "view_only")
        plays = bearer(KEYS.mint(TokenRole.CONTROL, 86400))
        made = await found.http.post("/tickets", headers=plays)
        assert made.status_code == 201
        ticket = made.json()["ticket"]
        for method, path in (("GET", ""), ("GET", "/events"), ("POST", "/claim"), ("DELETE", "")):
            answer = await found.http.request(method, f"/tickets/{ticket}{path}")
            assert answer.status_code == 401, path
        assert (await found.http.get(f"/tickets/{ticket}", headers=plays)).status_code == 200
