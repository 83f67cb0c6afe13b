"""STUN and TURN servers in the forms that operators write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime.cli import main as program
from reactor_runtime.clients.ice import IceConfigError, IceSettings, stun_entries, turn_entries


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("stun:a:3478", ["stun:a:3478"]),
        ("stun:a:3478,stun:b:3478", ["stun:a:3478", "stun:b:3478"]),
        (" stun:a , stuns:[::1]:5 ,", ["stun:a", "stuns:[::1]:5"]),
        ("stun:a stun:b\nstun:c", ["stun:a", "stun:b", "stun:c"]),
        ("", []),
        (" , ", []),
    ],
)
def test_stun_lists(text: str, entries: list[str]) -> None:
    assert stun_entries(text) == entries
    assert len(IceSettings(stun=tuple(entries)).servers(0)) == len(entries)


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("u;p;turn:a:3478,v;q;turn:b:3478", ["u;p;turn:a:3478", "v;q;turn:b:3478"]),
        ("turn:a,turns:b:5?transport=tcp", ["turn:a", "turns:b:5?transport=tcp"]),
        ("turn:a, u;p;turn:b ,turn:c", ["turn:a", "u;p;turn:b", "turn:c"]),
        ("u;p,w x;turn:a,v;q;turn:b", ["u;p,w x;turn:a", "v;q;turn:b"]),
        ("u;p;turn:a u;p;turn:b", ["u;p;turn:a", "u;p;turn:b"]),
        ("a,b;p;turn:a", ["a,b;p;turn:a"]),
        ("", []),
    ],
)
def test_turn_lists(text: str, entries: list[str]) -> None:
    assert turn_entries(text) == entries
    assert len(IceSettings(turn=tuple(entries), secret="s").servers(0)) == len(entries)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *[("stun", "stun:a,b"), ("stun", "stun://a:1"), ("stun", "stun:a:0"), ("stun", "stun:a:65536")],
        *[("stun", "stun:a?transport=udp"), ("stun", "turn:a"), ("stun", "a:3478"), ("stun", "stun:")],
        *[
            ("turn", "u;hunter2"),
            ("turn", "u;hunter2;stun:a"),
            ("turn", "turn:a;hunter2"),
            ("turn", ";;turn:a"),
        ],
        *[("turn", "u;hunter2;turn:a;turn:b"), ("turn", "u;hunter2;turn:a?transport=x"), ("turn", "hunter2")],
    ],
)
def test_what_is_no_server_is_refused_without_its_password(kind: str, text: str) -> None:
    entries = tuple(stun_entries(text) if kind == "stun" else turn_entries(text))
    with pytest.raises(IceConfigError, match=rf"^--{kind}-server ") as caught:
        IceSettings(**{kind: entries}, secret="s")
    assert "hunter2" not in str(caught.value)


@given(st.text("ut;,p: \n.?=[]transport0", max_size=60))
def test_any_text_is_servers_or_a_refusal(text: str) -> None:
    for entries in ({"stun": tuple(stun_entries(text))}, {"turn": tuple(turn_entries(text))}):
        try:
            servers = IceSettings(**entries, secret="s").servers(0)
        except IceConfigError:
            continue
        assert all("," not in url and " " not in url for server in servers for url in server.urls)


@pytest.mark.usefixtures("process_put_back")
def test_flags_repeated_and_in_lists_and_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STUN_SERVERS", "stun:e1,stun:e2")
    monkeypatch.setenv("TURN_SERVERS", "u;a b;turn:e1, v;q;turn:e2")
    command = program.reactor.get_command(None, "run")  # type: ignore[arg-type]  # the group needs no context
    assert command is not None
    values = command.make_context("run", []).params
    assert values["stun_servers"] == ("stun:e1", "stun:e2")
    assert values["turn_servers"] == ("u;a b;turn:e1", "v;q;turn:e2")
    arguments = [
        "--stun-server",
        "stun:a,stun:b",
        "--stun-server",
        "stun:c",
        "--turn-server",
        "u;p;turn:a,v;q;turn:b",
    ]
    values = command.make_context("run", arguments).params
    assert values["stun_servers"] == ("stun:a", "stun:b", "stun:c")
    assert values["turn_servers"] == ("u;p;turn:a", "v;q;turn:b")


@pytest.mark.usefixtures("process_put_back")
def test_the_variables_of_the_1_7_generation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBRTC_PORT_RANGE", "40000:40100")
    monkeypatch.setenv("ICE_TRANSPORT_POLICY", "relay")
    command = program.reactor.get_command(None, "run")  # type: ignore[arg-type]  # the group needs no context
    assert command is not None
    values = command.make_context("run", []).params
    assert (values["port_range"], values["ice_transport_policy"]) == ((40000, 40100), "relay")
