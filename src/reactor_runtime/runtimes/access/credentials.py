"""Who may do what: secrets, the tokens that are signed with them, and what each of them allows.

A *secret* is the operator's: whoever holds it is `admin`, and can make tokens. A *token* is a JWT (HS256,
nothing else) that says a role, a subject, when it ends and, if it is for one session only, which.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import math
import re
import secrets as random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeGuard

from reactor_runtime.clock import WALL
from reactor_runtime.errors import ReactorError, Refusal, RefusedError

ALGORITHM = "HS256"
SECRETS_LIMIT = 2
"""The one that signs, and the one before it."""
SUBJECT_LIMIT = 128
"""Characters of a subject or of a session's id in a token."""
TOKEN_LIMIT = 4096
"""Bytes of a token; what is longer is not read as one."""
CLOCK_LEEWAY_S = 30.0
"""How far the clock of the machine that made a token may be ahead of ours."""
LATEST = 2.0**40
"""The latest end of a token, in Unix seconds: what is later, or no number at all, is no time."""
STRONG_SECRET = 16
"""Characters below which a secret can be guessed by somebody who holds a token that it signed."""


class TokenRole(StrEnum):
    """`view` watches, `control` also starts, controls and stops what is its own, `admin` does everything."""

    VIEW = "view"
    CONTROL = "control"
    ADMIN = "admin"


class SecretError(ReactorError):
    """The secrets that the operator gave cannot be used."""

    code = "secret"


@dataclass(frozen=True)
class Grant:
    """What a valid credential allows. Times are Unix seconds; `session` bounds it to that session."""

    role: TokenRole
    subject: str
    session: str | None = None
    expires: float | None = None

    @property
    def may_control(self) -> bool:
        return self.role is not TokenRole.VIEW

    @property
    def rules(self) -> bool:
        """Whether others' sessions, events and figures are this holder's too."""
        return self.role is TokenRole.ADMIN and self.session is None


KNOWN_LIMIT = 256
"""Tokens whose signature is not computed again; the oldest is forgotten."""
_WRITTEN = re.compile(rb"[\w-]+\.[\w-]+\.[\w-]{42}[AEIMQUYcgkosw048]", re.ASCII)
"""The one way to write a token. What decodes it passes over strange characters and the last two bits: whoever
holds one token could write any number, and have them kept in place of everybody else's."""

EVERYBODY = Grant(TokenRole.ADMIN, "everybody")
"""On a server that asks for no token."""
OPERATOR = Grant(TokenRole.ADMIN, "operator")
"""Who shows the secret itself."""


