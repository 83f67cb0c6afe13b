from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def stage(load):
    return load("brightness")


def test_each_palette_is_a_moving_picture(stage):
    for palette in ("sunset", "ocean", "forest", "neon"):
        stage.command("set_palette", palette=palette)
        first, second = stage.play(frames=2)
        assert first.shape == (480, 832, 3)
        assert first.dtype == np.uint8
        assert first.std() > 10
        assert (first != second).any()


def test_brightness(stage):
    [normal] = stage.play(frames=1)
    stage.command("set_brightness", brightness=0.25)
    [dark] = stage.play(frames=1)
    assert dark.mean() == pytest.approx(normal.mean() / 4, rel=0.05)
    stage.command("set_brightness", brightness=0)
    assert not stage.play(frames=1)[0].any()


def test_text_changes_the_middle_of_the_picture(stage):
    [without] = stage.play(frames=1)
    stage.command("set_text", text="Héllo", size=2.0)
    [having] = stage.play(frames=1)
    changed = (without != having).any(axis=2)
    assert changed[200:280, 300:530].any()
    assert not changed[:150].any()


def test_the_next_person_sees_nothing_of_this_one(stage):
    before = stage.play(frames=1)
    stage.command("set_brightness", brightness=0.2)
    stage.command("set_palette", palette="neon")
    stage.command("set_text", text="secret", size=3.0)
    stage.model.reset()
    np.testing.assert_array_equal(before, stage.play(frames=1))


def test_progress_messages(stage):
    stage.play(frames=61)
    assert stage.sent == [{"type": "progress", "frames": 30}, {"type": "progress", "frames": 60}]


def test_the_configuration_counts(load):
    assert load("brightness", "width=321", "height=123").play(frames=1)[0].shape == (123, 321, 3)
