"""Which session a request is about, and that nobody gets into another one."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.fleet.memory import gateway

from reactor_runtime.runtimes.access.credentials import Keys, TokenRole

SECRET = "the secret of an operator"
KEYS = Keys([SECRET])


def token(role: TokenRole, session: str | None) -> str:
    return KEYS.mint(role, 600, "somebody", session)


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


def code(answer: httpx.Response) -> Any:
    return answer.status_code, answer.json().get("code")


@pytest.mark.parametrize("way", ["header", "path"])
async def test_two_tokens_in_one_request_do_not_add_up(way: str) -> None:
    """To play in one session and to watch another one is not to play in the other one."""
    async with gateway(2, SECRET) as found:
        mine, theirs = await found.session("ann"), await found.session("bob")
        plays, watches = token(TokenRole.CONTROL, mine.session), token(TokenRole.VIEW, theirs.session)
        in_path, in_header = (watches, plays) if way == "header" else (plays, watches)
        for path in ("/session", f"/sessions/{theirs.session}/x", f"/sessions/{mine.session}/x"):
            answer = await found.http.post(f"/t/{in_path}{path}", headers=bearer(in_header))
            assert code(answer) == (403, "wrong_session"), path


async def test_a_token_of_one_session_is_none_of_another() -> None:
    async with gateway(2, SECRET) as found:
        mine, theirs = await found.session("ann"), await found.session("bob")
        plays = bearer(token(TokenRole.CONTROL, mine.session))
        assert code(await found.http.get(f"/sessions/{theirs.session}/x", headers=plays)) == (
            403,
            "wrong_session",
        )
        reached = (503, "worker_lost")  # nobody listens there
        assert code(await found.http.get(f"/sessions/{mine.session}/x", headers=plays)) == reached
        assert code(await found.http.get("/session", headers=plays)) == reached


async def test_the_operator_may_name_any_session() -> None:
    async with gateway(2, SECRET) as found:
        sessions = [(await found.session(user)).session for user in ("ann", "bob")]
        for session in sessions:
            watches = token(TokenRole.VIEW, session)
            for credential in (SECRET, token(TokenRole.ADMIN, None)):
                headers = bearer(credential)
                answer = await found.http.get(f"/t/{watches}/session", headers=headers)
                assert code(answer) == (503, "worker_lost")
