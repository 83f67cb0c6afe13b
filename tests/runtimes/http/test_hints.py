"""What the start prints for whoever wants to open the page."""

from __future__ import annotations

import pytest

from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.runtimes.terminal import hints as module
from reactor_runtime.runtimes.terminal.hints import hints

HERE = ["http://127.0.0.1:8080"]
SSH = {"SSH_CONNECTION": "203.0.113.7 51234 10.0.0.7 22", "USER": "ada"}


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "others_open", lambda host: ["10.0.0.7"])


def test_on_this_machine_nothing_more_is_needed() -> None:
    assert hints(HERE, "127.0.0.1", 8080, "", HttpOptions(), {}) == []


def test_in_an_ssh_session_the_tunnel_is_named() -> None:
    assert hints(HERE, "127.0.0.1", 8080, "", HttpOptions(), SSH) == [
        "From your own computer: ssh -L 8080:localhost:8080 ada@10.0.0.7",
        "and there, in a Chromium-based browser: http://localhost:8080/",
        "Media takes any UDP port; or TCP on the port of the page, where UDP is closed.",
    ]


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"SSH_CONNECTION": "a 1 10.0.0.7 2222"}, "ssh -p 2222 -L 8080:localhost:8080 10.0.0.7"),
        (
            {"SSH_CONNECTION": "a 1 2001:db8::7 22", "USER": "ada"},
            "ssh -L 8080:localhost:8080 ada@2001:db8::7",
        ),
        ({"SSH_CONNECTION": "a 1 10.0.0.7 22", "USER": "a;b"}, "ssh -L 8080:localhost:8080 10.0.0.7"),
    ],
)
def test_the_line_can_be_copied(environment: dict[str, str], line: str) -> None:
    assert (
        hints(HERE, "127.0.0.1", 8080, "", HttpOptions(), environment)[0] == f"From your own computer: {line}"
    )


@pytest.mark.parametrize("told", ["", "x", "a b c d", "1 2 10.0.0.7 port", "1 2 $(reboot) 22"])
def test_a_variable_that_is_none_of_sshs_is_left_alone(told: str) -> None:
    assert hints(HERE, "127.0.0.1", 8080, "", HttpOptions(), {"SSH_CONNECTION": told}) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (HttpOptions(port_range=(40000, 40100)), "Media takes UDP ports 40000 to 40100; or TCP on the port"),
        (HttpOptions(tcp_media=False), "Media takes any UDP port."),
        (HttpOptions(wire="tcp"), "Media takes TCP on the port of the page"),
        (HttpOptions(turn_servers=("a;b;turn:c",)), "where UDP is closed; or TURN."),
        (HttpOptions(ice_transport_policy="relay"), "Media goes through TURN alone"),
    ],
)
def test_others_hear_which_rungs_will_work(options: HttpOptions, words: str) -> None:
    lines = hints(["http://10.0.0.7:8080"], "0.0.0.0", 8080, "/?token=x", options, {})
    assert lines[0] == "Open http://10.0.0.7:8080/?token=x"
    assert words in lines[-1]


def test_without_any_network_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "others_open", lambda host: [])
    assert "`reactor doctor` says more" in hints(HERE, "127.0.0.1", 8080, "", HttpOptions(), SSH)[-1]
