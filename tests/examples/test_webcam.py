from __future__ import annotations

import numpy as np
import pytest

EFFECTS = ("none", "edges", "cartoon", "pencil", "thermal")


@pytest.fixture
def stage(load):
    return load("webcam")


@pytest.fixture
def camera():
    rng = np.random.default_rng(1)
    picture = np.repeat(np.repeat(rng.integers(0, 255, (12, 16, 3), dtype=np.uint8), 20, axis=0), 20, axis=1)
    picture[:, :40] = 255
    return picture


def test_waits_for_the_camera_without_burning_a_core(stage):
    stage.check_it_rests(0.2)
    assert not stage.sent


@pytest.mark.parametrize("effect", EFFECTS)
def test_each_effect_gives_a_picture_of_the_same_size(stage, camera, effect):
    stage.camera = camera[:-3, :-5]  # cameras may have odd sizes
    stage.command("set_effect", effect=effect)
    [seen] = stage.play(frames=1)
    assert seen.shape == (237, 315, 3)
    assert seen.dtype == np.uint8
    if effect != "none":
        assert (seen != camera[:-3, :-5][:, ::-1]).any()


def test_mirror_and_strength(stage, camera):
    stage.camera = camera
    stage.command("set_strength", strength=0.0)
    np.testing.assert_array_equal(stage.play(frames=1)[0], camera[:, ::-1])
    stage.command("set_mirror", mirror=False)
    np.testing.assert_array_equal(stage.play(frames=1)[0], camera)


def test_the_camera_is_not_changed(stage, camera):
    stage.camera, before = camera, camera.copy()
    for effect in EFFECTS:
        stage.command("set_effect", effect=effect)
        stage.play(frames=1)
    np.testing.assert_array_equal(camera, before)


def test_messages(stage, camera):
    stage.camera = camera
    stage.command("set_effect", effect="edges")
    stage.play(frames=31)
    assert stage.sent[0] == {"type": "effect", "effect": "edges"}
    assert [message["type"] for message in stage.sent[1:]] == ["camera", "camera"]
    assert stage.sent[1]["size"] == [320, 240]


def test_pauses_while_nobody_is_there(stage, camera):
    stage.camera, stage.connected = camera, False
    assert stage.play(frames=1, seconds=1) == []
    assert stage.slept >= 1


def test_the_next_person_begins_afresh(stage, camera):
    stage.camera = camera
    before = stage.play(frames=1)
    for name, value in {"effect": "edges", "strength": 0.3, "mirror": False}.items():
        stage.command(f"set_{name}", **{name: value})
    stage.model.reset()
    np.testing.assert_array_equal(before, stage.play(frames=1))
