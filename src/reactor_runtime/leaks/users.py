"""Two users made from the model's schema: what each types, sends and shows is seeded and marked."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reactor_runtime.authoring.uploads import REFERENCE_FORMAT

MARKS = {"A": "quokka-7f3a91", "B": "narwhal-c05d28"}
"""A word of each user's that nobody else says."""
WORDS = {"A": "a red car on the moon", "B": "two blue birds in the rain"}
COLOURS = {"A": (230, 40, 30), "B": (20, 60, 220)}
CAMERA = (96, 128)
DEPTH = 4
"""How deep nested arguments are made up."""


@dataclass(frozen=True)
class MadeFile:
    """Stands among the arguments for a file that is to be uploaded."""

    name: str
    mime_type: str
    data: bytes


@dataclass(frozen=True)
class Call:
    """A command, before the step `at`."""

    at: int
    name: str
    arguments: dict[str, Any]


class User:
    """`name` is A or B; the same one always does the same."""

    def __init__(self, name: str, seed: int = 0) -> None:
        self.name = name
        self.mark = MARKS[name]
        self._seed = seed

    def calls(
        self, schemas: Mapping[str, Mapping[str, Mapping[str, Any]]], rounds: tuple[int, ...]
    ) -> list[Call]:
        """Every command once in each round, in an order of this user's own."""
        chance = self._chance("commands")
        calls = []
        for at in rounds:
            names = sorted(schemas)
            chance.shuffle(names)
            for name in names:
                arguments = {
                    parameter: self._value(fragment, chance, DEPTH)
                    for parameter, fragment in schemas[name].items()
                }
                calls.append(Call(at, name, arguments))
        return calls

    def camera(self, step: int) -> NDArray[np.uint8]:
        """A picture in this user's colour, with noise of its own, for the step `step`."""
        noise = np.random.default_rng([self._seed, ord(self.name), step])
        picture = np.empty((*CAMERA, 3), np.uint8)
        picture[:] = COLOURS[self.name]
        picture[::2] = noise.integers(0, 256, picture[::2].shape, np.uint8)
        return picture

    def sound(self, step: int, rate: int, channels: int) -> NDArray[np.int16]:
        """A tenth of a second."""
        noise = np.random.default_rng([self._seed, ord(self.name), step, rate])
        return noise.integers(-3000, 3000, (channels, rate // 10)).astype(np.int16)

    def file(self, fragment: Mapping[str, Any]) -> MadeFile:
        del fragment
        import cv2

        encoded = cv2.imencode(".png", self.camera(0)[..., ::-1])[1].tobytes()
        return MadeFile(f"{self.mark}.png", "image/png", encoded)

    def _chance(self, what: str) -> random.Random:
        return random.Random(f"{self.name}/{self._seed}/{what}")  # made up on purpose, not secret

    def _value(self, fragment: Mapping[str, Any], chance: random.Random, depth: int) -> Any:
        if fragment.get("format") == REFERENCE_FORMAT:
            return self.file(fragment)
        if "const" in fragment:
            return fragment["const"]
        if fragment.get("enum"):
            return chance.choice(list(fragment["enum"]))
        for several in ("anyOf", "oneOf", "allOf"):
            options = [option for option in fragment.get(several, ()) if option.get("type") != "null"]
            if options:
                return self._value(chance.choice(options), chance, depth)
        kind = fragment.get("type")
        made = _MAKERS.get(kind if isinstance(kind, str) else "")
        return (
            made(self, fragment, chance, depth) if made is not None else self._text(fragment, chance, depth)
        )

    def _text(self, fragment: Mapping[str, Any], chance: random.Random, depth: int) -> str:
        del depth
        wanted = fragment.get("pattern")
        if wanted is not None:
            return self._matching(str(wanted), chance)
        salt = "".join(chance.choices(string.ascii_lowercase, k=4))
        text = f"{self.mark} {WORDS[self.name]} {salt}"
        text = text.ljust(int(fragment.get("minLength", 0)), "x")
        return text[: int(fragment.get("maxLength", len(text)))]

    def _matching(self, pattern: str, chance: random.Random) -> str:
        """A text of a usual kind that the pattern takes; else one that will be refused."""
        colour = "".join(f"{value:02x}" for value in COLOURS[self.name])
        word, digits = self.mark.partition("-")[0], str(chance.randint(1000, 9999))
        texts = [
            self.mark,
            word,
            f"#{colour}",
            colour,
            digits,
            digits[0],
            word.upper(),
            word.title(),
            word[0],
        ]
        texts += [
            f"{word}{digits}",
            f"{word}_{digits}",
            f"{word}.{digits}",
            f"20{digits[:2]}-01-0{digits[3]}",
        ]
        try:
            return next((text for text in texts if re.search(pattern, text)), self.mark)
        except re.error:
            return self.mark  # a pattern of JSON Schema that Python does not know

    def _number(self, fragment: Mapping[str, Any], chance: random.Random, depth: int) -> float:
        del depth
        low, high = _bounds(fragment, 0.0, 1.0)
        return round(chance.uniform(low + (high - low) * 0.1, high - (high - low) * 0.1), 3)

    def _integer(self, fragment: Mapping[str, Any], chance: random.Random, depth: int) -> int:
        del depth
        low, high = _bounds(fragment, 0, 1000)
        step = int(fragment.get("multipleOf", 1) or 1)
        return chance.randint(int(-(-low // step)), int(high // step)) * step

    def _boolean(self, fragment: Mapping[str, Any], chance: random.Random, depth: int) -> bool:
        del depth, chance
        return not fragment.get("default", False) if self.name == "A" else bool(fragment.get("default", True))

    def _array(self, fragment: Mapping[str, Any], chance: random.Random, depth: int) -> list[Any]:
        prefix = fragment.get("prefixItems")
        if prefix:
            return [self._value(each, chance, depth - 1) for each in prefix]
        count = max(int(fragment.get("minItems", 0)), 2 if depth > 0 else 0)
        count = min(count, int(fragment.get("maxItems", count)))
        return [self._value(fragment.get("items", {}), chance, depth - 1) for _ in range(count)]

    def _object(self, fragment: Mapping[str, Any], chance: random.Random, depth: int) -> dict[str, Any]:
        properties = fragment.get("properties")
        if properties:
            return {name: self._value(each, chance, depth - 1) for name, each in properties.items()}
        values = fragment.get("additionalProperties")
        values = values if isinstance(values, Mapping) else {}
        return {self.mark: self._value(values, chance, depth - 1)} if depth > 0 else {}


def _bounds(fragment: Mapping[str, Any], low: float, high: float) -> tuple[float, float]:
    least = fragment.get("minimum", fragment.get("exclusiveMinimum"))
    most = fragment.get("maximum", fragment.get("exclusiveMaximum"))
    if least is None and most is None:
        return low, high
    if least is None:
        return most - 1000, most
    return (least, most) if most is not None else (least, least + 1000)


_MAKERS = {
    "string": User._text,
    "number": User._number,
    "integer": User._integer,
    "boolean": User._boolean,
    "array": User._array,
    "object": User._object,
    "null": lambda *_: None,
}
