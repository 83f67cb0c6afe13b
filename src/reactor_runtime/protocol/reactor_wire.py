"""The messages of package `reactor_wire.v1` as classes, made when a client first needs them.

`reactor_wire.proto` beside this file says the same for people and for other languages; a test compiles it and
compares. The classes are made from descriptors, not generated: generated code ties itself to the releases of
`protobuf` around its own, and the models that run here bring theirs. They live in a pool of their own, so a
model may import the published bindings of this package in the same process.
"""

from __future__ import annotations

from functools import cache
from typing import Any

PACKAGE = "reactor_wire.v1"
REQUEST, RESPONSE, NOTIFICATION = 1, 2, 3

Fields = dict[str, tuple[int, str]]

_TRACK: Fields = {"name": (1, "string")}
_FILE: Fields = {
    "upload_id": (1, "string"),
    "name": (2, "string"),
    "mime_type": (3, "string"),
    "size": (4, "int64"),
}
# What every message on a channel starts with; the rest of it is one of several payloads.
_ENVELOPE: Fields = {"request_id": (1, "string"), "kind": (2, "MessageKind")}

MESSAGES: dict[str, Fields] = {
    "Error": {"code": (1, "string"), "message": (2, "string")},
    "UploadReference": _FILE,
    "Command": {"type": (1, "string"), "data": (2, "Struct"), "uploads": (3, "map UploadReference")},
    "ModelMessage": {"type": (1, "string"), "data": (2, "Struct")},
    "Ping": {},
    "RequestSchema": {},
    "ModelSchema": {"openapi": (1, "Struct")},
    "FileUploaded": _FILE,
    "RequestClip": {"duration_seconds": (1, "double")},
    "RequestRecording": {},
    "ClipReady": {
        "session_id": (1, "string"),
        "kind": (2, "string"),
        "start_marker": (3, "double"),
        "end_marker": (4, "double"),
        "now_marker": (5, "double"),
        "predicted_ready_at_ms": (6, "int64"),
        "playlist_url": (7, "string"),
    },
    "ClipFailed": {"reason": (1, "string")},
    "Moderation": {
        "action": (1, "string"),
        "input_kind": (2, "string"),
        "command": (3, "string"),
        "categories": (4, "repeated string"),
        "message": (5, "string"),
    },
    "SessionEnded": {"reason": (1, "string")},
    "PublishTrack": _TRACK,
    "PauseTrack": _TRACK,
    "ResumeTrack": _TRACK,
    "UnpublishTrack": _TRACK,
    "PublishTrackResponse": _TRACK,
    # What SDK 1.13 measures, every five seconds. We read none of it.
    "ClientStats": {},
}
CHANNELS: dict[str, Fields] = {
    "DataClientMessage": {"command": (10, "Command"), "error": (40, "Error")},
    "DataServerMessage": {"message": (10, "ModelMessage"), "error": (40, "Error")},
    "ControlClientMessage": {
        "ping": (10, "Ping"),
        "request_schema": (11, "RequestSchema"),
        "file_uploaded": (12, "FileUploaded"),
        "request_clip": (13, "RequestClip"),
        "request_recording": (14, "RequestRecording"),
        "publish_track": (15, "PublishTrack"),
        "pause_track": (16, "PauseTrack"),
        "resume_track": (17, "ResumeTrack"),
        "unpublish_track": (18, "UnpublishTrack"),
        "client_stats": (19, "ClientStats"),
        "error": (40, "Error"),
    },
    "ControlServerMessage": {
        "model_schema": (10, "ModelSchema"),
        "clip_ready": (11, "ClipReady"),
        "clip_failed": (12, "ClipFailed"),
        "moderation": (13, "Moderation"),
        "publish_track": (14, "PublishTrackResponse"),
        "session_ended": (15, "SessionEnded"),
        "error": (40, "Error"),
    },
}
_KINDS = {"UNSPECIFIED": 0, "REQUEST": REQUEST, "RESPONSE": RESPONSE, "NOTIFICATION": NOTIFICATION}


def new(name: str) -> Any:
    """An empty message of this package. Its type is made here, so `Any` is all that can be said about it."""
    return _classes()[name]()


@cache
def _classes() -> dict[str, Any]:
    from google.protobuf import descriptor_pool, message_factory, struct_pb2

    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(struct_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(describe().SerializeToString())
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))
        for name in (*MESSAGES, *CHANNELS)
    }


def describe() -> Any:
    """The package as a `FileDescriptorProto`."""
    from google.protobuf import descriptor_pb2

    file = descriptor_pb2.FileDescriptorProto(
        name="reactor_wire.proto",
        package=PACKAGE,
        syntax="proto3",
        dependency=["google/protobuf/struct.proto"],
    )
    kinds = file.enum_type.add(name="MessageKind")
    for word, number in _KINDS.items():
        kinds.value.add(name=f"MESSAGE_KIND_{word}", number=number)
    for name, fields in MESSAGES.items():
        _add_fields(file.message_type.add(name=name), fields)
    for name, payloads in CHANNELS.items():
        message = file.message_type.add(name=name)
        _add_fields(message, _ENVELOPE)
        message.oneof_decl.add(name="payload")
        _add_fields(message, payloads, oneof_index=0)
    return file


def _add_fields(message: Any, fields: Fields, **more: Any) -> None:
    for name, (number, kind) in fields.items():
        field = message.field.add(name=name, number=number, **more)
        shape, _, element = kind.rpartition(" ")
        field.label = field.LABEL_REPEATED if shape else field.LABEL_OPTIONAL
        if shape == "map":
            element = _add_map_entry(message, name, element)
        _set_type(field, element)


def _add_map_entry(message: Any, field: str, element: str) -> str:
    """A map from strings is a repeated field of entries."""
    entry = message.nested_type.add(name=f"{field.capitalize()}Entry")
    entry.options.map_entry = True
    _add_fields(entry, {"key": (1, "string"), "value": (2, element)})
    return f"{message.name}.{entry.name}"


def _set_type(field: Any, kind: str) -> None:
    scalars = {"string": field.TYPE_STRING, "double": field.TYPE_DOUBLE, "int64": field.TYPE_INT64}
    if kind in scalars:
        field.type = scalars[kind]
    elif kind == "MessageKind":
        field.type, field.type_name = field.TYPE_ENUM, f".{PACKAGE}.MessageKind"
    elif kind == "Struct":
        field.type, field.type_name = field.TYPE_MESSAGE, ".google.protobuf.Struct"
    else:
        field.type, field.type_name = field.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
