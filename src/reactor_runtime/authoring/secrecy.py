"""Secrets that clients send: which parts of the arguments they are, so that no refusal repeats one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from .publishing import SECRET

HIDDEN: Final = object()
"""Stands for a secret where a value would be shown."""


class Secrets:
    """The values at the secret places of what a client sent."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self._values = list(values)

    def holds(self, value: object) -> bool:
        """Whether `value` is one of the secrets, or made of one."""
        if isinstance(value, str | bytes | int | float):
            text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
            return any(str(secret) in text for secret in self._values if str(secret))
        return bool(self._values)

    def hidden_in(self, text: str) -> str:
        """`text` without the secrets; it may be the author's, who may have put one there."""
        for secret in sorted((str(value) for value in self._values), key=len, reverse=True):
            for spelled in (secret, repr(secret)[1:-1]):
                text = text.replace(spelled, "…") if spelled else text
        return text


NO_SECRETS = Secrets()


def secrets_of(fragments: Mapping[str, Mapping[str, Any]], arguments: Mapping[str, Any]) -> Secrets:
    """The secrets among `arguments`, of which `fragments` are the schemas."""
    return Secrets(
        secret
        for name, value in arguments.items()
        if name in fragments
        for secret in _found(fragments[name], value)
    )


def _found(schema: Any, value: Any) -> Iterator[Any]:
    if not isinstance(schema, Mapping):
        return
    if schema.get(SECRET) is True:
        yield from _scalars(value)
        return
    for word in ("anyOf", "oneOf", "allOf"):
        for arm in schema.get(word, ()):
            yield from _found(arm, value)
    if isinstance(value, Mapping):
        properties = schema.get("properties", {})
        patterns = list(schema.get("patternProperties", {}).values())
        for key, item in value.items():
            yield from _found(schema.get("propertyNames"), key)
            for part in (properties.get(key), schema.get("additionalProperties"), *patterns):
                yield from _found(part, item)
    elif isinstance(value, list):
        first = schema.get("prefixItems", ())
        for at, item in enumerate(value):
            yield from _found(first[at] if at < len(first) else schema.get("items"), item)


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield key
            yield from _scalars(item)
    elif isinstance(value, list):
        for item in value:
            yield from _scalars(item)
    elif value is not None and not isinstance(value, bool):
        yield value
