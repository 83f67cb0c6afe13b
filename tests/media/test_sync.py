"""Pictures whose turn has come, beside sound and without any."""

from __future__ import annotations

import pytest

from reactor_runtime.media.sync import AvSync, Picture

from .fakes import picture


class Sound:
    """Keeps the pictures back by so much, and the first of a batch out for so long."""

    def __init__(self, later: float = 0.0, wait: float = 0.0, more: bool = False) -> None:
        self.later, self.wait, self.more = later, wait, more
        self.held: list[Picture] = []

    def keeps_step(self) -> bool:
        return self.more

    def hold(self, picture: Picture, due_in: float) -> float:
        self.held.append(picture)
        return self.wait + due_in

    def left(self, picture: Picture, at: float) -> float:
        return self.later


def pictures(count: int) -> list[Picture]:
    return [{"main": picture(index)} for index in range(count)]


def test_without_sound_a_picture_goes_out_when_its_turn_has_come() -> None:
    sync, [first, second] = AvSync(None), pictures(2)
    assert (sync.next_at(), sync.pop(9.0), len(sync)) == (None, None, 0)
    sync.take_turn(first, 1.0)
    sync.take_turn(second, 2.0)
    assert (sync.next_at(), len(sync)) == (1.0, 2)
    assert sync.pop(0.5) is None
    assert sync.pop(1.0) is first
    assert sync.pop(1.5) is None
    assert sync.pop(2.0) is second
    assert not sync.keeps_step()
    assert sync.hold([first], 3.0) == 0.0


def test_beside_sound_it_goes_out_later_and_in_order() -> None:
    sync, [first, second] = AvSync(Sound(later=0.25)), pictures(2)
    sync.take_turn(first, 1.0)
    sync.take_turn(second, 1.125)
    assert sync.next_at() == 1.25
    assert sync.pop(1.125) is None
    assert sync.pop(1.25) is first
    assert sync.next_at() == 1.375
    assert sync.clear() == 1
    assert (sync.clear(), len(sync), sync.next_at()) == (0, 0, None)


def test_the_first_of_a_batch_is_what_is_held() -> None:
    sound = Sound(wait=0.5)
    sync, batch = AvSync(sound), pictures(3)
    assert sync.hold(batch, 0.25) == 0.75
    assert sync.hold([], 0.25) == 0.0
    assert sound.held == [batch[0]]


@pytest.mark.parametrize("more", [True, False])
def test_nobody_is_held_behind_a_picture_whose_sound_may_still_come(more: bool) -> None:
    assert AvSync(Sound(more=more)).keeps_step() is more
