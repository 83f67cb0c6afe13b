"""How the source is built, in numbers: printed, compared with docs/figures.json, and kept within bounds.

`scripts/figures` prints them and fails where a bound is broken; with `--write` it writes the file again. What
was over a bound when the bounds came stands under `over` in the file: it may not grow.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grimp

from reactor_runtime.authoring import syntax

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "reactor_runtime"
FILE = ROOT / "docs" / "figures.json"
BOUNDS = {
    "function_median": 6,
    "function_p90": 16,
    "function_max": 42,
    "file_max": 400,
    "complexity_max": 15,
    "attributes_max": 16,
    "import_circles": 0,
    "untyped_functions": 0,
    "http_lines": 2200,
}
"""The most that each may be. Lines are those of the file, docstrings and comments included."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Figures:
    """`sizes` are what a maximum is taken of, by kind and by the name of the thing."""

    values: dict[str, int]
    sizes: dict[str, dict[str, int]] = field(default_factory=dict)
    which: dict[str, list[str]] = field(default_factory=dict)
    """Of counts that should be 0: what was counted."""


def measure() -> Figures:
    """Of the source as it is now."""
    trees = {_name(path): syntax.parse(path.read_text("utf-8")) for path in sorted(SOURCE.rglob("*.py"))}
    functions = dict(_lengths(trees))
    lengths = sorted(functions.values())
    files = {_name(path): len(path.read_text("utf-8").splitlines()) for path in SOURCE.rglob("*.py")}
    sizes = {
        "function_max": functions,
        "file_max": files,
        "complexity_max": complexities(),
        "attributes_max": dict(_attributes(trees)),
    }
    untyped = [
        f"{name}:{each.name}" for name, tree in trees.items() for each in _functions(tree) if not _typed(each)
    ]
    which = {"import_circles": [", ".join(circle) for circle in circles()], "untyped_functions": untyped}
    values = {
        "function_median": lengths[len(lengths) // 2],
        "function_p90": lengths[int(len(lengths) * 0.9)],
        **{kind: max(found.values()) for kind, found in sizes.items()},
        **{kind: len(found) for kind, found in which.items()},
        "http_lines": sum(lines for name, lines in files.items() if name.startswith("runtimes/http/")),
    }
    return Figures({name: values[name] for name in BOUNDS}, sizes, which)


def complexities() -> dict[str, int]:
    """McCabe's numbers, as ruff counts them: decisions of a function, and one."""
    command = [sys.executable, "-m", "ruff", "check", str(SOURCE), "--select", "C901", "--exit-zero"]
    command += ["--config", "lint.mccabe.max-complexity=0", "--output-format", "json", "--no-cache"]
    found = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)
    numbers: dict[str, int] = {}
    for each in found:
        match = re.fullmatch(r"`(.+)` is too complex \((\d+) > 0\)", each["message"])
        if match is not None:
            name = f"{_name(Path(each['filename']))}:{match[1]}"
            numbers[name] = max(int(match[2]), numbers.get(name, 0))
    return numbers


def circles() -> list[list[str]]:
    """Modules that import each other, at their beginning or in a function; not for types alone."""
    graph = grimp.build_graph("reactor_runtime", exclude_type_checking_imports=True, cache_dir=None)
    edges = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    return [sorted(group) for group in components(edges) if len(group) > 1]


def components(edges: Mapping[str, set[str]]) -> list[set[str]]:
    """The strongly connected ones (Kosaraju)."""
    order: list[str] = []
    seen: set[str] = set()
    for start in sorted(edges):
        _finish(start, edges, seen, order)
    backwards: dict[str, set[str]] = {name: set() for name in edges}
    for name, others in edges.items():
        for other in others:
            backwards[other].add(name)
    seen.clear()
    groups = []
    for start in reversed(order):
        group: list[str] = []
        _finish(start, backwards, seen, group)
        groups += [set(group)] if group else []
    return groups


