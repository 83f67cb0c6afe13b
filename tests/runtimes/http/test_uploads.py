"""Files of clients: announced, sent and given to a command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from reactor_runtime import UploadedFile, VideoModel, command, get_ctx, model
from reactor_runtime.errors import CommandError
from reactor_runtime.protocol import reactor_wire
from reactor_runtime.runtimes.door.bodies import BODY_LIMIT, UPLOAD_BYTES_PER_S
from reactor_runtime.runtimes.http import HttpOptions
from reactor_runtime.runtimes.http import uploads as uploads_module
from reactor_runtime.session.states import State
from reactor_runtime.testing import LeapingClock, MemoryServer, serve

PATH = "/sessions/local/uploads"


@model("album")
class Album(VideoModel):
    """Looks at what it is given."""

    paths: list[Path] = []  # noqa: RUF012 - it shall outlive the session, for the test

    def start_session(self) -> None:
        while not get_ctx().wait_stop(1):
            pass

    @command("look")
    def look(self, picture: UploadedFile, note: str = "") -> dict[str, Any]:
        self.paths.append(picture.path)
        return {
            "name": picture.name,
            "type": picture.mime_type,
            "size": picture.size,
            "text": picture.read_bytes().decode(),
            "note": note,
        }

    @command("look_at_all")
    def look_at_all(self, pictures: list[UploadedFile], cover: UploadedFile | None = None) -> list[str]:
        return [each.read_bytes().decode() for each in [*pictures, *([cover] if cover else [])]]

    @command("leak")
    def leak(self, picture: UploadedFile) -> UploadedFile:
        return picture


async def announced(server: MemoryServer, size: int) -> str:
    response = await server.http.post(PATH, json={"name": "a", "size": size, "mime_type": "text/plain"})
    assert response.status_code == 201, response.text
    return str(response.json()["presigned_id"])


def told(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


async def test_a_command_gets_the_file_it_names() -> None:
    async with serve(Album) as server:
        client = await server.join()
        reference = await client.upload(b"hello", "../a/photo.txt", "text/plain")
        client.send({"scope": "runtime", "data": {"type": "fileUploaded", "data": reference}})
        answer = await client.command("look", picture=reference, note="n")

        assert answer == {
            "name": "photo.txt",
            "type": "text/plain",
            "size": 5,
            "text": "hello",
            "note": "n",
        }
        assert client.runtime_messages("commandError") == []


async def test_references_beside_the_arguments_as_sdks_send_them() -> None:
    async with serve(Album) as server:
        client = await server.join()
        reference = await client.upload(b"hello")
        message = {"type": "look", "data": {"note": "n"}, "uploads": {"picture": reference}, "id": "1"}
        client.send({"scope": "application", "data": message})
        await client.until(lambda: client.outcome("1") is not None)

        outcome = client.outcome("1") or {}
        assert (outcome["result"]["text"], outcome["result"]["note"]) == ("hello", "n")


async def test_in_binary() -> None:
    async with serve(Album) as server:
        client = await server.join()
        reference = await client.upload(b"hello", "a.txt", "text/plain")
        client.leave()
        again = server.client(channels=("control", "data"))
        signalling = "/sessions/local/transport/webrtc/connections"
        number = (await server.http.post(signalling)).json()["connection_id"]
        await server.http.post(f"{signalling}/{number}/sdp_params", json=await again.offer())
        answer = (await server.http.get(f"{signalling}/{number}/sdp_params")).json()["sdp_answer"]
        again.wire.connect(answer)
        message = reactor_wire.new("DataClientMessage")
        message.request_id, message.kind, message.command.type = "data_1", reactor_wire.REQUEST, "look"
        for name, value in reference.items():
            setattr(message.command.uploads["picture"], name, value)
        again.wire.send(message.SerializeToString())
        await again.until(lambda: bool(again.wire.messages))

        reply = reactor_wire.new("DataServerMessage")
        reply.ParseFromString(again.wire.messages[-1][1])
        assert (reply.request_id, reply.message.data["text"]) == ("data_1", "hello")


async def test_several_files_and_an_optional_one() -> None:
    async with serve(Album) as server:
        client = await server.join()
        one, two = await client.upload(b"one"), await client.upload(b"two")

        assert await client.command("look_at_all", pictures=[one, two]) == ["one", "two"]
        assert await client.command("look_at_all", pictures=[one], cover=two) == ["one", "two"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"upload_id": "nothing"}, "no such file"),
        ({"upload_id": "../../etc/passwd"}, "no such file"),
        ({"upload_id": 5}, "needs a file"),
        ({}, "needs a file"),
        ("text", "needs a file"),
        (None, "needs a file"),
    ],
)
async def test_what_is_no_file_of_the_session(given: Any, reason: str) -> None:
    async with serve(Album) as server:
        client = await server.join()
        with pytest.raises(CommandError, match=reason) as caught:
            await client.command("look", picture=given)

        assert (caught.value.code, caught.value.field) == ("invalid_command", "picture")


async def test_what_a_client_says_about_a_file_in_a_command_is_not_believed() -> None:
    async with serve(Album) as server:
        client = await server.join()
        reference = await client.upload(b"hello", "a.txt", "text/plain")
        given = {"upload_id": reference["upload_id"], "name": "/etc/passwd", "path": "/etc/passwd"}

        assert (await client.command("look", picture=given))["name"] == "a.txt"


async def test_a_file_never_tells_where_it_lies() -> None:
    async with serve(Album) as server:
        client = await server.join()
        with pytest.raises(CommandError) as caught:
            await client.command("leak", picture=await client.upload(b"hello"))

        assert caught.value.code == "internal_error"


async def test_the_next_session_finds_nothing_of_the_last_one() -> None:
    Album.paths.clear()
    async with serve(Album) as server:
        client = await server.join()
        reference = await client.upload(b"hello")
        pending = await announced(server, 3)
        await client.command("look", picture=reference)
        await client.stop()
        assert not Album.paths[0].parent.exists()
        assert told(await server.http.put(f"/uploads/{pending}", content=b"abc")) == (404, "unknown_upload")

        other = await server.join()
        with pytest.raises(CommandError, match="no such file"):
            await other.command("look", picture=reference)
        assert told(await server.http.put(f"/uploads/{pending}", content=b"abc")) == (404, "unknown_upload")


async def test_files_survive_a_reconnect() -> None:
    async with serve(Album) as server:
        client = await server.join()
        reference = await client.upload(b"hello")
        client.leave()
        await server.wait_state(State.ORPHANED)
        again = server.client()
        await again.connect("PUT")

        assert (await again.command("look", picture=reference))["text"] == "hello"


async def test_a_viewer_makes_the_model_see_nothing() -> None:
    async with serve(Album) as server:
        await server.join()
        viewer = server.client()
        await viewer.connect()
        with pytest.raises(CommandError) as caught:
            await viewer.command("look", picture=await viewer.upload(b"hello"))

        assert caught.value.code == "not_controller"


# --- refusals over HTTP ---


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "a", "size": 0, "mime_type": "x"}, 422),
        ({"name": "a", "size": -1, "mime_type": "x"}, 422),
        ({"name": "a", "mime_type": "x"}, 422),
        ({"name": "a", "size": "many", "mime_type": "x"}, 422),
        ({"name": "a", "size": 2**20 + 1, "mime_type": "x"}, 413),
        ({"name": "a", "size": 2**20}, 201),
        ({"name": "x" * 2000, "size": 1}, 422),
    ],
)
async def test_what_can_be_announced(body: dict[str, Any], status: int) -> None:
    async with serve(Album, options=HttpOptions(max_upload=1)) as server:
        await server.join()
        response = await server.http.post(PATH, json=body)

        assert response.status_code == status, response.text


async def test_without_a_session_nothing_is_taken() -> None:
    async with serve(Album) as server:
        body = {"name": "a", "size": 1, "mime_type": "x"}
        assert told(await server.http.post(PATH, json=body)) == (400, "no_session")
        assert told(await server.http.put("/uploads/abc", content=b"x")) == (404, "unknown_upload")
        await server.join()
        other = await server.http.post("/sessions/another/uploads", json=body)
        assert told(other) == (404, "unknown_session")


@pytest.mark.parametrize("data", [b"ab", b"abcd", b""])
async def test_the_length_must_be_what_was_announced(data: bytes) -> None:
    async with serve(Album) as server:
        await server.join()
        upload_id = await announced(server, 3)
        assert told(await server.http.put(f"/uploads/{upload_id}", content=data)) == (400, "wrong_length")
        assert (await server.http.put(f"/uploads/{upload_id}", content=b"abc")).status_code == 200
        assert told(await server.http.put(f"/uploads/{upload_id}", content=b"abc")) == (409, "upload_taken")


async def test_upload_limit() -> None:
    """Larger than any other body, in pieces, and not one byte more than was allowed."""
    async with serve(Album, options=HttpOptions(max_upload=12)) as server:
        client = await server.join()
        size = 12 * 2**20
        assert size > BODY_LIMIT

        async def body(length: int) -> AsyncIterator[bytes]:
            for _ in range(length // 65536):
                yield b"x" * 65536
            yield b"x" * (length % 65536)

        upload_id = await announced(server, size)
        late = await server.http.put(f"/uploads/{upload_id}", content=body(size + 1))
        assert told(late) == (413, "body_too_large")
        early = await server.http.put(
            f"/uploads/{upload_id}", content=b"", headers={"content-length": str(size + 1)}
        )
        assert told(early) == (413, "body_too_large")
        done = await server.http.put(f"/uploads/{upload_id}", content=body(size))
        assert (done.status_code, done.json()["size"]) == (200, size)
        answer = await client.command("look_at_all", pictures=[], cover=None)
        assert answer == []


async def test_no_other_path_takes_more() -> None:
    async with serve(Album) as server:
        large = b"x" * (BODY_LIMIT + 1)
        assert told(await server.http.post("/uploads/abc", content=large)) == (413, "body_too_large")
        assert told(await server.http.put("/uploadsabc", content=large)) == (413, "body_too_large")


async def test_a_body_that_stalls_is_given_up() -> None:
    clock, refused = LeapingClock(), asyncio.Event()
    async with serve(Album, clock=clock) as server:
        await server.join()
        # Large enough that its own deadline is later.
        size = 64 * UPLOAD_BYTES_PER_S
        upload_id = await announced(server, size)

        async def body() -> AsyncIterator[bytes]:
            yield bytes(size // 2)
            clock.advance(uploads_module.STALLED_S)
            await refused.wait()

        response = await server.http.put(f"/uploads/{upload_id}", content=body())
        refused.set()
        assert told(response) == (408, "upload_stalled")
        assert (await server.http.put(f"/uploads/{upload_id}", content=bytes(size))).status_code == 200


async def test_the_session_ends_while_a_file_arrives() -> None:
    async with serve(Album) as server:
        client = await server.join()
        upload_id = await announced(server, 3)
        began, over = asyncio.Event(), asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            yield b"a"
            began.set()
            await over.wait()
            yield b"bc"

        sending = asyncio.ensure_future(server.http.put(f"/uploads/{upload_id}", content=body()))
        await began.wait()
        await client.stop()
        over.set()

        assert told(await sending) == (409, "session_ended")


async def test_a_disk_that_is_full_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve(Album) as server:
        await server.join()
        upload_id = await announced(server, 3)

        def full(*_: object, **__: object) -> str:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("tempfile.mkdtemp", full)
        response = await server.http.put(f"/uploads/{upload_id}", content=b"abc")
        assert told(response) == (503, "upload_not_kept")


async def test_the_guard_stands_in_front() -> None:
    async with serve(Album, options=HttpOptions(token="t0ken")) as server:
        body = {"name": "a", "size": 1, "mime_type": "x"}
        for method, path in (("POST", PATH), ("PUT", "/uploads/abc")):
            plain = await server.http.request(method, path, json=body)
            assert told(plain) == (401, "token_required")
            headers = {"authorization": "Bearer t0ken", "origin": "https://elsewhere.example"}
            foreign = await server.http.request(method, path, json=body, headers=headers)
            assert told(foreign) == (403, "origin_not_allowed")
            headers = {"authorization": "Bearer t0ken", "host": "rebound.example"}
            rebound = await server.http.request(method, path, json=body, headers=headers)
            assert told(rebound) == (421, "wrong_host")


async def test_the_address_is_the_one_the_client_uses() -> None:
    async with serve(Album) as server:
        await server.join()
        body = {"name": "a", "size": 1, "mime_type": "x"}
        told_ = (await server.http.post(PATH, json=body, headers={"host": "127.0.0.1:9000"})).json()

        assert told_["presigned_url"] == f"http://127.0.0.1:9000/uploads/{told_['presigned_id']}"
        assert told_["path"] == f"/uploads/{told_['presigned_id']}"


async def test_the_schema_names_the_reference() -> None:
    async with serve(Album) as server:
        document = (await server.http.get("/schema")).json()
        commands = (await server.http.get("/session")).json()["capabilities"]["commands"]

    validate(document, cls=OpenAPIV31SpecValidator)
    reference = "#/components/schemas/ReactorUploadReference"
    look = document["paths"]["/events/look"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert look["properties"]["picture"] == {"$ref": reference}
    every = document["paths"]["/events/look_at_all"]["post"]["requestBody"]["content"]["application/json"]
    assert every["schema"]["properties"]["pictures"]["items"] == {"$ref": reference}
    assert document["components"]["schemas"]["ReactorUploadReference"]["required"] == ["upload_id"]
    flat = next(c for c in commands if c["name"] == "look")["schema"]["picture"]
    assert (flat["type"], flat["format"]) == ("object", "reactor-upload")
