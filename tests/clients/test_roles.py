"""Who controls, who looks on, whose camera the model sees."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.clients.people import person

from reactor_runtime.clients.channels import NO_CHANNEL
from reactor_runtime.clients.connection import Connection
from reactor_runtime.clients.roles import (
    PEERS_LIMIT,
    NotControllerError,
    PublisherTakenError,
    Role,
    Roles,
    ViewOnlyError,
)
from reactor_runtime.errors import CommandError, Refusal, RefusedError


def refusal(roles: Roles, connection: Connection, track: str = "camera") -> str | None:
    """The code with which a client's camera is refused."""
    try:
        roles.publish(connection, track)
    except CommandError as error:
        return error.code
    return None


# --- coming ---


@pytest.mark.parametrize("viewers", [0, 1, 8])
def test_one_steers_and_so_many_look_on(viewers: int) -> None:
    roles = Roles(viewers, shared_control=False)
    roles.admit(viewers)
    with pytest.raises(RefusedError) as refused:
        roles.admit(viewers + 1)
    assert (refused.value.kind, refused.value.code) == (Refusal.BUSY, "too_many_viewers")
    assert refused.value.retry_after == 10
    assert f"{viewers} viewers" in str(refused.value)


def test_there_is_an_end_whatever_the_operator_says() -> None:
    roles = Roles(10_000, shared_control=False)
    roles.admit(PEERS_LIMIT - 1)
    with pytest.raises(RefusedError):
        roles.admit(PEERS_LIMIT)


def test_the_first_steers_and_the_next_looks_on() -> None:
    roles, first, second = Roles(8, shared_control=False), person(), person()
    assert roles.join(first) is Role.CONTROLLER
    assert roles.join(second) is Role.VIEWER
    assert roles.join(first) is Role.CONTROLLER
    assert roles.controller is first
    assert [roles.role_of(c) for c in (first, second)] == [Role.CONTROLLER, Role.VIEWER]


def test_who_cannot_speak_or_may_only_watch_does_not_steer() -> None:
    roles, guest, mute, player = Roles(8, shared_control=False), person(may_control=False), person(), person()
    assert roles.join(guest) is Role.VIEWER
    assert roles.join(mute, speaks=False) is Role.VIEWER
    assert roles.controller is None
    assert roles.join(player) is Role.CONTROLLER


def test_the_place_of_one_that_is_closed_is_vacant() -> None:
    roles, gone, here = Roles(8, shared_control=False), person(), person()
    roles.join(gone)
    gone.presence.closed = True
    assert roles.join(here) is Role.CONTROLLER


# --- leaving ---


def test_when_the_controller_leaves_nobody_steers() -> None:
    roles, first, second = Roles(8, shared_control=False), person(), person()
    roles.join(first)
    roles.join(second)
    assert roles.leave(second) is False
    assert roles.controller is first
    assert roles.leave(first) is True
    assert roles.controller is None
    assert not roles.may_command(second)
    assert roles.leave(first) is False


def test_who_leaves_publishes_nothing_any_more() -> None:
    roles, first, second = Roles(8, shared_control=True), person(), person()
    roles.join(first)
    roles.publish(first, "camera")
    roles.publish(second, "microphone")
    roles.leave(first)
    assert not roles.publishes(first, "camera")
    assert roles.publishes(second, "microphone")


# --- taking over ---


def test_taking_control_says_who_lost_it() -> None:
    roles, first, second = Roles(8, shared_control=False), person(), person()
    assert roles.take(first) is None
    assert roles.take(first) is None
    assert roles.take(second) is first
    assert [roles.may_command(c) for c in (first, second)] == [False, True]


def test_who_may_only_watch_takes_nothing() -> None:
    roles, first, guest = Roles(8, shared_control=True), person(), person(may_control=False)
    roles.join(first)
    with pytest.raises(ViewOnlyError):
        roles.take(guest)
    assert roles.controller is first
    assert not roles.may_command(guest)
    assert refusal(roles, guest) == "view_only"


@pytest.mark.parametrize("shared", [False, True])
def test_a_viewers_camera_never_reaches_the_model_unless_control_is_shared(shared: bool) -> None:
    roles, first, second = Roles(8, shared_control=shared), person(), person()
    roles.join(first)
    roles.publish(first, "camera")
    roles.take(second)
    assert roles.publishes(first, "camera") is shared
    assert refusal(roles, first, "other") == (None if shared else "not_controller")
    roles.take(first)
    assert roles.may_command(second) is shared


