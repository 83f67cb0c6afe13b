"""Literal JSON, as it stands in the contract with clients."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reactor_runtime.errors import (
    CommandError,
    InternalCommandError,
    InvalidCommandError,
    RateLimitedError,
    UnknownCommandError,
)
from reactor_runtime.protocol import messages
from reactor_runtime.protocol.jsonable import MESSAGE_LIMIT, to_json
from reactor_runtime.protocol.message_format import (
    CONTROL,
    DATA,
    JsonFormat,
    Outgoing,
    TrackMessage,
    V16Format,
)
from reactor_runtime.protocol.messages import (
    CLIENT_MESSAGE_LIMIT,
    ID_LIMIT,
    NAME_LIMIT,
    CommandMessage,
    RuntimeMessage,
    UndecodableError,
    parse_client_message,
)

CHANNEL_LIMIT = 256 * 1024


# --- client to server ---


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            '{"scope":"application","data":{"type":"set_prompt","data":{"prompt":"rain"},"id":"7"}}',
            CommandMessage("set_prompt", {"prompt": "rain"}, "7"),
        ),
        (
            '{"scope":"application","data":{"type":"go","data":{}}}',
            CommandMessage("go", {}, None),
        ),
        ('{"scope":"application","data":{"type":"go"}}', CommandMessage("go", None, None)),
        ('{"scope":"application","data":{"type":"go","id":12}}', CommandMessage("go", None, 12)),
        ('{"scope":"application","data":{"type":"go","id":""}}', CommandMessage("go", None, "")),
        # The oldest of v16 leave the scope out.
        ('{"type":"go","data":{"a":1}}', CommandMessage("go", {"a": 1}, None)),
        ('{"scope":"runtime","data":{"type":"ping","data":{}}}', RuntimeMessage("ping", {})),
        (
            '{"scope":"runtime","data":{"type":"requestCapabilities","data":{}}}',
            RuntimeMessage("requestCapabilities", {}),
        ),
        ('{"scope":"runtime","data":{"type":"requestSchema"}}', RuntimeMessage("requestSchema", None)),
    ],
)
def test_what_clients_say(text: str, wanted: Any) -> None:
    assert parse_client_message(text.encode()) == wanted


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"{", "not JSON"),
        (b"null", "not a JSON object"),
        (b"[]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b'{"type":"go","data":{"a":NaN}}', "not JSON"),
        (b'{"type":"go","data":{"a":-Infinity}}', "not JSON"),
        (b'{"type":"go","data":{"a":' + b"9" * 5000 + b"}}", "not JSON"),
        (b'{"type":"go","data":' + b"[" * 30000 + b"]" * 30000 + b"}", "nested too deeply"),
        (b"{}", '"type"'),
        (b'{"type":7}', '"type"'),
        (b'{"type":""}', '"type"'),
        (b'{"scope":"application"}', '"data"'),
        (b'{"scope":"runtime","data":[]}', '"data"'),
        (b'{"scope":"application","data":{"type":"go","id":1.5}}', '"id"'),
        (b'{"scope":"application","data":{"type":"go","id":true}}', '"id"'),
        (b'{"scope":"application","data":{"type":"go","id":{}}}', '"id"'),
        (b'{"scope":"application","data":{"type":"go","id":9007199254740993}}', '"id"'),
    ],
)
def test_what_is_no_message(payload: bytes, said: str) -> None:
    with pytest.raises(UndecodableError) as caught:
        parse_client_message(payload)

    assert said in caught.value.message
    assert caught.value.code == "invalid_message"


def test_files_are_arguments_like_the_others() -> None:
    message = {"type": "look", "data": {"note": 1}, "uploads": {"picture": {"upload_id": "x"}}}
    expected = CommandMessage("look", {"note": 1, "picture": {"upload_id": "x"}})
    assert messages.parse_client_message(json.dumps(message).encode()) == expected
    del message["data"]
    without = messages.parse_client_message(json.dumps(message).encode())
    assert without == CommandMessage("look", {"picture": {"upload_id": "x"}})


@pytest.mark.parametrize("uploads", ["x", [1], 5, True])
def test_files_that_are_no_object(uploads: Any) -> None:
    message = {"type": "look", "data": {}, "uploads": uploads}
    with pytest.raises(UndecodableError):
        messages.parse_client_message(json.dumps(message).encode())


def test_client_message_limit() -> None:
    filler = b'{"type":"go","data":"' + b"x" * (CLIENT_MESSAGE_LIMIT - 23) + b'"}'
    assert len(filler) == CLIENT_MESSAGE_LIMIT
    assert isinstance(parse_client_message(filler), CommandMessage)

    with pytest.raises(UndecodableError, match="65,537 bytes"):
        parse_client_message(filler + b" ")


def test_id_limit() -> None:
    def message(length: int) -> bytes:
        return json.dumps({"type": "go", "id": "x" * length}).encode()

    assert parse_client_message(message(ID_LIMIT)).id == "x" * ID_LIMIT
    with pytest.raises(UndecodableError):
        parse_client_message(message(ID_LIMIT + 1))


def test_name_limit() -> None:
    message = parse_client_message(json.dumps({"type": "x" * 1000}).encode())

    assert isinstance(message, CommandMessage)
    assert message.name == "x" * NAME_LIMIT


@given(st.binary(max_size=200))
@example(b'{"type":"\\ud800"}')
def test_random_bytes(payload: bytes) -> None:
    try:
        message = parse_client_message(payload)
    except UndecodableError:
        return
    assert isinstance(message, CommandMessage | RuntimeMessage)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
INNER = {"type": VALUES, "id": VALUES, "data": VALUES}
OBJECTS = st.fixed_dictionaries(
    {},
    optional=INNER
    | {
        "scope": st.sampled_from(["application", "runtime", "x", 1, None]),
        "data": VALUES | st.fixed_dictionaries({}, optional=INNER),
    },
)


@given(OBJECTS | VALUES, st.sampled_from([DATA, CONTROL, "other"]))
def test_random_json(value: Any, label: str) -> None:
    for form in (JsonFormat(), V16Format()):
        try:
            message = form.decode(label, json.dumps(value).encode())
        except UndecodableError:
            continue
        if isinstance(message, CommandMessage):
            # Whatever was understood can be answered.
            answer = form.command_error(message.id, message.name, UnknownCommandError("No."))
            assert answer is not None
            assert json.loads(answer.data)["data"]["data"]["command"] == message.name


# --- server to client ---


def test_what_the_model_says_is_the_inner_object_verbatim() -> None:
    text = messages.application(to_json({"type": "score", "data": {"value": 1}}))

    assert text == '{"scope":"application","data":{"type":"score","data":{"value":1}}}'


def test_command_result() -> None:
    assert messages.command_result("7", "add", 41, "3") == (
        '{"scope":"runtime","data":{"type":"commandResult",'
        '"data":{"id":"7","command":"add","ok":true,"result":3,"frame":41}}}'
    )


def test_command_result_without_a_result() -> None:
    assert messages.command_result(12, "go", 0, None) == (
        '{"scope":"runtime","data":{"type":"commandResult",'
        '"data":{"id":12,"command":"go","ok":true,"frame":0}}}'
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CommandError("too_fast", "Slow down."), "too_fast"),
        (UnknownCommandError("Slow down."), "unknown_command"),
        (RateLimitedError("Slow down."), "rate_limited"),
        (InternalCommandError("Slow down."), "internal_error"),
        (UndecodableError("Slow down."), "invalid_message"),
    ],
)
def test_command_error(error: CommandError, code: str) -> None:
    assert messages.command_error("7", "go", error) == (
        '{"scope":"runtime","data":{"type":"commandError",'
        f'"data":{{"id":"7","command":"go","code":"{code}","message":"Slow down."}}}}}}'
    )


def test_command_error_with_a_field() -> None:
    error = InvalidCommandError("No.", field="level")

    assert json.loads(messages.command_error(None, None, error)) == {
        "scope": "runtime",
        "data": {
            "type": "commandError",
            "data": {
                "id": None,
                "command": None,
                "code": "invalid_command",
                "message": "No.",
                "field": "level",
            },
        },
    }


@pytest.mark.parametrize(
    ("code", "message"), [(404, "Gone."), ("bad", ValueError("a value")), ("bad", None), ("\ud800", "\ud800")]
)
def test_an_authors_refusal_is_answered_whatever_it_holds(code: Any, message: Any) -> None:
    text = messages.command_error("1", "go", CommandError(code, message, field=5))  # type: ignore[arg-type]

    data = json.loads(text.encode("utf-8"))["data"]["data"]
    assert (data["code"], data["message"], data["field"]) == (str(code), str(message), "5")


def test_a_message_of_the_runtime() -> None:
    data = {"reason": "stopped", "message": "The client ended the session."}
    assert messages.runtime("sessionEnded", data) == (
        '{"scope":"runtime","data":{"type":"sessionEnded",'
        '"data":{"reason":"stopped","message":"The client ended the session."}}}'
    )


@pytest.mark.parametrize("letter", ["x", "ü", "日", "🚗", '"', "\n"])
def test_whatever_the_author_may_send_fits_through_the_channel(letter: str) -> None:
    size = len(to_json(letter).encode()) - 2
    text = to_json(letter * ((MESSAGE_LIMIT - 2) // size))
    assert len(text.encode()) > MESSAGE_LIMIT - 16

    answer = messages.command_result("🚗" * ID_LIMIT, "日" * NAME_LIMIT, 2**40, text)

    assert len(answer.encode()) <= CHANNEL_LIMIT
    assert len(messages.application(text).encode()) <= CHANNEL_LIMIT
    assert json.loads(answer)["data"]["data"]["result"] == json.loads(text)


# --- formats ---


def test_the_json_format_speaks_on_the_data_channel() -> None:
    form = JsonFormat()

    assert form.application("1") == Outgoing(DATA, b'{"scope":"application","data":1}')
    assert form.command_result(None, "go", 0, None) is None
    assert form.command_result(None, "go", 0, '{"a":1}') == form.application('{"a":1}')
    assert form.runtime("modelSchema", {"a": 1}) == Outgoing(
        DATA, b'{"scope":"runtime","data":{"type":"modelSchema","data":{"a":1}}}'
    )


def test_the_format_of_v16_is_valid_for_two_generations() -> None:
    assert V16Format().application('{"a":1}') == Outgoing(
        DATA, b'{"type":"application","scope":"application","data":{"a":1}}'
    )


def test_the_control_channel() -> None:
    form = JsonFormat()
    request = form.decode(
        CONTROL,
        b'{"type":"request","method":"publish_track","request_id":"ctrl_1","data":{"name":"webcam"}}',
    )
    notification = form.decode(
        CONTROL, b'{"type":"notification","event":"resume_track","data":{"name":"main_video"}}'
    )

    assert request == TrackMessage("publish_track", "webcam", "ctrl_1")
    assert notification == TrackMessage("resume_track", "main_video", None)
    assert form.track_response(request, None) == Outgoing(
        CONTROL, b'{"type":"response","method":"publish_track","request_id":"ctrl_1","data":{}}'
    )
    assert form.track_response(request, CommandError("PUBLISHER_SLOT_TAKEN", "Taken.")) == Outgoing(
        CONTROL,
        b'{"type":"response","method":"publish_track","request_id":"ctrl_1",'
        b'"error":{"code":"PUBLISHER_SLOT_TAKEN","message":"Taken."}}',
    )
    assert form.track_response(notification, None) is None
