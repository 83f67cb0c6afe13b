"""What "nothing is held" means for the parameters of a state, told by its schema.

The page lets go of a key with the same values (web/directions.js).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NEUTRAL = "neutral"
"""The hint of `json_schema_extra` that says it outright."""
_REST = frozenset(
    ("", "none", "stop", "idle", "neutral", "still", "stay", "center", "centre", "middle", "off", "noop")
) | {"no_op", "nothing", "rest", "static"}
_ANGLES = ("yaw", "pitch", "pan", "tilt", "azimuth", "elevation", "lon", "lat")


def neutral_of(schema: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Parameter → its neutral value, for those of a flat schema that can be held: switches, lists, choices
    with a word for rest, and the two numbers of a stick."""
    found: dict[str, Any] = {}
    sticks: dict[str, Any] = {}
    for name, fragment in schema.items():
        core, nullable = _unwrapped(fragment)
        if NEUTRAL in fragment:
            found[name] = fragment[NEUTRAL]
        elif _is_centred(name, core):
            sticks[name] = fragment.get("default", 0)
        else:
            found.update(_held(name, core, nullable))
    return {**found, **sticks} if len(sticks) > 1 else found


def _held(name: str, core: Mapping[str, Any], nullable: bool) -> dict[str, Any]:
    options = core.get("enum", [core["const"]] if "const" in core else None)
    if options is not None:
        words = [option for option in options if isinstance(option, str) and option.lower() in _REST]
        return {name: words[0]} if words else {name: None} if nullable else {}
    if core.get("type") == "boolean":
        return {name: False}
    return {name: []} if core.get("type") == "array" and not core.get("minItems") else {}


def _is_centred(name: str, core: Mapping[str, Any]) -> bool:
    low, high = core.get("minimum"), core.get("maximum")
    if core.get("type") not in ("number", "integer") or low is None or high is None:
        return False
    return bool(low == -high) and not any(angle in name.lower() for angle in _ANGLES)


def _unwrapped(fragment: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """A fragment without `| None`, and whether it had that."""
    arms = fragment.get("anyOf", [])
    others = [arm for arm in arms if arm.get("type") != "null"]
    if len(others) == 1 and len(arms) == 2:
        return others[0], True
    options = fragment.get("enum")
    if options is not None and None in options:
        return {**fragment, "enum": [option for option in options if option is not None]}, True
    return fragment, False
