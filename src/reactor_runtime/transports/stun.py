"""The first bytes of media over TCP: STUN, framed as RFC 4571 says. Pure, and linear in what it reads."""

from __future__ import annotations

MAGIC_COOKIE = b"\x21\x12\xa4\x42"
"""Bytes 4 to 8 of every STUN message (RFC 8489, section 5)."""
BINDING_REQUEST = b"\x00\x01"
HEADER = 20
LENGTH = 2
"""Bytes that say how long a frame is (RFC 4571, section 2)."""
FIRST_FRAME_LIMIT = 2048
"""Bytes of the first frame; an ICE check has 80 to 200."""
USER_CHARACTERS = 513
"""Of USERNAME, the longest that RFC 8489 allows."""
_USERNAME = 0x0006


class NotStunError(ValueError):
    """What came is no framed STUN request, whatever may follow."""


def first_frame(data: bytes | bytearray) -> bytes | None:
    """The message of the first frame; None until it is whole.

    Raises `NotStunError` as soon as no further byte could mend it.
    """
    start = bytes(data[: LENGTH + 8])
    length = int.from_bytes(start[:LENGTH], "big")
    if len(start) >= LENGTH and not HEADER <= length <= FIRST_FRAME_LIMIT:
        raise NotStunError("A first frame of this length is no ICE check.")
    if not BINDING_REQUEST.startswith(start[2:4]) or not MAGIC_COOKIE.startswith(start[6:10]):
        raise NotStunError("The first frame is no STUN request.")
    if len(start) >= 6 and int.from_bytes(start[4:6], "big") != length - HEADER:
        raise NotStunError("The request is not as long as its frame.")
    if len(data) < LENGTH + length:
        return None
    return bytes(data[LENGTH : LENGTH + length])


def server_user(message: bytes) -> str:
    """The ufrag that a client's check names us by: USERNAME is "ours:theirs" (RFC 8445, section 7.2.2).

    Raises `NotStunError` where there is none.
    """
    at = HEADER
    while at + 4 <= len(message):
        kind = int.from_bytes(message[at : at + 2], "big")
        length = int.from_bytes(message[at + 2 : at + 4], "big")
        if at + 4 + length > len(message):
            break
        if kind == _USERNAME:
            return _ours(message[at + 4 : at + 4 + length])
        at += 4 + length + -length % 4
    raise NotStunError("The request names no user.")


def _ours(username: bytes) -> str:
    ours, colon, _ = username.partition(b":")
    if not colon or not ours or len(username) > USER_CHARACTERS or not ours.isascii():
        raise NotStunError("The request's user is none of ICE.")
    return ours.decode("ascii")
