"""The figures count what they say, and a bound that is broken is said."""

from __future__ import annotations

import ast

import pytest
from tests.tree import figures
from tests.tree.figures import BOUNDS, Figures

from reactor_runtime.authoring import syntax


def class_of(text: str) -> ast.ClassDef:
    [node] = syntax.parse(text).body
    assert isinstance(node, ast.ClassDef)
    return node


def within() -> Figures:
    kinds = ("function_max", "file_max", "complexity_max", "attributes_max")
    return Figures(dict.fromkeys(BOUNDS, 0), {kind: {} for kind in kinds})


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ({"a": set(), "b": {"a"}}, []),
        ({"a": {"b"}, "b": {"a"}, "c": {"a"}}, [["a", "b"]]),
        ({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": {"d"}}, [["a", "b", "c"], ["d", "e"]]),
    ],
)
def test_circles_are_what_reaches_itself(edges: dict[str, set[str]], expected: list[list[str]]) -> None:
    found = [sorted(group) for group in figures.components(edges) if len(group) > 1]
    assert sorted(found) == expected


def test_attributes_are_fields_and_what_methods_set() -> None:
    node = class_of(
        "class A:\n    size: int = 0\n    def __init__(self):\n        self.one, self._two = 1, 2\n"
        "    def later(self, other):\n        self.three = other.four = self.one\n"
    )
    assert figures.attributes(node) == {"size", "one", "_two", "three"}


def test_all_within_the_bounds_says_nothing() -> None:
    assert figures.broken(within(), {}) == []


@pytest.mark.parametrize("name", ["import_circles", "untyped_functions", "function_median", "http_lines"])
def test_a_number_over_its_bound_is_said(name: str) -> None:
    found = within()
    found.values[name] = BOUNDS[name] + 1
    [sentence] = figures.broken(found, {})
    assert sentence.startswith(f"{name} is {BOUNDS[name] + 1}, and may be {BOUNDS[name]}.")


def test_a_thing_over_its_bound_is_named_unless_it_was_so_before() -> None:
    found = within()
    found.sizes["function_max"] = {"a.py:f:7": 43, "b.py:g:9": 42}
    assert figures.broken(found, {}) == ["function_max: a.py:f:7 has 43, and may have 42."]
    assert figures.broken(found, {"function_max": {"a.py:f": 43}}) == []


def test_what_was_over_a_bound_may_not_grow() -> None:
    found = within()
    found.sizes["function_max"] = {"a.py:f:7": 44}
    assert figures.broken(found, {"function_max": {"a.py:f": 43}}) == [
        "function_max: a.py:f:7 has 44, and may have 43."
    ]


def test_the_file_has_a_figure_for_each_bound() -> None:
    assert list(figures.committed()["figures"]) == list(BOUNDS)
