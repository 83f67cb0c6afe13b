"""Tokens whose signature is not computed again: nobody gets in by that, and nobody fills the memory."""

from __future__ import annotations

import logging
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime.errors import RefusedError
from reactor_runtime.runtimes.access import credentials
from reactor_runtime.runtimes.access.credentials import KNOWN_LIMIT, OPERATOR, Keys, TokenRole

from .test_credentials import SECRET, Clock, claims, signed

HOUR = 3600.0
KEYS = Keys([SECRET])
TOKEN = KEYS.mint(TokenRole.CONTROL, HOUR, "ann").encode()


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Tokens whose signature was computed, once for each key that was tried."""
    found: list[bytes] = []
    verified = credentials._verified

    def counting(token: bytes, key: bytes) -> object:
        found.append(token)
        return verified(token, key)

    monkeypatch.setattr(credentials, "_verified", counting)
    return found


def minted(keys: Keys, number: int) -> bytes:
    return keys.mint(TokenRole.VIEW, HOUR, f"user {number}").encode()


def test_a_true_token_is_computed_once(computed: list[bytes]) -> None:
    keys = Keys([SECRET])
    grants = {keys.read(TOKEN) for _ in range(5)}
    assert len(grants) == 1
    assert computed == [TOKEN]


def test_a_flood_of_true_tokens_is_bounded_and_forgets_the_oldest(computed: list[bytes]) -> None:
    keys = Keys([SECRET])
    flood = [minted(keys, number) for number in range(KNOWN_LIMIT + 10)]
    for token in flood:
        assert keys.read(token) is not None
        assert len(keys._known) <= KNOWN_LIMIT
    computed.clear()
    for token in flood[10:]:
        assert keys.read(token) is not None
    assert computed == []
    assert keys.read(flood[0]) is not None, "what was forgotten is true still"
    assert computed == [flood[0]]


def test_a_false_token_is_never_kept(computed: list[bytes]) -> None:
    keys, others = Keys([SECRET]), Keys(["another secret"])
    assert keys.read(TOKEN) is not None
    computed.clear()
    false = [minted(others, number) for number in range(2 * KNOWN_LIMIT)]
    for _ in range(2):
        assert all(keys.read(token) is None for token in false)
    assert computed == 2 * false, "each is looked at each time"
    assert list(keys._known) == [TOKEN], "and takes nobody's place"


def test_one_token_cannot_be_written_in_a_second_way(computed: list[bytes]) -> None:
    """Else who holds one could write hundreds, and have everybody else's forgotten."""
    keys = Keys([SECRET])
    head = TOKEN[:-1]
    alphabet = (string.ascii_letters + string.digits + "-_").encode()
    others = [head + bytes([last]) for last in range(256) if last != TOKEN[-1]]
    assert TOKEN[-1] in alphabet
    others += [TOKEN + end for end in (b"=", b"==", b"!", b" ", b"\n", b"\0", b"A", b".")]
    others += [start + TOKEN for start in (b"!", b" ", b"\n", b".")]
    others += [TOKEN[:at] + b"!" + TOKEN[at:] for at in range(len(TOKEN))]
    others += [TOKEN.replace(b"-", b"+").replace(b"_", b"/") + b"=", TOKEN.swapcase(), TOKEN.upper()]
    assert keys.read(TOKEN) is not None
    for other in others:
        assert keys.read(other) is None, other
    assert list(keys._known) == [TOKEN]


@given(st.integers(0, len(TOKEN) - 1), st.integers(0, 255), st.booleans())
def test_a_byte_that_differs_from_a_kept_one_is_refused(at: int, byte: int, more: bool) -> None:
    assert KEYS.read(TOKEN) is not None
    changed = TOKEN[:at] + bytes([byte]) + TOKEN[at + (not more) :]
    if changed != TOKEN:
        assert KEYS.read(changed) is None


def test_when_a_kept_one_ends_is_looked_at_each_time(computed: list[bytes]) -> None:
    clock = Clock()
    keys = Keys([SECRET], clock)
    token = keys.mint(TokenRole.VIEW, 60).encode()
    grant = keys.read(token)
    for leap in (59.0, 1.0, HOUR, -HOUR, -1.0, -HOUR, HOUR + 1.0):
        clock.now += leap
        if clock.now < 1_000_060:
            assert keys.read(token) == grant, clock.now
        else:
            with pytest.raises(RefusedError, match="expired"):
                keys.read(token)
    assert computed == [token]


def test_when_a_kept_one_begins_is_looked_at_each_time() -> None:
    clock = Clock()
    keys = Keys([SECRET], clock)
    token = signed(claims(exp=clock.now + 2 * HOUR, nbf=clock.now))
    assert keys.read(token) is not None
    clock.now -= HOUR  # the date was wrong, and is set
    assert keys.read(token) is None
    clock.now += HOUR
    assert keys.read(token) is not None


@pytest.mark.parametrize("begins", [None, "now", True, [], float("nan"), 10**400, -1])
def test_a_beginning_that_is_no_time_opens_nothing(begins: object) -> None:
    assert KEYS.read(signed(claims(nbf=begins))) is None


def test_tokens_of_the_second_secret_are_kept_too(computed: list[bytes]) -> None:
    old = Keys(["the old secret"])
    both = Keys(["the new secret", "the old secret"])
    token = minted(old, 1)
    assert both.read(token) == both.read(token) == old.read(token)
    assert both.read(b"the old secret") == OPERATOR
    computed.clear()
    assert both.read(token) is not None
    assert computed == []
    assert Keys(["the new secret"]).read(token) is None, "what another server keeps opens nothing here"


def test_no_token_is_logged_or_shown(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    keys = Keys([SECRET], clock)
    true, ended = keys.mint(TokenRole.VIEW, HOUR), keys.mint(TokenRole.VIEW, 1)
    clock.now += 2
    with caplog.at_level(logging.DEBUG):
        assert keys.read(true.encode()) is not None
        assert keys.read(true.encode()[:-1]) is None
        with pytest.raises(RefusedError) as refused:
            keys.read(ended.encode())
    shown = f"{caplog.text} {refused.value!r} {keys!r} {vars(refused.value)}"
    for token in (true, ended):
        assert token not in shown
        assert token.rpartition(".")[2] not in shown
