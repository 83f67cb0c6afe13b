"""docs/fleet.md, word by word: its commands are those of our command line, its answers what a fleet says."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from tests.fleet.memory import gateway, offered

from reactor_runtime.cli import fleet as fleet_command
from reactor_runtime.cli import serve
from reactor_runtime.fleet.records import TicketState, WorkerState

DOCUMENT = (Path(__file__).parents[2] / "docs" / "fleet.md").read_text()
COMMANDS = re.findall(r"^reactor .*", DOCUMENT, re.M)


def parsed(line: str) -> dict[str, Any]:
    """What click makes of a command of the document. Raises `click.UsageError`."""
    _, name, *arguments = shlex.split(line, comments=True)
    if name == "serve":
        return serve.command.make_context(name, arguments).params
    group = fleet_command.command
    assert name == group.name, f"{line} is not about a fleet"
    assert isinstance(group, click.Group)
    return group.commands[arguments[0]].make_context(arguments[0], arguments[1:]).params


@pytest.mark.usefixtures("process_put_back")  # the options of the log set it up
@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_document_is_ours(line: str) -> None:
    assert parsed(line)


def test_the_document_has_each_command() -> None:
    shown = {tuple(shlex.split(line)[1:3]) for line in COMMANDS}
    assert isinstance(fleet_command.command, click.Group)
    assert {name for first, name in shown if first == "fleet"} == set(fleet_command.command.commands)
    assert sum("--ray" in line for line in COMMANDS) == 1


def answer() -> dict[str, Any]:
    """The one of `GET /fleet` in the document."""
    (text,) = re.findall(r"```json\n(.*?)```", DOCUMENT, re.S)
    return dict(json.loads(text))


def test_the_answer_of_the_document_can_be_shown() -> None:
    shown = fleet_command.text_of(answer(), answer()["workers"][0]["since"] + 7)
    assert "w1          busy" in shown
    assert "3 of 200 wait, the first for 12 s; 1 to 4 workers" in shown


def row(of: str) -> str:
    """Of the table of routes."""
    return next(line for line in DOCUMENT.splitlines() if line.startswith("| ") and of in line.split("|")[1])


def keys(text: str) -> set[str]:
    return set(re.findall(r"\w+", re.findall(r"`\{(.*?)\}`", text)[0]))


def routes() -> Iterator[tuple[str, str]]:
    table = DOCUMENT.partition("| route | what it does |")[2].partition("\n\n")[0]
    for line in table.splitlines():
        method = "GET"
        for found in re.finditer(r"`(?:([A-Z]+) )?(/[^`]*)`", line.split("|")[1] if "|" in line else ""):
            method = found[1] or method
            yield method, found[2].replace("{id}", "nobody")


async def test_the_routes_of_the_document_are_there() -> None:
    asked = list(routes())
    assert len(asked) > 10
    async with gateway(preview=True) as found:
        for method, path in asked:
            answer = await found.http.request(
                method, path, json={"worker": "nobody"} if "fleet/" in path else None
            )
            assert answer.status_code not in (405, 500), (method, path, answer.text)
            said = {} if answer.status_code == 200 else answer.json()
            assert said.get("code") not in ("not_found", "no_such_route"), (method, path, said)
            assert said.get("code") != "no_session" or path == "/fleet/kick", (method, path, said)


async def test_what_the_document_says_of_tickets_is_what_they_are() -> None:
    async with gateway() as found:
        made = await found.http.post("/tickets")
        assert (made.status_code, set(made.json())) == (201, keys(row("POST /tickets`")))
        ticket = made.json()["ticket"]
        await offered(found.fleet, ticket)
        claimed = await found.http.post(f"/tickets/{ticket}/claim")
        assert (claimed.status_code, set(claimed.json())) == (200, keys(row("/claim")))
        shown = (await found.http.get("/fleet")).json()
        assert set(shown) == set(answer())
        assert set(shown["queue"]) == set(answer()["queue"])
        assert set(shown["workers"][0]) == set(answer()["workers"][0])


def test_the_states_of_the_document_are_all_of_them() -> None:
    (said,) = re.findall(r"States: `(.*?)`", DOCUMENT)
    assert said.split(", ") == [state.value for state in WorkerState]
    assert set(re.findall(r"`(\w+)`", row("GET /tickets/{id}` ").split("`state` is")[1])) == set(TicketState)
