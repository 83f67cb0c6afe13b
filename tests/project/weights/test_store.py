from __future__ import annotations

from pathlib import Path

import pytest

from reactor_runtime.errors import WeightsError
from reactor_runtime.project.weights import WeightsStore


@pytest.fixture
def places(tmp_path, monkeypatch):
    """The three places, in the order they are searched."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    named = tmp_path / "named"
    return named, tmp_path / "project" / "weights", tmp_path / "home" / ".cache" / "reactor" / "weights"


@pytest.fixture
def store(places, tmp_path):
    return WeightsStore(tmp_path / "project", places[0])


def put(root: Path, name: str = "vae", file: str = "model.safetensors") -> Path:
    (root / name).mkdir(parents=True, exist_ok=True)
    (root / name / file).touch()
    return root / name


def test_searches_in_order(store, places):
    for place in reversed(places):
        expected = put(place)
        assert store.path("vae") == expected


def test_the_result_is_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(Path("project/weights"))
    assert WeightsStore(Path("project")).path("vae") == tmp_path / "project" / "weights" / "vae"


def test_a_link_is_followed(store, places, tmp_path):
    target = put(tmp_path / "disk")
    places[1].mkdir(parents=True)
    (places[1] / "vae").symlink_to(target)
    assert store.path("vae") == places[1] / "vae"


@pytest.mark.parametrize("file", [".partial", "model.safetensors.partial"])
def test_a_half_finished_folder_is_passed_over(store, places, file):
    put(places[0], file=file)
    put(places[0])
    whole = put(places[2])
    assert store.path("vae") == whole


def test_the_error_says_where_it_looked_and_what_to_do(store, places):
    (places[0] / "vae").mkdir(parents=True)
    put(places[1], file=".partial")
    places[2].mkdir(parents=True)
    (places[2] / "vae").touch()
    with pytest.raises(WeightsError) as caught:
        store.path("vae")
    text = str(caught.value)
    assert f"{places[0] / 'vae'} (empty)" in text
    assert f"{places[1] / 'vae'} (half-finished" in text
    assert f"{places[2] / 'vae'} (a file, not a folder)" in text
    assert "--weights-dir" in text
    assert "REACTOR_WEIGHTS_DIR" in text


def test_a_dangling_link(store, places, tmp_path):
    places[1].mkdir(parents=True)
    (places[1] / "vae").symlink_to(tmp_path / "gone")
    with pytest.raises(WeightsError, match=r"a link to nowhere"):
        store.path("vae")


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "/etc",
        "a\\b",
        ".hidden",
        "a\n",
        "a\0",
        "~",
        "x.partial",
        "-x",
        "é",
        "a" * 300,
        None,
    ],
)
def test_a_name_that_is_not_one_folder(store, name):
    with pytest.raises(WeightsError, match=r"is no name for a weights folder"):
        store.path(name)


@pytest.mark.parametrize("name", ["vae", "wan2.1-t2v_14B", "0"])
def test_a_name_that_is(store, places, name):
    assert store.path(put(places[2], name).name).name == name


def test_a_user_without_a_home_may_have_weights_elsewhere(tmp_path, monkeypatch):
    """Containers with a random user have neither HOME nor an entry among the users."""
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", _nobody)
    store = WeightsStore(tmp_path)
    (tmp_path / "weights" / "vae").mkdir(parents=True)
    (tmp_path / "weights" / "vae" / "file").touch()
    assert store.path("vae") == tmp_path / "weights" / "vae"
    with pytest.raises(WeightsError, match=r"this user has no home folder: set HOME"):
        store.path("other")


def _nobody(uid):
    raise KeyError(uid)