def _finish(start: str, edges: Mapping[str, set[str]], seen: set[str], order: list[str]) -> None:
    """Append whatever is reached from `start`, each after all that it reaches."""
    stack: list[tuple[str, Iterator[str]]] = []
    if start not in seen:
        seen.add(start)
        stack.append((start, iter(sorted(edges[start]))))
    while stack:
        name, rest = stack[-1]
        following = next((each for each in rest if each not in seen), None)
        if following is None:
            order.append(name)
            stack.pop()
        else:
            seen.add(following)
            stack.append((following, iter(sorted(edges[following]))))


def _name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def _functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _lengths(trees: Mapping[str, ast.Module]) -> Iterator[tuple[str, int]]:
    for name, tree in trees.items():
        for each in _functions(tree):
            assert each.end_lineno is not None
            yield f"{name}:{each.name}:{each.lineno}", each.end_lineno - each.lineno + 1


def _attributes(trees: Mapping[str, ast.Module]) -> Iterator[tuple[str, int]]:
    """What an object of each class keeps. Frozen data classes are records, as wide as what they record."""
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and not _frozen(node):
                yield f"{name}:{node.name}", len(attributes(node))


def attributes(node: ast.ClassDef) -> set[str]:
    """Those set on `self` anywhere in the class, and fields that are declared in its body."""
    fields = [each.target for each in node.body if isinstance(each, ast.AnnAssign)]
    own = {target.id for target in fields if isinstance(target, ast.Name)}
    stored = {
        each.attr
        for each in ast.walk(node)
        if isinstance(each, ast.Attribute)
        and isinstance(each.ctx, ast.Store)
        and isinstance(each.value, ast.Name)
        and each.value.id == "self"
    }
    return own | stored


def _frozen(node: ast.ClassDef) -> bool:
    return any(
        isinstance(each, ast.Call) and any(word.arg == "frozen" for word in each.keywords)
        for each in node.decorator_list
    )


def _typed(function: Function) -> bool:
    """Whether each argument has a type, but for the first of a method, and the result too."""
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    arguments += [each for each in (function.args.vararg, function.args.kwarg) if each is not None]
    untyped = [each.arg for each in arguments if each.annotation is None]
    return function.returns is not None and not set(untyped) - {"self", "cls", "_self"}


def broken(figures: Figures, over: Mapping[str, Mapping[str, int]]) -> list[str]:
    """A sentence for each bound that is not kept."""
    sentences = []
    for name, bound in BOUNDS.items():
        allowed = over.get(name, {})
        things = figures.sizes.get(name)
        if things is None:
            if figures.values[name] > bound:
                named = "".join(f"\n  {each}" for each in figures.which.get(name, ()))
                sentences.append(f"{name} is {figures.values[name]}, and may be {bound}.{named}")
            continue
        for thing, size in things.items():
            most = max(bound, allowed.get(_without_line(thing), bound))
            if size > most:
                sentences.append(f"{name}: {thing} has {size}, and may have {most}.")
    return sentences


def over_bounds(figures: Figures) -> dict[str, dict[str, int]]:
    """What is over a bound now."""
    found: dict[str, dict[str, int]] = {}
    for kind, things in figures.sizes.items():
        larger = {_without_line(name): size for name, size in sorted(things.items()) if size > BOUNDS[kind]}
        if larger:
            found[kind] = larger
    return found


def _without_line(thing: str) -> str:
    return re.sub(r":\d+$", "", thing)


def committed() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return found


def main(arguments: list[str]) -> int:
    figures = measure()
    if "--write" in arguments:
        document = {"figures": figures.values, "over": over_bounds(figures)}
        FILE.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    before = committed()
    for name, value in figures.values.items():
        was = before["figures"].get(name)
        print(
            f"{name:<20}{value:>7}  at most {BOUNDS[name]:<6}{'' if was == value else f'was {was}'}".rstrip()
        )
    problems = broken(figures, before["over"])
    print("\n".join(problems), end="\n" if problems else "", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
