"""Links for others: what they open, for how long, and that nobody gives more than they hold."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
from tests.runtimes.http.models import Painter
from tests.runtimes.http.waiting import in_one_moment

from reactor_runtime.runtimes.access.credentials import EVERYBODY, OPERATOR, Grant, Keys, TokenRole
from reactor_runtime.runtimes.access.sharing import LASTS_S, LINKS_PER_MINUTE, Sharing, WeakSecretError
from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.runtimes.http.share import ADDRESS_LIMIT, FRAGMENT_LIMIT
from reactor_runtime.testing import serve

SECRET = "a secret of the length that is asked for"
PAGE = "http://192.168.1.20:8080/model/"
NOW = 1_800_000_000.0
KEYS = Keys([SECRET], clock=lambda: NOW)


async def asked(server: Any, token: str | None, **body: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return await server.http.post("/share", json={"address": PAGE, **body}, headers=headers)


async def test_without_a_token_the_link_is_the_page_and_its_code_an_svg() -> None:
    async with serve(Painter) as server:
        answer = (await asked(server, None, values="%7B%22a%22%3A1%7D")).json()
    assert answer["link"] == f"{PAGE}#%7B%22a%22%3A1%7D"
    assert answer["expires_at"] is None
    drawn = ElementTree.fromstring(answer["qr"])
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
    assert not [each for each in drawn.iter() if each.tag.endswith("script")]


async def test_a_link_for_viewers_opens_the_page_and_steers_nothing() -> None:
    async with serve(Painter, options=HttpOptions(token=SECRET)) as server:
        link = (await asked(server, SECRET)).json()["link"]
        (token,) = parse_qs(urlsplit(link).query)["token"]
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await server.http.get("/health", headers=bearer)).status_code == 200
        started = await server.http.post("/start_session", json={}, headers=bearer)
        assert (started.status_code, started.json()["code"]) == (409, "nothing_to_watch")
        assert (await asked(server, token)).status_code == 403  # and makes no more links


async def test_a_link_for_ones_own_telephone_plays_and_is_no_admin() -> None:
    async with serve(Painter, options=HttpOptions(token=SECRET)) as server:
        link = (await asked(server, SECRET, role="control")).json()["link"]
        bearer = {"Authorization": f"Bearer {parse_qs(urlsplit(link).query)['token'][0]}"}
        assert (await server.http.post("/start_session", json={}, headers=bearer)).status_code == 200
        assert (await server.http.get("/metrics", headers=bearer)).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {"address": "javascript:alert(1)"},
        {"address": "http://x/?token=stolen"},
        {"address": "http://x/#y"},
        {"address": f"http://{'x' * 600}/"},
        {"role": "admin"},
        {"values": "x" * 1000},
        {"values": "a b"},
        {"address": 7},
        {"address": "http://" + "\U0001f600" * 500, "values": "x" * 900},
        {"address": "http://x/ y"},
    ],
    ids=str,
)
async def test_what_makes_no_link_is_refused(body: dict[str, Any]) -> None:
    async with serve(Painter) as server:
        assert (await asked(server, None, **body)).status_code == 422


async def test_one_address_makes_so_many_links_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    in_one_moment(monkeypatch)
    async with serve(Painter) as server:
        answers = [await asked(server, None) for _ in range(LINKS_PER_MINUTE + 1)]
    assert [each.status_code for each in answers] == [200] * LINKS_PER_MINUTE + [429]
    assert answers[-1].json()["code"] == "rate_limited"
    assert int(answers[-1].headers["retry-after"]) >= 1


async def test_the_longest_link_has_a_code() -> None:
    longest = "http://" + "x" * (ADDRESS_LIMIT - 7)
    async with serve(Painter, options=HttpOptions(token=SECRET)) as server:
        answer = await asked(server, SECRET, address=longest, values="~" * FRAGMENT_LIMIT)
    assert answer.json()["qr"].startswith("<svg")


async def test_a_secret_that_can_be_guessed_signs_nothing_for_others() -> None:
    async with serve(Painter, options=HttpOptions(token="short")) as server:
        answer = await asked(server, "short")
    assert (answer.status_code, answer.json()["code"]) == (409, "weak_token")
    with pytest.raises(WeakSecretError):
        Sharing(Keys(["short"])).token(OPERATOR, TokenRole.VIEW)


def test_a_link_ends_with_what_its_maker_holds() -> None:
    lasting = Grant(TokenRole.CONTROL, "ann", "s1", NOW + 60)
    shared = Sharing(KEYS).token(lasting, TokenRole.CONTROL)
    assert shared.token is not None
    assert KEYS.read(shared.token.encode()) == Grant(TokenRole.CONTROL, "ann", "s1", NOW + 60)
    watching = Sharing(KEYS).token(OPERATOR, TokenRole.VIEW)
    assert watching.token is not None
    found = KEYS.read(watching.token.encode())
    assert found is not None
    assert (found.role, found.expires) == (TokenRole.VIEW, NOW + LASTS_S)
    assert found.subject != OPERATOR.subject
    assert Sharing(Keys([])).token(EVERYBODY, TokenRole.VIEW).token is None
