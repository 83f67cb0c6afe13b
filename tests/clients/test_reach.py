"""Where a client is told to bring its media over TCP."""

from __future__ import annotations

import pytest

from reactor_runtime.clients.reach import reached, told_by_gateway
from reactor_runtime.runtimes.http.options import HttpOptions

LOOPBACK = ("127.0.0.1", 8080)


@pytest.mark.parametrize(
    ("host", "scheme", "found"),
    [
        ("localhost:8080", "http", ("127.0.0.1", 8080)),
        ("localhost", "http", ("127.0.0.1", 80)),
        ("LOCALHOST:9000", "http", ("127.0.0.1", 9000)),
        ("127.0.0.1:18080", "http", ("127.0.0.1", 18080)),
        ("203.0.113.9:41234", "http", ("203.0.113.9", 41234)),
        ("203.0.113.9", "https", ("203.0.113.9", 443)),
        ("[::1]:8080", "http", ("::1", 8080)),
        ("[2001:db8::7]", "http", ("2001:db8::7", 80)),
        ("gpu.example:8080", "http", None),
        ("localhost.evil.example:8080", "http", None),
        ("0.0.0.0:8080", "http", None),
        ("127.0.0.1:0", "http", None),
        ("127.0.0.1:1", "http", ("127.0.0.1", 1)),
        ("127.0.0.1:65535", "http", ("127.0.0.1", 65535)),
        ("127.0.0.1:65536", "http", None),
        ("127.0.0.1:99999", "http", None),
        ("127.0.0.1", "gopher", None),
        ("224.0.0.1:8080", "http", None),
        ("[ff02::1]:8080", "http", None),
        ("127.0.0.1:80 typ host", "http", None),
        ("127.0.0.1\r\na=x:8080", "http", None),
        ("", "http", None),
    ],
)
def test_the_host_header_says_it_where_it_holds_an_address(
    host: str, scheme: str, found: tuple[str, int] | None
) -> None:
    assert reached(host, scheme, [b"host"], LOOPBACK, HttpOptions()) == found


def test_what_is_advertised_wins() -> None:
    options = HttpOptions(advertise_ip="203.0.113.9", advertise_port=41234)
    for host in ("localhost:8080", "gpu.example", "10.0.0.7:8080"):
        assert reached(host, "http", [b"host"], LOOPBACK, options) == ("203.0.113.9", 41234)
    only_port = HttpOptions(advertise_port=41234)
    assert reached("10.0.0.7:8080", "http", [b"host"], LOOPBACK, only_port) == ("10.0.0.7", 41234)
    assert reached("gpu.example", "http", [b"host"], LOOPBACK, only_port) is None
    only_address = HttpOptions(advertise_ip="203.0.113.9")
    assert reached("gpu.example:8081", "http", [b"host"], LOOPBACK, only_address) == ("203.0.113.9", 8081)


@pytest.mark.parametrize("host", ["", "gpu.example:0", "gpu.example:99999", "two words", "[gpu.example]:80"])
def test_an_advertised_address_leads_nowhere_where_no_port_is_known(host: str) -> None:
    options = HttpOptions(advertise_ip="203.0.113.9")
    assert reached(host, "http", [b"host"], None, options) is None


@pytest.mark.parametrize(
    "header",
    [
        b"x-forwarded-for", b"x-forwarded-proto", b"via", b"forwarded", b"x-forwarded-prefix", b"x-real-ip",
        b"x-forwarded-context", b"x-proxycontextpath",
    ],
)  # fmt: skip
def test_a_proxy_passes_no_media_on_unless_the_operator_says_where_it_does_not_stand(header: bytes) -> None:
    assert reached("10.0.0.7", "https", [b"host", header], LOOPBACK, HttpOptions()) is None
    options = HttpOptions(advertise_ip="10.0.0.7", advertise_port=8080)
    assert reached("gpu.example", "https", [b"host", header], LOOPBACK, options) == ("10.0.0.7", 8080)


def test_a_name_leads_to_the_address_that_it_came_in_by() -> None:
    for local, found in (
        (("10.0.0.7", 8080), ("10.0.0.7", 8080)),
        (("fe80::1%eth0", 8080), None),
        (("127.0.0.1", 8080), None),
        (("0.0.0.0", 8080), None),
        (("::", 8080), None),
        (("testclient", 50000), None),
        (("", 8080), None),
        (None, None),
    ):
        assert reached("box.local:8080", "http", [b"host"], local, HttpOptions()) == found


def test_the_address_that_a_client_names_goes_before_the_one_that_it_came_in_by() -> None:
    found = reached("203.0.113.9:41234", "http", [b"host"], ("10.0.0.7", 8080), HttpOptions())
    assert found == ("203.0.113.9", 41234)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("203.0.113.9 41234", ("203.0.113.9", 41234)),
        ("2001:db8::7 80", ("2001:db8::7", 80)),
        ("", None),
        ("203.0.113.9", None),
        ("203.0.113.9 ", None),
        (" 41234", None),
        ("203.0.113.9 many", None),
        ("203.0.113.9 -1", None),
        ("203.0.113.9 0", None),
        ("203.0.113.9 65535", ("203.0.113.9", 65535)),
        ("203.0.113.9 65536", None),
        ("203.0.113.9 \u0661\u0662", None),
        pytest.param("203.0.113.9 " + "1" * 5000, None, id="5,000 digits"),
        ("203.0.113.9 41234 41235", None),
    ],
)
def test_a_gateway_tells_an_address_and_a_port_or_nothing(value: str, told: tuple[str, int] | None) -> None:
    assert told_by_gateway(value) == told
