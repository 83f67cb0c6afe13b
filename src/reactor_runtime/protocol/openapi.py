"""The model as an OpenAPI 3.1 document: commands as operations, messages as webhooks, tracks as an extension.

Rendering it reads the class only: nothing is built, loaded or started.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from reactor_runtime._version import __version__
from reactor_runtime.authoring.command import CommandSpec
from reactor_runtime.authoring.uploads import REFERENCE, REFERENCE_FORMAT

if TYPE_CHECKING:
    from reactor_runtime.authoring.description import ModelDescription
    from reactor_runtime.authoring.message import MessageSpec


def model_schema(model: ModelDescription) -> dict[str, Any]:
    """The document. Tracks are named from the model's point of view: `out` goes to the client."""
    info: dict[str, Any] = {"title": model.name, "version": _text(model.metadata.get("version"), "0.0.0")}
    description = _text(model.metadata.get("description"), "")
    if description:
        info["description"] = description
    webhooks = {name: {"post": _saying(spec)} for name, spec in model.messages.items()}
    return {
        "openapi": "3.1.0",
        "info": info,
        "paths": {
            f"/events/{name}": {"post": _operation(command)} for name, command in model.commands.items()
        },
        **({"webhooks": webhooks} if webhooks else {}),
        "components": {"schemas": {"CommandError": _ERROR, UPLOAD: REFERENCE}},
        "x-reactor": {
            "runtime_version": __version__,
            "tracks": [
                {"name": t.name, "kind": t.kind.value, "direction": t.direction.value, "rate": float(t.rate)}
                for t in model.tracks.values()
            ],
        },
    }


def _operation(command: CommandSpec) -> dict[str, Any]:
    return {
        "operationId": command.name,
        "description": command.description,
        **({COALESCE: True} if command.coalesce else {}),
        "requestBody": {
            "required": bool(command.json_schema().get("required")),
            "content": {"application/json": {"schema": _by_name(command.json_schema())}},
        },
        "responses": {
            "202": {"description": "The command took effect."},
            "4XX": {
                "description": "The command was refused.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CommandError"}}},
            },
        },
    }


def _saying(spec: MessageSpec) -> dict[str, Any]:
    """A message of the model: what it sends to its clients."""
    return {
        "description": inspect.cleandoc(spec.cls.__doc__ or "") if _has_words(spec.cls) else "",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": spec.json_schema()}},
        },
        "responses": {"2XX": {"description": "Nothing is answered."}},
    }


def _has_words(cls: type) -> bool:
    """Whether an author wrote the docstring: a data class without one is given its signature."""
    return bool(cls.__doc__) and not str(cls.__doc__).startswith(f"{cls.__name__}(")


def _by_name(schema: Any) -> Any:
    """The schema with every file as the reference that has a name in the document."""
    if isinstance(schema, list):
        return [_by_name(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == REFERENCE_FORMAT:
        beside = {key: value for key, value in schema.items() if key not in REFERENCE}
        return {"$ref": f"#/components/schemas/{UPLOAD}", **beside}
    return {key: _by_name(value) for key, value in schema.items()}


COALESCE = "x-reactor-coalesce"
"""Marks a state: of the calls that wait, the newest alone is carried out."""
UPLOAD = "ReactorUploadReference"
"""What the public 3.x runtimes call it."""
_ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "field": {"type": "string"},
    },
}


def _text(value: object, default: str) -> str:
    return value if isinstance(value, str) and value else default
