"""Files that clients send: what an author writes as the type of a command's parameter."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError, core_schema

from .active import current_or_none

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler

REFERENCE_FORMAT = "reactor-upload"
"""Marks the place of a file in a schema; its value on the wire is a reference to what was uploaded before."""
REFERENCE: dict[str, Any] = {
    "type": "object",
    "format": REFERENCE_FORMAT,
    "properties": {
        "upload_id": {"type": "string"},
        "name": {"type": "string"},
        "mime_type": {"type": "string"},
        "size": {"type": "integer"},
    },
    "required": ["upload_id"],
}


class UploadedFile:
    """A file that a client has uploaded in this session.

    `size` is in bytes, and is that of the file. `name` and `mime_type` are what the client says; `name` is
    one component of a path, never several. `path` is a file of the runtime's own that goes with the session:
    copy what is to stay.
    """

    __slots__ = ("mime_type", "name", "path", "size")

    def __init__(self, name: str, mime_type: str, size: int, path: Path) -> None:
        self.name = name
        self.mime_type = mime_type
        self.size = size
        self.path = path

    def __repr__(self) -> str:
        return f"<UploadedFile {self.name!r}, {self.mime_type}, {self.size} bytes>"

    def read_bytes(self) -> bytes:
        """The whole file. Raises `FileNotFoundError` when its session has ended."""
        return self.path.read_bytes()

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, __: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(_find)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _: core_schema.CoreSchema, __: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**REFERENCE, "properties": dict(REFERENCE["properties"])}


def _find(given: object) -> UploadedFile:
    """From the reference on the wire. What the client says about the file there is not believed."""
    upload_id = given.get("upload_id") if isinstance(given, dict) else None
    if not isinstance(upload_id, str):
        raise PydanticCustomError("upload_reference", 'it needs a file: an object with "upload_id"')
    context = current_or_none()
    file = None if context is None else context.find_upload(upload_id)
    if file is None:
        raise PydanticCustomError("unresolved_upload", "no such file was uploaded in this session")
    return file
