"""What clients hold down, and what lets go of it when they are gone."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from tests.clients.people import person

from reactor_runtime import VideoModel, VideoOut, command, model
from reactor_runtime.authoring.command import commands_of
from reactor_runtime.clients.holds import Holds


@model(name="car")
class Car(VideoModel):
    video = VideoOut()

    @command("drive", coalesce=True)
    def drive(self, forward: bool = False, keys: list[str] | None = None, speed: float = 1.0) -> None: ...

    @command("turn", coalesce=True)
    def turn(self, way: Literal["left", "none", "right"] = "none") -> None: ...

    @command("colour", coalesce=True)
    def colour(self, hue: int = 0) -> None:
        """A state that nobody holds."""

    @command("honk")
    def honk(self, loud: bool = False) -> None:
        """No state."""


@pytest.fixture
def holds() -> Holds:
    return Holds(commands_of(Car))


def test_what_is_held_is_let_go_and_the_rest_stays_as_it_was(holds: Holds) -> None:
    driver = person()
    holds.note(driver, "drive", {"forward": True, "speed": 3.0})
    assert holds.let_go(driver) == {"drive": [{"forward": False, "keys": [], "speed": 3.0}]}
    assert holds.let_go(driver) == {}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("drive", {"forward": False}),
        ("drive", {"speed": 3.0}),
        ("drive", {}),
        ("drive", None),
        ("turn", {"way": "none"}),
        ("colour", {"hue": 200}),
        ("honk", {"loud": True}),
        ("fly", {"up": True}),
        ("turn", "left"),
        ("turn", ["left"]),
        ("turn", 7),
    ],
)
def test_what_holds_nothing_is_not_released(holds: Holds, name: str, arguments: Any) -> None:
    driver = person()
    holds.note(driver, name, arguments)
    holds.accept(driver, name, arguments)
    assert holds.let_go(driver) == {}


def test_only_what_one_called_last_is_ones_own(holds: Holds) -> None:
    first, second = person(), person()
    holds.note(first, "turn", {"way": "left"})
    holds.note(second, "turn", {"way": "right"})
    assert holds.let_go(first) == {}
    assert holds.let_go(second) == {"turn": [{"way": "none"}]}
    assert holds.let_go(second) == {}


def test_a_released_state_is_not_released_again(holds: Holds) -> None:
    driver = person()
    holds.note(driver, "turn", {"way": "left"})
    holds.note(driver, "turn", {"way": "none"})
    assert holds.let_go(driver) == {}


def test_what_was_accepted_is_released_too_when_the_newest_was_refused(holds: Holds) -> None:
    driver = person()
    holds.note(driver, "turn", {"way": "left"})
    holds.accept(driver, "turn", {"way": "left"})
    holds.note(driver, "turn", {"way": "right", "nonsense": 1})
    assert holds.let_go(driver) == {"turn": [{"way": "none"}, {"way": "none"}]}
    holds.note(driver, "turn", {"way": "none"})
    assert holds.let_go(driver) == {}


def test_what_another_had_accepted_counts_for_the_next(holds: Holds) -> None:
    first, second = person(), person()
    holds.note(first, "drive", {"forward": True, "speed": 2.0})
    holds.accept(first, "drive", {"forward": True, "speed": 2.0})
    holds.note(second, "drive", {"forward": False})
    # An answer that is late: it is the second one's now.
    holds.accept(first, "drive", {"forward": True, "speed": 3.0})
    assert holds.let_go(second) == {"drive": [{"forward": False, "keys": [], "speed": 2.0}]}


def test_a_new_session_begins_with_nothing_held(holds: Holds) -> None:
    driver = person()
    holds.note(driver, "turn", {"way": "left"})
    holds.clear()
    assert holds.let_go(driver) == {}


def test_arguments_that_the_command_does_not_know_are_not_repeated(holds: Holds) -> None:
    driver = person()
    holds.note(driver, "turn", {"way": "left", "nonsense": "x" * 1000})
    assert holds.let_go(driver) == {"turn": [{"way": "none"}]}