class Keys:
    """The secrets of one server: the first signs, each opens. Without any, everybody may do everything."""

    def __init__(self, secrets: Sequence[str], clock: Callable[[], float] = WALL.unix) -> None:
        """Derives the keys, which takes some 60 ms a secret, so that no request has to."""
        self._secrets = [encoded(secret) for secret in secrets]
        self._signing = [_signing_key(secret) for secret in self._secrets]
        self._clock = clock
        self._known: dict[bytes, dict[str, Any]] = {}
        """The claims of tokens that were found true; when they begin and end is looked at each time."""

    @property
    def open(self) -> bool:
        return not self._secrets

    @property
    def strong(self) -> bool:
        """Whether who holds a token that the first secret signed cannot guess that secret."""
        return not self.open and len(self._secrets[0]) >= STRONG_SECRET

    def now(self) -> float:
        """Unix seconds, by the clock that tokens end by."""
        return self._clock()

    def read(self, credential: bytes) -> Grant | None:
        """What a credential allows; None when it is none of ours. Raises `RefusedError`, expired."""
        if self.open:
            return EVERYBODY
        if self._is_secret(credential):
            return OPERATOR
        claims = self._known.get(credential) or self._claims(credential)
        return None if claims is None else self._grant(claims)

    def mint(self, role: TokenRole, lifetime: float, subject: str = "", session: str | None = None) -> str:
        """A token for `lifetime` seconds. Without a `subject` it is somebody of its own."""
        import jwt

        now = self._clock()
        claims: dict[str, Any] = {"role": role.value, "sub": subject or random.token_urlsafe(9)}
        claims |= {"iat": int(now), "exp": math.ceil(now + lifetime)}
        if session is not None:
            claims["session"] = session
        return jwt.encode(claims, self._signing[0], algorithm=ALGORITHM)

    def _claims(self, token: bytes) -> dict[str, Any] | None:
        """A true token is kept: the next request of who holds it asks for no signature. A false one isn't."""
        if len(token) > TOKEN_LIMIT or _WRITTEN.fullmatch(token) is None:
            return None
        claims = next((found for key in self._signing if (found := _verified(token, key)) is not None), None)
        if claims is not None:
            self._known[token] = claims
            if len(self._known) > KNOWN_LIMIT:
                del self._known[next(iter(self._known))]
        return claims

    def _is_secret(self, credential: bytes) -> bool:
        # All are compared, so that the time tells nothing about which fits.
        found = [hmac.compare_digest(credential, form) for secret in self._secrets for form in _forms(secret)]
        return any(found)

    def _grant(self, claims: dict[str, Any]) -> Grant | None:
        """None for what was signed by us, and yet says nothing that we know."""
        role, subject, session, expires = (claims.get(key) for key in ("role", "sub", "session", "exp"))
        now = self._clock()
        if not isinstance(role, str) or role not in list(TokenRole):
            return None
        if not _is_name(subject) or not (session is None or _is_name(session)):
            return None
        if not _is_time(expires) or not _is_time(claims.get("nbf", now)):
            return None
        if claims.get("nbf", now) > now + CLOCK_LEEWAY_S:
            return None
        if expires <= now:
            raise RefusedError(
                Refusal.UNAUTHENTICATED, "token_expired", "This token has expired; ask for another one."
            )
        return Grant(TokenRole(role), str(subject), session, float(expires))


def secrets_in(text: str) -> tuple[str, ...]:
    """The secrets in what the operator gave: one a line, the one that signs first. Raises `SecretError`."""
    found = tuple(line.strip() for line in text.split("\n") if line.strip())
    if len(found) > SECRETS_LIMIT:
        raise SecretError(
            f"There are {len(found)} lines where the token is: the first line is the token, and a second may "
            "be the one before it, which still opens."
        )
    return found


def encoded(secret: str) -> bytes:
    """The bytes of a secret as the environment, a file or a request has them."""
    return secret.encode("utf-8", "surrogateescape")


def _forms(secret: bytes) -> list[bytes]:
    """Some clients write headers in Latin-1, which is what HTTP once said."""
    try:
        return [secret, secret.decode().encode("latin-1")]
    except UnicodeError:
        return [secret]


def _is_time(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < LATEST


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= SUBJECT_LIMIT


_TIMES_ARE_OURS = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}


@functools.lru_cache(maxsize=2 * SECRETS_LIMIT)
def _signing_key(secret: bytes) -> bytes:
    """Slow on purpose: whoever holds a token can try secrets at home until one fits its signature."""
    import jwt  # noqa: F401  # loaded here, before the first request needs it: a tenth of a second

    return hashlib.scrypt(secret, salt=b"reactor-runtime token", n=2**14, r=8, p=1, dklen=32)


def _verified(token: bytes, key: bytes) -> dict[str, Any] | None:
    """The claims of a token with a true signature. When it begins and ends is the caller's to look at."""
    import jwt

    options: Any = {"require": ["exp", "sub", "role"], **_TIMES_ARE_OURS}
    try:
        return dict(jwt.decode(token, key, [ALGORITHM], options))
    except (jwt.PyJWTError, ValueError, OverflowError, TypeError, RecursionError):
        # The last ones: JSON of a stranger's that nests, or that has numbers which are none.
        return None
