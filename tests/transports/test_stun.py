"""The first frame of media over TCP, in every shape in which it may come."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime.transports.stun import (
    FIRST_FRAME_LIMIT,
    HEADER,
    MAGIC_COOKIE,
    USER_CHARACTERS,
    NotStunError,
    first_frame,
    server_user,
)

_VISIBLE = st.characters(codec="ascii", exclude_characters=":", min_codepoint=33)
USERS = st.text(_VISIBLE, min_size=1, max_size=40)


def request(username: bytes, *more: tuple[int, bytes]) -> bytes:
    """An ICE check as a client begins with, framed."""
    body = b""
    for kind, value in [*more, (0x0006, username)]:
        body += struct.pack("!HH", kind, len(value)) + value + b"\0" * (-len(value) % 4)
    message = struct.pack("!HH4s", 1, len(body), MAGIC_COOKIE) + bytes(range(12)) + body
    return struct.pack("!H", len(message)) + message


def read(data: bytes) -> str | None:
    message = first_frame(data)
    return None if message is None else server_user(message)


@given(USERS, USERS, st.binary(max_size=40))
def test_every_prefix_waits_and_the_whole_names_the_server(ours: str, theirs: str, rest: bytes) -> None:
    framed = request(f"{ours}:{theirs}".encode(), (0x8022, b"libwebrtc"))
    for size in range(len(framed)):
        assert first_frame(framed[:size]) is None
    assert read(framed + rest) == ours


@given(st.binary(max_size=3000))
def test_any_bytes_are_waited_for_or_refused(data: bytes) -> None:
    try:
        message = first_frame(data)
    except NotStunError:
        return
    if message is None:
        assert len(data) < 2 + FIRST_FRAME_LIMIT
        return
    with contextlib.suppress(NotStunError):
        assert server_user(message)


@given(st.data())
def test_a_request_with_one_byte_changed_is_waited_for_read_or_refused(data: st.DataObject) -> None:
    framed = bytearray(request(b"ours:theirs"))
    framed[data.draw(st.integers(0, len(framed) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(NotStunError):
        read(bytes(framed))


@given(st.binary(max_size=200))
def test_attributes_of_any_kind_end(body: bytes) -> None:
    body += b"\0" * (-len(body) % 4)
    with contextlib.suppress(NotStunError):
        server_user(struct.pack("!HH4s", 1, len(body), MAGIC_COOKIE) + bytes(12) + body)


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x00\x00\x01",  # a frame of nothing
        b"\xff\xff\x00\x01",  # one that is never whole
        b"\x00\x14\x00\x02",  # another method
        b"\x00\x14\x00\x01\x00\x00\x00\x00",  # no cookie
        b"\x00\x18\x00\x01\x00\x00" + MAGIC_COOKIE,  # a request that is shorter than its frame
        request(b"no colon"),
        request(b":theirs"),
        request("ö:theirs".encode()),
        request(b"ours:" + b"x" * 600),
        b"\x00\x14\x00\x01\x00\x00" + MAGIC_COOKIE + bytes(12),  # no attributes
    ],
)
def test_what_cannot_become_a_check_is_refused_at_once(data: bytes) -> None:
    with pytest.raises(NotStunError):
        read(data)


@pytest.mark.parametrize("data", [b"\xff\xff", b"\x08\x01", b"\x00\x13", b"\x00\x18\x00\x01\x00\x00"])
def test_a_wrong_length_is_refused_with_its_last_byte(data: bytes) -> None:
    assert first_frame(data[:-1]) is None
    with pytest.raises(NotStunError):
        first_frame(data)


@pytest.mark.parametrize("size", [HEADER, FIRST_FRAME_LIMIT])
def test_the_shortest_and_the_longest_frame_are_whole(size: int) -> None:
    message = struct.pack("!HH4s", 1, size - HEADER, MAGIC_COOKIE) + bytes(size - 8)
    assert first_frame(struct.pack("!H", size) + message) == message


def test_a_user_is_as_long_as_it_may_be_and_not_longer() -> None:
    longest = b"ours:" + b"x" * (USER_CHARACTERS - 5)
    assert read(request(longest)) == "ours"
    with pytest.raises(NotStunError):
        read(request(longest + b"x"))


@pytest.mark.parametrize("beyond", [1, 4, 60_000])
def test_an_attribute_that_says_it_is_longer_than_its_message_is_not_read(beyond: int) -> None:
    user = b"ours:theirs!"
    body = struct.pack("!HH", 0x0006, len(user) + beyond) + user
    with pytest.raises(NotStunError):
        server_user(struct.pack("!HH4s", 1, len(body), MAGIC_COOKIE) + bytes(12) + body)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, 5, 7, 300])
def test_attributes_before_the_user_are_passed_over_with_their_padding(length: int) -> None:
    framed = request(b"ours:theirs", (0x8022, b"\xff" * length), (0x0024, b"1234"))
    assert read(framed) == "ours"
