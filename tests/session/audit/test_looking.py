"""What the audit looks at: by value, past every method of an author's, within bounds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reactor_runtime import VideoModel, model
from reactor_runtime.authoring.context import Context
from reactor_runtime.session.audit import Audit
from reactor_runtime.session.audit.given import Given, vocabulary_of
from reactor_runtime.session.audit.reading import USUAL, Bounds

from . import hostile

NOWHERE = Path("/nonexistent/project")


@model("looked-at")
class Model(VideoModel):
    def start_session(self) -> None: ...


class Thing:
    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


def audited(bounds: Bounds = USUAL, **fields: Any) -> tuple[Any, Audit]:
    made: Any = Model()
    made.__dict__.update(fields)
    audit = Audit(Model, NOWHERE, bounds=bounds)
    audit.begin(made)
    return made, audit


def told(audit: Audit, made: Any, session: int = 1, given: Given | None = None) -> list[str]:
    report = audit.end(made, session, (given or Given()).freeze())
    assert not report.problem
    return [finding.path for finding in report.findings]


# --- value decides, never identity ---


@pytest.mark.parametrize(
    "make",
    [
        lambda: "a calm" + " forest",
        lambda: 123456789,
        lambda: 0.1 + 0.2,
        lambda: float("nan"),
        lambda: [1, "two", [3.0]],
        lambda: {"a": {"b": (1, 2)}, 3: None},
        lambda: {1, "b", (2, 3)},
        lambda: Thing(x=1, y=Thing(z=[2])),
        lambda: np.arange(24.0).reshape(2, 3, 4),
        lambda: np.float32(1.5),
        lambda: torch.arange(6),
        lambda: torch.nn.Linear(2, 2, bias=False).requires_grad_(False).eval().__setstate__ and Thing(),  # type: ignore[truthy-function]  # only the call of eval() matters
        lambda: np.random.default_rng(7),
        lambda: Path("/tmp/x"),
        lambda: bytearray(b"abc"),
        lambda: "x" * 100_000,
    ],
)
def test_what_is_made_anew_with_the_same_value_is_clean(make: Callable[[], Any]) -> None:
    made, audit = audited(kept=make())
    for session in (1, 2):
        made.kept = make()
        assert told(audit, made, session) == []


def test_another_order_of_the_same_keys_is_no_change() -> None:
    made, audit = audited(table={"a": 1, "b": 2})
    made.table = {"b": 2, "a": 1}
    assert told(audit, made) == []


@pytest.mark.parametrize(
    ("before", "change", "path"),
    [
        ({"a": [1, 2, {"b": 3}]}, lambda kept: kept["a"][2].update(b=4), "self.kept['a'][2]['b']"),
        ([0] * 10, lambda kept: kept.__setitem__(7, 1), "self.kept[7]"),
        ({1, 2}, lambda kept: kept.add(3), "self.kept"),
        (np.zeros((300, 300, 3)), lambda kept: kept.fill(1), "self.kept"),
        (torch.zeros(2_000_000), lambda kept: kept.__setitem__(1_234_567, 1.0), "self.kept"),
        (torch.arange(400_000.0), lambda kept: kept.__setitem__(123_456, -1.0), "self.kept"),
        (iter(range(9)), next, "self.kept"),
        (bytearray(b"abc"), lambda kept: kept.extend(b"d"), "self.kept"),
        (threading.Event(), lambda kept: kept.set(), "self.kept._flag"),
        (threading.Lock(), lambda kept: kept.acquire(), "self.kept"),
    ],
)
def test_a_change_deep_inside_is_told(before: Any, change: Callable[[Any], Any], path: str) -> None:
    made, audit = audited(kept=before)
    change(made.kept)
    assert told(audit, made) == [path]
    assert told(audit, made, 2) == [], "a leak that was told is the new baseline"


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_a_tensor_that_was_written_and_set_back_is_clean(size: int) -> None:
    made, audit = audited(latent=torch.zeros(size))
    made.latent.add_(1).zero_()
    assert told(audit, made) == []


def test_a_gone_attribute_is_told() -> None:
    made, audit = audited(kept=1)
    del made.kept
    assert told(audit, made) == ["self.kept"]


def test_two_names_of_one_object_that_part() -> None:
    shared = [1]
    made, audit = audited(one=shared, two=shared)
    made.two = [1, 2]
    assert told(audit, made) == ["self.two"]
    assert told(audit, made, 2) == []


# --- what is new ---


def test_what_is_new_and_stays_equal_is_clean_and_what_differs_is_not() -> None:
    made, audit = audited(lazy=None, cache={})
    made.lazy, made.table, made.cache["a"] = Thing(x=1), np.arange(5), 1
    assert told(audit, made, 1) == []
    assert told(audit, made, 2) == []
    made.lazy.x, made.table, made.cache["b"] = 2, np.arange(6), 1
    assert sorted(told(audit, made, 3)) == ["self.cache['b']", "self.lazy.x", "self.table"]


def given(**arguments: Any) -> Given:
    noted = Given()
    noted.note(arguments)
    return noted


@pytest.mark.parametrize(
    ("value", "arguments", "path"),
    [
        ("a red car", {"prompt": "a red car"}, "self.new"),
        ("best quality, a red car", {"prompt": "a red car"}, "self.new"),
        ({"by": {"a red car": 1}}, {"prompt": "a red car"}, "self.new['by']"),
        ([Thing(text="a red car")], {"deep": [{"prompt": "a red car"}]}, "self.new[0].text"),
        (0.37, {"speed": 0.37}, "self.new"),
        (b"a red car", {"prompt": "a red car"}, "self.new"),
    ],
)
def test_what_is_new_and_came_from_a_client_is_told_at_once(
    value: Any, arguments: dict[str, Any], path: str
) -> None:
    made, audit = audited()
    made.new = value
    assert told(audit, made, 1, given(**arguments)) == [path]


def test_words_that_the_schema_offers_are_nobodys() -> None:
    noted = Given()
    noted.note({"direction": "forward"}, vocabulary_of({"direction": {"enum": ["forward", "back"]}}))
    made, audit = audited()
    made.table = {"forward": 1, "back": -1}
    assert told(audit, made, 1, noted) == []


def test_a_frame_and_a_file_of_a_client_are_known_again(tmp_path: Path) -> None:
    file = tmp_path / "secret.png"
    file.write_bytes(b"\x89PNG" + bytes(200))
    frame, noted = np.arange(48, dtype=np.uint8).reshape(4, 4, 3), Given()
    noted.note_frame(frame)
    noted.note_file("secret.png", file)
    made, audit = audited(last=None)
    made.last, made.image = [frame.copy()], {"bytes": file.read_bytes()}
    assert sorted(told(audit, made, 1, noted)) == ["self.image['bytes']", "self.last[0]"]


def test_who_sends_much_does_not_slow_the_end() -> None:
    noted = Given()
    for number in range(2000):
        noted.note({"prompt": f"a prompt with the number {number}"})
    made, audit = audited()
    made.words = {f"a word of the vocabulary {number}": "x" * 30_000 for number in range(20_000)}
    made.kept = "a prompt with the number 1999"
    began = time.thread_time()
    assert told(audit, made, 1, noted) == ["self.kept"]
    assert time.thread_time() - began < 20


def test_a_context_that_was_kept_is_told() -> None:
    made, audit = audited()
    made.ctx = Context.__new__(Context)
    assert told(audit, made) == ["self.ctx"]


# --- hostile objects ---


@pytest.mark.parametrize("place", range(len(hostile.MAKERS)))
def test_no_object_breaks_or_slows_the_audit(place: int) -> None:
    make = hostile.MAKERS[place]
    value = make()
    made, audit = audited(kept=value, within=[value], old=None, count=0)
    made.again, made.old, made.count = make(), make(), 1
    began = time.monotonic()
    report = audit.end(made, 1, given(prompt="a red car").freeze())
    assert time.monotonic() - began < 30, "it hangs"
    assert not report.problem
    assert [finding.path for finding in report.findings] == ["self.count"]


def test_a_key_without_a_hash_of_its_own_is_looked_past() -> None:
    class Key:
        def __hash__(self) -> int:
            return 1

        def __eq__(self, other: object) -> bool:
            raise RuntimeError("eq")

    key = Key()
    made, audit = audited(table={key: 1})
    made.table[key] = 2
    assert told(audit, made) == ["self.table[<Key>]"]


# --- bounds ---


def test_each_object_is_visited_once_however_often_it_is_named() -> None:
    things = [Thing(a=index, b="x") for index in range(1000)]
    made, audit = audited(one=things, two=list(things), three={"again": things})
    report = audit.end(made, 1)
    assert 1000 < report.visited < 1100


def test_what_is_beyond_the_bounds_is_counted() -> None:
    few = Bounds(items=10, nodes=600)
    made, audit = audited(few, many=list(range(15)), things={n: Thing(a=[n]) for n in range(9)})
    report = audit.end(made, 1)
    assert report.left_out >= 5
    assert not report.findings


def test_the_work_grows_with_the_number_of_objects_and_not_faster() -> None:
    def visited(count: int) -> int:
        made, audit = audited(things=[Thing(a=n, b=[n]) for n in range(count)])
        return audit.end(made, 1).visited

    assert visited(2000) < 2.1 * visited(1000)


def test_many_changes_are_told_as_one_or_counted() -> None:
    made, audit = audited(numbers=[0] * 100, table=dict.fromkeys(range(100), 0))
    made.numbers[:] = range(100)
    made.table.update({n: n + 1 for n in range(100)})
    report = audit.end(made, 1)
    assert [f.path for f in report.findings].count("self.numbers") == 1
    assert len(report.findings) + report.untold == 101
