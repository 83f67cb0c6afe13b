"""The bounds of a request's head at their edges, on h11 alone; `tests/hostile/test_door.py` has sockets."""

from __future__ import annotations

import h11
import pytest

from reactor_runtime.runtimes.door.http1 import HEAD_LIMIT, HEADERS_LIMIT, BoundedConnection

HELLO = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


def head_of(size: int) -> bytes:
    """A head of this many bytes, its empty line included."""
    start = HELLO + b"X: "
    return start + b"y" * (size - len(start) - 4) + b"\r\n\r\n"


def refusal(data: bytes) -> int | None:
    """The status that a connection which has received this would tell; None where nothing is wrong."""
    connection = BoundedConnection()
    connection.receive_data(data)
    try:
        while not isinstance(connection.next_event(), (h11.EndOfMessage, type)):
            pass
    except h11.RemoteProtocolError:
        return connection.refusal
    return None


@pytest.mark.parametrize(("size", "status"), [(HEAD_LIMIT, None), (HEAD_LIMIT + 1, 431)])
@pytest.mark.parametrize("rest", [b"", b"x" * HEAD_LIMIT], ids=["alone", "with what follows"])
def test_a_head_may_have_its_limit_and_not_a_byte_more(size: int, status: int | None, rest: bytes) -> None:
    assert refusal(head_of(size) + rest) == status


@pytest.mark.parametrize("line", [b"\r\n", b"\n"])
def test_lines_may_end_either_way(line: bytes) -> None:
    assert refusal(head_of(HEAD_LIMIT // 2).replace(b"\r\n", line) + b"x" * HEAD_LIMIT) is None


@pytest.mark.parametrize(("count", "status"), [(HEADERS_LIMIT, None), (HEADERS_LIMIT + 1, 431)])
def test_a_request_has_a_hundred_headers_and_not_one_more(count: int, status: int | None) -> None:
    assert refusal(HELLO + b"X: y\r\n" * (count - 1) + b"\r\n") == status


def test_the_end_of_a_head_may_be_awaited_up_to_its_limit() -> None:
    assert refusal(head_of(HEAD_LIMIT)[:-4] + b"yyyy") is None
    assert refusal(HELLO + b"X: " + b"y" * HEAD_LIMIT) == 431


@pytest.mark.parametrize("data", [b"GET\r\n\r\n", HELLO + b"Host: x\r\n\r\n", HELLO + b"A b: c\r\n\r\n"])
def test_what_is_no_request_is_malformed(data: bytes) -> None:
    assert refusal(data) == 400


def test_a_status_that_has_no_words_here_is_told_as_malformed() -> None:
    """h11 hints at 501 for an encoding that it does not know."""
    assert refusal(HELLO + b"Transfer-Encoding: gzip\r\n\r\n") == 400


def test_a_body_is_not_counted_as_a_head() -> None:
    body = b"x" * (2 * HEAD_LIMIT)
    assert refusal(HELLO + b"Content-Length: %d\r\n\r\n" % len(body) + body) is None
