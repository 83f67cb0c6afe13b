"""Secrets and the tokens that they sign; cookies that hold neither; addresses that open by themselves."""

from __future__ import annotations

import hmac
import json
import logging
import string
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.growth import check_growth

from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.runtimes.access import credentials
from reactor_runtime.runtimes.access.carriers import bearer, below_token, cookies, parameters, query_without
from reactor_runtime.runtimes.access.cookie_sessions import UNUSED_LIMIT, USED_LIMIT, CookieSessions
from reactor_runtime.runtimes.access.credentials import (
    EVERYBODY,
    OPERATOR,
    Grant,
    Keys,
    SecretError,
    TokenRole,
    secrets_in,
)
from reactor_runtime.runtimes.access.redaction import HIDDEN, Redaction
from reactor_runtime.runtimes.access.upload_urls import VALID_S, UploadUrls

SECRET = "a secret of the operator"
KEYS = Keys([SECRET])


class Clock:
    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def signed(claims: Any, key: bytes = KEYS._signing[0], algorithm: str = "HS256") -> bytes:
    """A token of anybody's making, by default with our own key: also what no library would write."""
    head = {"alg": algorithm, "typ": "JWT"}
    parts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (head, claims)]
    digest = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}.get(algorithm)
    signature = hmac.digest(key, b".".join(parts), digest) if digest else b""
    return b".".join([*parts, urlsafe_b64encode(signature).rstrip(b"=")])


def claims(**other: Any) -> dict[str, Any]:
    return {"role": "view", "sub": "somebody", "exp": time.time() + 60, **other}


# --- tokens ---


@pytest.mark.parametrize("role", list(TokenRole))
@pytest.mark.parametrize("session", [None, "a-session"])
def test_what_is_minted_is_read(role: TokenRole, session: str | None) -> None:
    clock = Clock()
    keys = Keys([SECRET], clock)
    token = keys.mint(role, 60, "ann", session)
    assert keys.read(token.encode()) == Grant(role, "ann", session, clock.now + 60)
    assert set(token) <= set(string.ascii_letters + string.digits + "-_.")  # as it is in every carrier


def test_a_token_ends() -> None:
    clock = Clock()
    keys = Keys([SECRET], clock)
    token = keys.mint(TokenRole.ADMIN, 60).encode()
    clock.now += 59
    assert keys.read(token) is not None
    clock.now += 1
    with pytest.raises(RefusedError) as refused:
        keys.read(token)
    assert (refused.value.kind, refused.value.code) == (Refusal.UNAUTHENTICATED, "token_expired")


def test_without_a_subject_each_token_is_somebody_of_its_own() -> None:
    subjects = {KEYS.read(KEYS.mint(TokenRole.VIEW, 60).encode()) for _ in range(3)}
    assert len(subjects) == 3


def test_two_secrets_open_and_the_first_signs() -> None:
    old, new = Keys(["the old secret"]), Keys(["the new secret", "the old secret"])
    assert new.read(old.mint(TokenRole.VIEW, 60).encode()) is not None
    assert new.read(b"the old secret") == new.read(b"the new secret") == OPERATOR
    assert Keys(["the new secret"]).read(new.mint(TokenRole.VIEW, 60).encode()) is not None
    assert old.read(new.mint(TokenRole.VIEW, 60).encode()) is None


def test_without_a_secret_everybody_may_do_everything() -> None:
    assert Keys([]).read(b"") == Keys([]).read(b"anything") == EVERYBODY
    assert EVERYBODY.rules


def test_an_admin_of_one_session_rules_nothing_else() -> None:
    assert not Grant(TokenRole.ADMIN, "ann", "a-session").rules


@pytest.mark.parametrize(
    "wrong",
    [
        *(signed(claims(role=role)) for role in ("Admin", "root", "", None, 1, ["admin"], {"admin": 1})),
        *(signed(claims(sub=sub)) for sub in ("", "x" * 129)),
        *(signed(claims(session=session)) for session in ("", 7, "x" * 129, ["a"])),
        *(signed(claims(exp=exp)) for exp in (True, 10**400, float("nan"), float("inf"), "soon", None, [])),  # type: ignore[var-annotated]  # values of every kind
        *(signed({k: v for k, v in claims().items() if k != gone}) for gone in ("role", "sub", "exp")),
        signed(claims(), SECRET.encode()),  # the secret itself is not the key
        *(signed(claims(), algorithm=algorithm) for algorithm in ("HS384", "HS512", "none", "None", "RS256")),
        *(signed(nothing) for nothing in (None, [], "x", 7, {})),  # type: ignore[var-annotated]  # as above
        signed(claims(nbf=time.time() + 3600)),
        KEYS.mint(TokenRole.VIEW, 60).encode()[:-1],
        KEYS.mint(TokenRole.VIEW, 60).encode() + b"x",
        *(b"", b".", b"..", b"a.b.c", b"\xff.\xff.\xff", b"." * 5000),
    ],
)
def test_what_is_none_of_ours_opens_nothing(wrong: bytes) -> None:
    assert KEYS.read(wrong) is None


