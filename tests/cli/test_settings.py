"""Settings: one list behind the command line, the options object and the document."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cli import options_table

from reactor_runtime.cli import run, serve
from reactor_runtime.cli.settings import SETTINGS, options_of, setting_options
from reactor_runtime.project import environment
from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.settings import Setting, setting, settings, settings_of

NOBODY_SETS = {"stuck_warning", "lifeline"}
"""Fields that an engine or a test sets."""
DECLARED = re.compile(r'option\(\s*"(--[a-z-]+)"')


def run_with(*arguments: str) -> HttpOptions:
    """What a command with every setting makes of a command line."""

    @click.command()
    @setting_options(*SETTINGS)
    def command(**given: object) -> HttpOptions:
        return options_of(given)

    made = command.main(list(arguments), standalone_mode=False)
    assert isinstance(made, HttpOptions)
    return made


def options_named(command: click.Command) -> set[str]:
    return {param.name or "" for param in command.params}


def test_every_field_is_a_setting_but_for_what_nobody_types() -> None:
    assert {each.name for each in dataclasses.fields(HttpOptions)} - set(SETTINGS) == NOBODY_SETS


def test_run_takes_every_setting() -> None:
    assert set(SETTINGS) <= options_named(run.command)


def test_serve_takes_those_it_hands_on() -> None:
    assert {*serve.FOR_WORKERS, *serve.FOR_GATEWAY} <= options_named(serve.command) & set(SETTINGS)


def test_no_option_is_declared_anywhere_else() -> None:
    """The commands' own files name no flag of a setting where they declare options."""
    sources = {path.name: path.read_text("utf-8") for path in Path(run.__file__).parent.glob("*.py")}
    declared = {(name, flag) for name, text in sources.items() for flag in DECLARED.findall(text)}
    of_settings = {each for each in declared if each[1] in {setting.flag for setting in SETTINGS.values()}}
    assert of_settings == {("test.py", "--seed")}  # that of two made-up users, not of a server


def test_the_document_has_the_table() -> None:
    assert options_table.of_the_document() == options_table.table(), "run scripts/cli-docs"


def test_flags_and_variables_are_each_those_of_one_setting() -> None:
    variables = [each.variable for each in SETTINGS.values() if each.variable]
    assert len({each.flag for each in SETTINGS.values()}) == len(SETTINGS)
    assert len(set(variables)) == len(variables)


def test_variables_are_those_that_the_environment_s_file_knows() -> None:
    known = {value for name, value in vars(environment).items() if name.isupper()}
    assert {each.variable for each in SETTINGS.values() if each.variable} <= known


def test_nothing_said_is_the_defaults() -> None:
    assert run_with() == HttpOptions()


@pytest.mark.parametrize("name", [name for name in SETTINGS if SETTINGS[name].variable])
def test_a_variable_stands_for_its_option(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "host": ("0.0.0.0", "0.0.0.0"),
        "port": ("81", 81),
        "orphan_timeout": ("1.5", 1.5),
        "max_session_duration": ("2", 2.0),
        "token": ("abc", "abc"),
        "max_connections": ("7", 7),
        "trusted_proxies": ("10.0.0.1 10.1.0.0/16", ("10.0.0.1", "10.1.0.0/16")),
        "stun_servers": ("stun:a,stun:b", ("stun:a", "stun:b")),
        "turn_servers": ("ada;a b;turn:x", ("ada;a b;turn:x",)),
        "turn_secret": ("s", "s"),
        "ice_transport_policy": ("relay", "relay"),
        "port_range": ("2000:2001", (2000, 2001)),
    }
    text, value = given[name]
    monkeypatch.setenv(SETTINGS[name].variable, text)
    assert getattr(run_with(), name) == value


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--webrtc-port-range", "5"), "write it as MIN:MAX, for example 40000:40100."),
        (("--webrtc-port-range", ""), "write it as MIN:MAX, for example 40000:40100."),
        (("--webrtc-port-range", "2001:2000"), "ports go from 1024 to 65535, the lower one first."),
        (("--allow-origin", "nowhere"), "'nowhere' is no origin; write it as https://app.example:8443."),
        (("--trusted-proxy", "x"), "'x' is no address and no network."),
        (("--advertise-ip", "::1"), "'::1' is no IPv4 address."),
        (("--orphan-timeout", "nan"), "nan is not a number of seconds; 0 turns the limit off."),
        (("--root-path", "a b"), "'a b' is no path; write it as /model."),
    ],
)
def test_what_is_no_value_is_refused_in_a_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(click.BadParameter, match=re.escape(sentence)) as refused:
        run_with(*arguments)
    assert refused.value.message == sentence


@given(low=st.integers(1024, 65535), more=st.integers(0, 1000), viewers=st.integers(0, 63))
def test_a_worker_is_told_what_the_gateway_was(low: int, more: int, viewers: int) -> None:
    high = min(65535, low + more)
    said = run_with(
        *("--webrtc-port-range", f"{low}:{high}", "--viewers", str(viewers), "--shared-control"),
        *("--turn-server", "ada;a, b;turn:x", "--ice-transport-policy", "relay", "--no-tcp-media"),
    )
    names = ("port_range", "viewers", "shared_control", "turn_servers", "ice_transport_policy", "tcp_media")
    words = [word for name in names for word in SETTINGS[name].arguments(getattr(said, name))]
    assert run_with(*words) == said


@dataclasses.dataclass(frozen=True)
class Small:
    speed: int = setting(3, "How fast.", unit="m/s", most=9)
    secret: str = setting("", "Hidden.", secret=True)
    names: tuple[str, ...] = settings((), "Who.", flag="--name", read=str.split)
    inner: int = 0


def test_a_field_that_is_no_setting_is_not_listed() -> None:
    assert list(settings_of(Small)) == ["speed", "secret", "names"]
    found = settings_of(Small)["speed"]
    assert found == Setting("How fast.", "--speed", unit="m/s", most=9, name="speed", kind=int, default=3)


def test_a_secret_is_in_no_representation() -> None:
    assert "hush" not in repr(Small(secret="hush"))


def test_each_text_of_a_list_may_hold_several() -> None:
    assert settings_of(Small)["names"].value(("ada eve", "bob")) == ("ada", "eve", "bob")