def test_taking_what_one_has_already_keeps_the_camera() -> None:
    roles, first = Roles(8, shared_control=False), person()
    roles.join(first)
    roles.publish(first, "camera")
    assert roles.take(first) is None
    assert roles.publishes(first, "camera")


# --- coming back ---


def test_the_same_client_on_another_connection_keeps_role_and_camera() -> None:
    roles, old, new, viewer = Roles(8, shared_control=False), person(), person(), person()
    roles.join(old)
    roles.publish(old, "camera")
    roles.replace(old, new)
    assert roles.controller is new
    assert roles.publishes(new, "camera")
    assert not roles.publishes(old, "camera")
    roles.replace(viewer, person())
    assert roles.controller is new


def test_one_that_comes_back_with_a_token_for_watching_leaves_all_of_it() -> None:
    roles, old, new = Roles(8, shared_control=False), person(), person(may_control=False)
    roles.join(old)
    roles.publish(old, "camera")
    roles.replace(old, new)
    assert roles.controller is None
    assert not roles.publishes(new, "camera")


# --- cameras ---


def test_a_track_has_one_publisher() -> None:
    roles, first, second = Roles(8, shared_control=True), person(), person()
    roles.publish(first, "camera")
    roles.publish(first, "camera")
    with pytest.raises(PublisherTakenError, match="'camera'"):
        roles.publish(second, "camera")
    roles.publish(second, "other")
    roles.unpublish(second, "camera")
    assert roles.publishes(first, "camera")
    roles.unpublish(first, "camera")
    assert refusal(roles, second) is None
    roles.unpublish(second, "camera")
    assert roles.publishes(second, "other")


def test_one_that_is_closed_holds_no_track() -> None:
    roles, gone, here = Roles(8, shared_control=True), person(), person()
    roles.publish(gone, "camera")
    assert refusal(roles, here) == "PUBLISHER_SLOT_TAKEN"
    gone.presence.closed = True
    assert refusal(roles, here) is None


def test_a_client_that_cannot_ask_for_control_publishes_while_nobody_has_it() -> None:
    roles, mute, player = Roles(8, shared_control=False), person(notice=NO_CHANNEL), person()
    roles.join(mute, speaks=False)
    assert refusal(roles, player) == "not_controller"
    assert refusal(roles, mute) is None
    assert roles.publishes(mute, "camera")
    roles.join(player)
    assert not roles.publishes(mute, "camera")
    assert refusal(roles, mute) == "not_controller"


def test_with_shared_control_it_keeps_its_camera_beside_who_steers() -> None:
    roles, mute = Roles(8, shared_control=True), person(notice=NO_CHANNEL)
    roles.join(mute, speaks=False)
    roles.publish(mute, "camera")
    roles.join(person())
    assert roles.publishes(mute, "camera")


def test_a_refusal_says_which_of_the_two_it_is() -> None:
    assert isinstance(Roles.refusal(person()), NotControllerError)
    assert isinstance(Roles.refusal(person(may_control=False)), ViewOnlyError)


# --- whatever happens ---

STEPS = st.lists(
    st.tuples(
        st.sampled_from(("join", "leave", "take", "replace", "publish", "unpublish", "close")),
        st.integers(0, 4),
        st.integers(0, 4),
        st.sampled_from(("camera", "microphone")),
    ),
    max_size=60,
)


def step(roles: Roles, verb: str, first: Connection, second: Connection, track: str) -> None:
    if verb == "replace":
        roles.replace(first, second)
    elif verb in ("publish", "unpublish"):
        getattr(roles, verb)(first, track)
    elif verb == "close":
        first.presence.closed = True
    else:
        getattr(roles, verb)(first)


@given(STEPS, st.booleans(), st.lists(st.booleans(), min_size=5, max_size=5))
def test_whatever_clients_do_watching_tokens_do_nothing_and_a_track_has_one_publisher(
    steps: list[tuple[str, int, int, str]], shared: bool, may: list[bool]
) -> None:
    roles, people = Roles(8, shared), [person(may_control=each) for each in may]
    for verb, one, other, track in steps:
        with contextlib.suppress(CommandError):
            step(roles, verb, people[one], people[other], track)
        controller = roles.controller
        assert controller is None or controller.offer.may_control
        for each in ("camera", "microphone"):
            publishers = [c for c in people if roles.publishes(c, each)]
            assert len(publishers) <= 1
            assert all(c.offer.may_control for c in publishers)
            assert shared or all(c is controller for c in publishers)
