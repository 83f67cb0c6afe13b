"""The binary words, held against bytes that are put together here from the numbers of the fields."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_runtime.authoring.command import command, commands_of
from reactor_runtime.authoring.decorator import model
from reactor_runtime.authoring.model import VideoModel
from reactor_runtime.authoring.tracks import VideoOut
from reactor_runtime.errors import CommandError
from reactor_runtime.protocol import reactor_wire
from reactor_runtime.protocol.jsonable import MESSAGE_LIMIT, to_json
from reactor_runtime.protocol.message_format import CONTROL, DATA, Outgoing, TrackMessage
from reactor_runtime.protocol.messages import (
    CLIENT_MESSAGE_LIMIT,
    CommandMessage,
    RuntimeMessage,
    UndecodableError,
)
from reactor_runtime.protocol.protobuf import STRUCT_DEPTH, ProtobufFormat

REQUEST, RESPONSE, NOTIFICATION = b"\x10\x01", b"\x10\x02", b"\x10\x03"
form = ProtobufFormat()


def varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def part(number: int, content: str | bytes) -> bytes:
    """A field that has a length: text, or a message."""
    raw = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def whole(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def double(number: int, value: float) -> bytes:
    return varint(number << 3 | 1) + struct.pack("<d", value)


def value(plain: Any) -> bytes:
    """google.protobuf.Value"""
    if plain is None:
        return whole(1, 0)
    if isinstance(plain, bool):
        return whole(4, plain)
    if isinstance(plain, int | float):
        return double(2, plain)
    if isinstance(plain, str):
        return part(3, plain)
    if isinstance(plain, list):
        return part(6, b"".join(part(1, value(item)) for item in plain))
    return part(5, struct_of(plain))


def struct_of(fields: dict[str, Any]) -> bytes:
    """google.protobuf.Struct"""
    return b"".join(part(1, part(1, name) + part(2, value(item))) for name, item in fields.items())


def binary(label: str, *fields: bytes) -> Outgoing:
    return Outgoing(label, b"".join(fields), binary=True)


# --- what clients say ---


def test_a_command() -> None:
    arguments = {"a": 2, "half": 0.5, "on": True, "none": None, "list": [1, "x", {"deep": -3}]}
    data = part(1, "data_1") + REQUEST + part(10, part(1, "add") + part(2, struct_of(arguments)))
    message = form.decode(DATA, data)
    assert message == CommandMessage("add", arguments, "data_1")
    assert isinstance(message, CommandMessage)
    assert type(message.arguments["a"]) is int
    assert type(message.arguments["list"][2]["deep"]) is int


def test_a_command_without_arguments() -> None:
    assert form.decode(DATA, part(1, "r") + REQUEST + part(10, part(1, "go"))) == CommandMessage(
        "go", {}, "r"
    )


def test_whole_numbers_reach_an_int_parameter_and_huge_ones_stay_doubles() -> None:
    @model(name="m")
    class M(VideoModel):
        main_video = VideoOut()

        @command("set")
        def set(self, count: int, scale: float): ...

        def start_session(self): ...

    sent = part(10, part(1, "set") + part(2, struct_of({"count": 3.0, "scale": 2.0})))
    message = form.decode(DATA, sent)
    assert isinstance(message, CommandMessage)
    arguments = commands_of(M)["set"].validate(message.arguments)
    assert (arguments, type(arguments["count"])) == ({"count": 3, "scale": 2.0}, int)

    huge = form.decode(DATA, part(10, part(2, struct_of({"n": 1e300, "nan": float("inf")}))))
    assert isinstance(huge, CommandMessage)
    assert (type(huge.arguments["n"]), huge.arguments["nan"]) == (float, float("inf"))


def test_files_of_a_command_are_arguments() -> None:
    file = part(1, "u-1") + part(2, "a.png") + part(3, "image/png") + whole(4, 7)
    upload = part(3, part(1, "image") + part(2, file))
    message = form.decode(DATA, part(1, "r") + REQUEST + part(10, part(1, "show") + upload))
    reference = {"upload_id": "u-1", "name": "a.png", "mime_type": "image/png", "size": 7}
    assert message == CommandMessage("show", {"image": reference}, "r")


def test_only_requests_want_an_answer() -> None:
    command = part(10, part(1, "go"))
    assert form.decode(DATA, part(1, "r") + NOTIFICATION + command) == CommandMessage("go", {}, None)
    assert form.decode(DATA, part(1, "r") + RESPONSE + command) == CommandMessage("go", {}, None)
    assert form.decode(DATA, part(1, "r") + command) == CommandMessage("go", {}, "r")
    assert form.decode(DATA, REQUEST + command) == CommandMessage("go", {}, None)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (part(10, b""), RuntimeMessage("ping", {}, "ctrl_1")),
        (part(11, b""), RuntimeMessage("requestSchema", {}, "ctrl_1")),
        (
            part(12, part(1, "u") + part(2, "n") + part(3, "m") + whole(4, 3)),
            RuntimeMessage(
                "fileUploaded", {"upload_id": "u", "name": "n", "mime_type": "m", "size": 3}, "ctrl_1"
            ),
        ),
        (part(13, double(1, 2.5)), RuntimeMessage("requestClip", {"duration_seconds": 2.5}, "ctrl_1")),
        (part(14, b""), RuntimeMessage("requestRecording", {}, "ctrl_1")),
        (part(15, part(1, "webcam")), TrackMessage("publish_track", "webcam", "ctrl_1")),
        (part(16, part(1, "v")), TrackMessage("pause_track", "v", "ctrl_1")),
        (part(17, part(1, "v")), TrackMessage("resume_track", "v", "ctrl_1")),
        (part(18, part(1, "v")), TrackMessage("unpublish_track", "v", "ctrl_1")),
        (part(19, part(1, "measured")), RuntimeMessage("clientStats", {}, "ctrl_1")),
        (part(99, part(1, "from the future")), RuntimeMessage("", {}, "ctrl_1")),
    ],
)
def test_messages_on_control(payload: bytes, expected: object) -> None:
    assert form.decode(CONTROL, part(1, "ctrl_1") + REQUEST + payload) == expected


def test_fields_from_the_future_are_passed_over() -> None:
    future = part(77, "new") + whole(78, 5) + double(79, 1)
    data = part(1, "r") + REQUEST + part(10, part(1, "go") + future) + future
    assert form.decode(DATA, data) == CommandMessage("go", {}, "r")


@pytest.mark.parametrize(
    ("label", "data"),
    [
        (DATA, b"\xff\xff\xff"),
        (DATA, part(10, part(1, "go"))[:-1]),
        (DATA, part(10, part(1, b"\xff\xfe"))),
        (DATA, part(1, "r" * 129) + part(10, part(1, "go"))),
        (DATA, part(10, part(1, "x" * CLIENT_MESSAGE_LIMIT))),
        (DATA, part(40, part(1, "code") + part(2, "what happened"))),
        (CONTROL, part(40, part(1, "code") + part(2, "what happened"))),
        ("video", part(10, part(1, "go"))),
    ],
)
def test_what_is_no_message_is_refused(label: str, data: bytes) -> None:
    with pytest.raises(UndecodableError):
        form.decode(label, data)


def test_values_nested_without_end_are_refused() -> None:
    inner = value(None)
    for _ in range(2000):
        inner = part(6, part(1, inner))
    with pytest.raises(UndecodableError):
        form.decode(DATA, part(10, part(2, part(1, part(1, "a") + part(2, inner)))))


def decode_or_refuse(label: str, data: bytes) -> None:
    try:
        form.decode(label, data)
    except UndecodableError:
        return


@given(label=st.sampled_from([DATA, CONTROL, "x"]), data=st.binary(max_size=300))
def test_random_bytes_are_decoded_or_refused(label: str, data: bytes) -> None:
    decode_or_refuse(label, data)


SPOKEN = [
    part(1, "data_1")
    + REQUEST
    + part(10, part(1, "add") + part(2, struct_of({"a": [1, {"b": None}], "c": "ü"}))),
    part(1, "r") + REQUEST + part(10, part(3, part(1, "f") + part(2, part(1, "u") + whole(4, 9)))),
    part(1, "ctrl_1") + REQUEST + part(13, double(1, 2.5)),
    part(1, "ctrl_1") + REQUEST + part(15, part(1, "webcam")),
]


@settings(max_examples=400)
@given(
    label=st.sampled_from([DATA, CONTROL]),
    data=st.sampled_from(SPOKEN),
    at=st.integers(0, 80),
    cut=st.integers(0, 12),
    put=st.binary(max_size=12),
)
def test_mutated_messages_are_decoded_or_refused(
    label: str, data: bytes, at: int, cut: int, put: bytes
) -> None:
    decode_or_refuse(label, data[:at] + put + data[at + cut :])


# --- what clients are told ---


@pytest.mark.parametrize(
    ("sent", "kind", "data"),
    [
        ({"type": "t", "data": {"a": 1}}, "t", {"a": 1}),
        ({"type": "t"}, "t", {}),
        ({"type": "t", "a": 1}, "t", {"a": 1}),
        ({"type": "t", "data": [1]}, "t", {"data": [1]}),
        ({"type": 5}, "message", {"type": 5}),
        ({"a": None}, "message", {"a": None}),
        ("text", "message", {"value": "text"}),
        (False, "message", {"value": False}),
        ([1, [2.5, {}]], "message", {"value": [1, [2.5, {}]]}),
        (None, "message", {"value": None}),
    ],
)
def test_messages_of_the_model(sent: Any, kind: str, data: dict[str, Any]) -> None:
    payload = part(10, part(1, kind) + part(2, struct_of(data)))
    assert form.application(to_json(sent)) == binary(DATA, NOTIFICATION, payload)


def test_results() -> None:
    assert form.command_result("data_1", "add", 7, '{"sum":3}') == binary(
        DATA, part(1, "data_1"), RESPONSE, part(10, part(1, "add") + part(2, struct_of({"sum": 3})))
    )
    assert form.command_result("data_2", "set", 7, None) == binary(DATA, part(1, "data_2"), RESPONSE)
    assert form.command_result("data_3", "get", 7, '{"type":"state","data":{"x":1}}') == binary(
        DATA, part(1, "data_3"), RESPONSE, part(10, part(1, "state") + part(2, struct_of({"x": 1})))
    )


def test_results_without_an_id_are_told_where_there_is_something_to_say() -> None:
    assert form.command_result(None, "set", 7, None) is None
    assert form.command_result(None, "add", 7, "3") == binary(
        DATA, NOTIFICATION, part(10, part(1, "add") + part(2, struct_of({"value": 3})))
    )


def test_errors() -> None:
    error = CommandError("too_fast", "Slow down.", field="speed")
    payload = part(40, part(1, "too_fast") + part(2, "Slow down."))
    assert form.command_error("data_1", "go", error) == binary(DATA, part(1, "data_1"), RESPONSE, payload)
    assert form.command_error(None, "go", error) == binary(DATA, NOTIFICATION, payload)
    assert form.command_error("ctrl_1", None, error) == binary(CONTROL, part(1, "ctrl_1"), RESPONSE, payload)
    assert form.command_error(None, None, error) is None


def test_tracks() -> None:
    ask = TrackMessage("publish_track", "webcam", "ctrl_1")
    reply = part(1, "ctrl_1") + RESPONSE
    error = CommandError("PUBLISHER_SLOT_TAKEN", "Taken.")
    taken = part(40, part(1, error.code) + part(2, error.message))
    assert form.track_response(ask, None) == binary(CONTROL, reply, part(14, part(1, "webcam")))
    assert form.track_response(ask, error) == binary(CONTROL, reply, taken)
    assert form.track_response(TrackMessage("pause_track", "v", "ctrl_1"), None) == binary(CONTROL, reply)
    assert form.track_response(TrackMessage("pause_track", "v"), error) is None


CLIP = {
    "session_id": "rec-1",
    "kind": "snap",
    "start_marker": 1.5,
    "end_marker": 2.5,
    "now_marker": 3.5,
    "predicted_ready_at_ms": 4,
    "playlist_url": "/clips",
}


@pytest.mark.parametrize(
    ("kind", "data", "request_id", "payload"),
    [
        ("modelSchema", {"openapi": "3.1.0"}, "ctrl_1", part(10, part(1, struct_of({"openapi": "3.1.0"})))),
        (
            "clipReady",
            CLIP,
            "ctrl_1",
            part(
                11,
                part(1, "rec-1")
                + part(2, "snap")
                + double(3, 1.5)
                + double(4, 2.5)
                + double(5, 3.5)
                + whole(6, 4)
                + part(7, "/clips"),
            ),
        ),
        ("clipFailed", {"reason": "No."}, "ctrl_1", part(12, part(1, "No."))),
        (
            "sessionEnded",
            {"reason": "stopped", "message": "The client ended it."},
            None,
            part(15, part(1, "stopped: The client ended it.")),
        ),
        ("sessionEnded", {"reason": "completed", "message": ""}, None, part(15, part(1, "completed"))),
    ],
)
def test_messages_of_the_runtime(
    kind: str, data: dict[str, Any], request_id: str | None, payload: bytes
) -> None:
    head = NOTIFICATION if request_id is None else part(1, request_id) + RESPONSE
    assert form.runtime(kind, data, request_id) == binary(CONTROL, head, payload)


@pytest.mark.parametrize("kind", ["modelCapabilities", "mediaStats", "anything"])
def test_what_these_clients_have_no_message_for_is_not_sent(kind: str) -> None:
    assert form.runtime(kind, {}) is None


def nested(levels: int) -> dict[str, Any]:
    return {"a": nested(levels - 1)} if levels > 1 else {}


@pytest.mark.parametrize(
    "sent",
    [
        {"type": "t", "data": nested(STRUCT_DEPTH + 1)},
        {"type": "t", "data": {"n": 10**400}},
        {"type": "t", "data": {"many": [1] * 4000 * 10}},
    ],
    ids=["deep", "huge number", "large"],
)
def test_what_fits_no_struct_travels_as_its_json(sent: dict[str, Any]) -> None:
    text = to_json(sent)
    outgoing = form.application(text)
    assert outgoing == binary(DATA, NOTIFICATION, part(10, part(1, "t") + part(2, struct_of({"json": text}))))
    assert len(outgoing.data) <= MESSAGE_LIMIT


def test_the_deepest_struct_is_within_the_limit_of_readers() -> None:
    message = reactor_wire.new("DataServerMessage")
    message.ParseFromString(form.application(to_json({"type": "t", "data": nested(STRUCT_DEPTH)})).data)
    assert "json" not in message.message.data.fields


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)


@given(arguments=st.dictionaries(st.text(max_size=9), JSON, max_size=4))
def test_arguments_come_as_they_were_sent(arguments: dict[str, Any]) -> None:
    message = form.decode(DATA, part(10, part(1, "go") + part(2, struct_of(arguments))))
    assert isinstance(message, CommandMessage)
    assert message.arguments == arguments


@given(sent=JSON)
def test_whatever_a_model_sends_can_be_read(sent: Any) -> None:
    message = reactor_wire.new("DataServerMessage")
    message.ParseFromString(form.application(json.dumps(sent)).data)
    assert message.WhichOneof("payload") == "message"


# --- the schema ---


@pytest.mark.usefixtures("process_put_back")
def test_the_published_schema_says_the_same(tmp_path: Path) -> None:
    """`protoc` reads the .proto file; what it finds must be what the classes are made from."""
    from google.protobuf import descriptor_pb2
    from grpc_tools import protoc

    folder = Path(reactor_wire.__file__).parent
    include = Path(protoc.__file__).parent / "_proto"
    out = tmp_path / "wire.bin"
    arguments = [f"-I{folder}", f"-I{include}", f"--descriptor_set_out={out}", "reactor_wire.proto"]
    assert protoc.main(["protoc", *arguments]) == 0
    compiled = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file[0]
    for message in compiled.message_type:
        for field in message.field:
            field.ClearField("json_name")
        for entry in message.nested_type:
            for field in entry.field:
                field.ClearField("json_name")
    ours = reactor_wire.describe()
    assert {m.name: m for m in compiled.message_type} == {m.name: m for m in ours.message_type}
    assert (list(compiled.enum_type), compiled.package) == (list(ours.enum_type), ours.package)


def test_the_library_is_loaded_when_a_client_needs_it_and_not_before() -> None:
    code = (
        "import sys, reactor_runtime.protocol.protobuf, reactor_runtime.runtimes.http.server\n"
        "assert not [name for name in sys.modules if name.startswith('google.protobuf')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