def test_a_head_that_nests_is_no_crash() -> None:
    nested = b"[" * 2900
    head = urlsafe_b64encode(nested).rstrip(b"=")
    assert len(head) < credentials.TOKEN_LIMIT
    assert KEYS.read(head + b".e30.AAAA") is None


@settings(max_examples=150)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(st.binary(max_size=120), min_size=3, max_size=3).map(
            lambda parts: b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts)
        ),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
            ),
        ).map(lambda value: b".".join([urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")] * 3)),
    )
)
def test_any_bytes_are_read_without_a_crash(credential: bytes) -> None:
    assert KEYS.read(credential) is None


CLAIMS = ["role", "sub", "exp", "session", "nbf", "aud", "iat", "iss", "jti"]


@given(st.dictionaries(st.sampled_from(CLAIMS), st.none() | st.integers() | st.floats() | st.text()))
def test_any_claims_that_we_signed_are_read_without_a_crash(found: dict[str, Any]) -> None:
    with suppress(RefusedError):  # it has expired
        KEYS.read(signed({**claims(), **found}))


def test_secrets_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(given: bytes, secret: bytes) -> bool:
        compared.append((given, secret))
        return given == secret

    keys = Keys(["first", "second"])
    monkeypatch.setattr(credentials.hmac, "compare_digest", compare)
    assert keys.read(b"first") == OPERATOR
    assert {secret for _, secret in compared} == {b"first", b"second"}  # the first fit ends nothing


@pytest.mark.parametrize(
    "secret", ["schlüssel wort;é", "日本語のトークン", "two words", "\udcff raw", "=%41&?#"]
)
def test_a_secret_may_have_any_letters(secret: str) -> None:
    keys = Keys([secret])
    raw = secret.encode("utf-8", "surrogateescape")
    assert keys.read(raw) == OPERATOR
    assert keys.read(keys.mint(TokenRole.VIEW, 60).encode()) is not None
    for wrong in {b"?" * len(secret), secret.encode("ascii", "ignore"), raw[:-1]} - {raw}:
        assert keys.read(wrong) is None


def test_a_header_in_latin_1_is_read_too() -> None:
    assert Keys(["schlüssel"]).read("schlüssel".encode("latin-1")) == OPERATOR


def test_lines_of_secrets() -> None:
    assert secrets_in("") == secrets_in(" \n \r\n") == ()
    assert secrets_in("one\r\n\n two words \n") == ("one", "two words")
    with pytest.raises(SecretError, match="3 lines"):
        secrets_in("a\nb\nc")


# --- carriers ---


def scope(path: str = "/", query: bytes = b"", raw: bytes | None = None) -> dict[str, Any]:
    found = {"method": "GET", "path": path, "query_string": query}
    return found if raw is None else {**found, "raw_path": raw}


@pytest.mark.parametrize(
    ("raw", "path", "token", "above"),
    [
        (b"/t/abc", "/", b"abc", "../"),
        (b"/t/abc/", "/", b"abc", "../../"),
        (b"/t/abc/session", "/session", b"abc", "../../"),
        (b"/t/a%2Fb%3F%C3%A9/web/app.js", "/web/app.js", "a/b?é".encode(), "../../"),
        (b"/t/abc/t/def/session", "/t/def/session", b"abc", "../../"),
    ],
)
def test_a_base_url_with_a_token(raw: bytes, path: str, token: bytes, above: str) -> None:
    inner, found = below_token(scope("/whatever", raw=raw))
    assert found is not None
    assert (inner["path"], found.credential, found.above) == (path, token, above)


@pytest.mark.parametrize(
    "raw", [b"/", b"/t", b"/t/", b"/t//session", b"/T/abc", b"/tt/abc", b"/session/t/abc"]
)
def test_other_paths_hold_no_token(raw: bytes) -> None:
    outer = scope(raw.decode(), raw=raw)
    assert below_token(outer) == (outer, None)


def test_the_path_is_enough_where_a_server_keeps_no_raw_one() -> None:
    inner, found = below_token(scope("/t/abc/session"))
    assert found is not None
    assert (inner["path"], found.credential) == ("/session", b"abc")


def test_parameters_and_headers() -> None:
    asked = scope(query=b"a=1&token=x%2By+z&token=%ff&b=%20&token")
    assert parameters(asked, "token") == [b"x+y z", b"\xff", b""]
    assert query_without(asked, "token") == "?a=1&b=%20"
    assert query_without(scope(query=b"token=x"), "token") == ""
    assert [bearer(h) for h in ("Bearer x y", "bearer  x", "Basic x", "", "Bearer")] == [
        b"x y",
        b"x",
        b"",
        b"",
        b"",
    ]


def test_cookies_by_name() -> None:
    assert cookies("a=1; k=v=w; k = u ;kk=2; k", "k") == ["v=w", "u", ""]
    assert len(cookies("k=1;" * 100, "k")) == 8


@pytest.mark.parametrize(
    "header", ['a="' + r"\\" * 15_000, "a=b; " * 6_000, '"' * 30_000, ";" * 30_000, "=" * 30_000]
)
def test_a_header_of_cookies_twice_as_long_takes_twice_as_long(header: str) -> None:
    check_parser(lambda text: cookies(text, "reactor_session_8080"), header)


@pytest.mark.parametrize(
    "text", ["eyJ" * 9000, "eyJaaaaaaaa." * 3000, "/t/" * 9000, "?token=" * 5000, "%" * 30_000]
)
def test_so_does_a_line_of_the_log_and_an_address(text: str) -> None:
    check_parser(Redaction(["a secret"]).clean, text)
    check_parser(lambda query: parameters(scope(query=query.encode()), "token"), text)
    check_parser(lambda path: below_token(scope(raw=b"/t/x/" + path.encode())), text)


def check_parser(parse: Callable[[str], object], text: str) -> None:
    check_growth(lambda: parse(text), lambda: parse(text * 2), grain=50e-6)


# --- what a browser holds ---


def test_a_cookie_dies_with_its_token() -> None:
    clock = Clock()
    sessions = CookieSessions(clock)
    key = sessions.open(Grant(TokenRole.VIEW, "ann", expires=clock.now + 60))
    assert sessions.read(key) is not None
    clock.now += 60
    assert sessions.read(key) is None
    assert len(sessions) == 0


def test_cookies_are_bounded_and_a_script_without_a_jar_pushes_out_nobody() -> None:
    sessions = CookieSessions()
    page = sessions.open(OPERATOR)
    assert sessions.read(page) == OPERATOR
    for _ in range(3 * UNUSED_LIMIT):
        sessions.open(OPERATOR)
    assert len(sessions) == UNUSED_LIMIT + 1
    assert sessions.read(page) == OPERATOR
    for _ in range(USED_LIMIT):
        sessions.read(sessions.open(OPERATOR))
    assert len(sessions) <= USED_LIMIT + UNUSED_LIMIT
    assert sessions.read(page) is None


# --- uploads ---


def upload(path: str, query: str, method: str = "PUT") -> dict[str, Any]:
    return {"method": method, "path": path, "query_string": query.encode()}


def test_an_upload_address_opens_itself_and_nothing_else() -> None:
    clock = Clock()
    urls = UploadUrls(clock)
    query = urls.query("one")
    assert urls.opens(upload("/uploads/one", query))
    assert not urls.opens(upload("/uploads/two", query))
    assert not urls.opens(upload("/uploads/one", query, "GET"))
    assert not urls.opens(upload("/session", query))
    assert not urls.opens(upload("/uploads/one", query.replace("expires=1", "expires=2")))
    assert not urls.opens(upload("/uploads/one", f"{query}&{query}"))
    assert not UploadUrls(clock).opens(upload("/uploads/one", query))  # of another process
    for wrong in ("", "expires=&signature=", "expires=-1&signature=x", "expires=9999999999999&signature=x"):
        assert not urls.opens(upload("/uploads/one", wrong))
    clock.now += VALID_S
    with pytest.raises(RefusedError) as refused:
        urls.opens(upload("/uploads/one", query))
    assert (refused.value.kind, refused.value.code) == (Refusal.UNAUTHENTICATED, "upload_expired")


# --- logs ---


def test_no_log_line_holds_a_secret() -> None:
    odd = "an odd/secret é"
    net = Redaction([odd, "short"])
    token = KEYS.mint(TokenRole.ADMIN, 60)
    try:
        raise ValueError(f"GET /t/{token}/session of {odd}")
    except ValueError:
        raised = sys.exc_info()
    record = logging.LogRecord(
        "uvicorn.access",
        logging.INFO,
        "x",
        1,
        'GET %s?token=%s "%s" %s',
        ("/t/abc/x", "abc", odd, token),
        raised,
    )
    assert net.filter(record)
    text = logging.Formatter().format(record)
    for secret in (odd, quote(odd, safe=""), token, "abc"):
        assert secret not in text
    assert f"/t/{HIDDEN}/session" in text
    assert net.clean("a short cut to /tea/time") == "a short cut to /tea/time"
