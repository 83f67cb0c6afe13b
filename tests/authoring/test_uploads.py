from __future__ import annotations

from pathlib import Path

import pytest

from reactor_runtime import UploadedFile, VideoModel, command
from reactor_runtime.authoring.command import commands_of
from reactor_runtime.errors import InvalidCommandError, ModelDefinitionError

from .fakes import FakeSession, running

PHOTO = UploadedFile("photo.png", "image/png", 3, Path("/nowhere"))


class Taking(VideoModel):
    @command("take")
    def take(self, photo: UploadedFile, mask: UploadedFile | None = None) -> None: ...


def test_a_reference_becomes_the_file() -> None:
    session = FakeSession(Taking)
    session.uploads["1"] = PHOTO
    with running(session):
        got = commands_of(Taking)["take"].validate({"photo": {"upload_id": "1", "size": 99}})

    assert got == {"photo": PHOTO, "mask": None}


def test_outside_a_session_there_is_no_file() -> None:
    with pytest.raises(InvalidCommandError, match="no such file") as caught:
        commands_of(Taking)["take"].validate({"photo": {"upload_id": "1"}})

    assert caught.value.field == "photo"


def test_the_schema_is_inlined_and_says_that_it_is_a_file() -> None:
    spec = commands_of(Taking)["take"]
    photo, mask = spec.flat_schema()["photo"], spec.flat_schema()["mask"]

    assert (photo["type"], photo["format"], photo["required"]) == ("object", "reactor-upload", True)
    assert set(photo["properties"]) == {"upload_id", "name", "mime_type", "size"}
    assert [part.get("format", part["type"]) for part in mask["anyOf"]] == ["reactor-upload", "null"]
    assert "$ref" not in str(spec.json_schema())


def test_a_file_is_no_default() -> None:
    with pytest.raises(ModelDefinitionError, match="default"):

        class Wrong(VideoModel):
            @command("take")
            def take(self, photo: UploadedFile = PHOTO) -> None: ...
