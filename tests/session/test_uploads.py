from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import pytest

from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.session.uploads import (
    MIB,
    NAME_LIMIT,
    TOTAL_FACTOR,
    UPLOADS_LIMIT,
    Uploads,
    display_name,
)


def keep(uploads: Uploads, data: bytes, name: str = "a.bin") -> str:
    upload = uploads.announce(name, len(data), "text/plain")
    incoming = uploads.open(upload.id)
    incoming.write(data)
    incoming.finish()
    return upload.id


def path_of(uploads: Uploads, upload_id: str) -> Path:
    file = uploads.find(upload_id)
    assert file is not None
    return file.path


def refusal(action: object, *arguments: object) -> tuple[Refusal, str]:
    assert callable(action)
    with pytest.raises(RefusedError) as caught:
        action(*arguments)
    return caught.value.kind, caught.value.code


@pytest.fixture
def uploads():
    uploads = Uploads(1)
    yield uploads
    uploads.close()


def test_a_file_that_has_arrived_is_found(uploads: Uploads) -> None:
    file = uploads.find(keep(uploads, b"abc"))

    assert file is not None
    assert (file.name, file.mime_type, file.size, file.read_bytes()) == ("a.bin", "text/plain", 3, b"abc")
    assert repr(file) == "<UploadedFile 'a.bin', text/plain, 3 bytes>"
    assert file.path.parent.stat().st_mode & 0o77 == 0


def test_what_has_not_arrived_is_not_found(uploads: Uploads) -> None:
    upload = uploads.announce("a", 3, "")
    assert uploads.find(upload.id) is None
    incoming = uploads.open(upload.id)
    incoming.write(b"abc")
    assert uploads.find(upload.id) is None
    incoming.finish()
    assert uploads.find(upload.id) is not None
    assert uploads.find("nothing") is None


@pytest.mark.parametrize("data", [b"", b"ab", b"abcd"])
def test_the_length_must_be_true_and_the_client_may_try_again(uploads: Uploads, data: bytes) -> None:
    upload = uploads.announce("a", 3, "")
    incoming = uploads.open(upload.id)

    def send() -> None:
        incoming.write(data)
        incoming.finish()

    assert refusal(send) == (Refusal.INVALID, "wrong_length")
    incoming.abort()
    assert list(Path(incoming._path).parent.iterdir()) == []
    again = uploads.open(upload.id)
    again.write(b"abc")
    again.finish()
    assert path_of(uploads, upload.id).read_bytes() == b"abc"


def test_a_file_is_sent_once_and_by_one_request(uploads: Uploads) -> None:
    upload = uploads.announce("a", 3, "")
    incoming = uploads.open(upload.id)
    assert refusal(uploads.open, upload.id) == (Refusal.CONFLICT, "upload_taken")
    incoming.write(b"abc")
    incoming.finish()
    assert refusal(uploads.open, upload.id) == (Refusal.CONFLICT, "upload_taken")
    assert refusal(uploads.open, "nothing") == (Refusal.NOT_FOUND, "unknown_upload")


def test_file_limit(uploads: Uploads) -> None:
    assert uploads.announce("a", MIB, "").size == MIB
    assert refusal(uploads.announce, "a", MIB + 1, "") == (Refusal.TOO_LARGE, "upload_too_large")
    assert refusal(Uploads(0).announce, "a", 1, "") == (Refusal.TOO_LARGE, "upload_too_large")


def test_session_limit(uploads: Uploads) -> None:
    kept = [keep(uploads, b"x" * MIB) for _ in range(TOTAL_FACTOR)]

    assert refusal(uploads.announce, "a", 1, "") == (Refusal.TOO_LARGE, "uploads_full")
    assert all(uploads.find(each) for each in kept)


def test_files_limit(uploads: Uploads) -> None:
    for _ in range(UPLOADS_LIMIT):
        keep(uploads, b"x")
    assert refusal(uploads.announce, "a", 1, "") == (Refusal.TOO_LARGE, "uploads_full")


def test_what_was_announced_and_never_came_makes_room(uploads: Uploads) -> None:
    kept = keep(uploads, b"abc")
    announced = [uploads.announce("a", 1, "") for _ in range(UPLOADS_LIMIT)]

    assert refusal(uploads.open, announced[0].id) == (Refusal.NOT_FOUND, "unknown_upload")
    uploads.open(announced[1].id).abort()
    assert uploads.find(kept) is not None


def test_at_the_end_of_the_session_nothing_is_left() -> None:
    uploads = Uploads(1)
    file = uploads.find(keep(uploads, b"abc"))
    assert file is not None
    folder = file.path.parent
    late = uploads.open(uploads.announce("b", 3, "").id)
    uploads.close()
    uploads.close()

    assert not folder.exists()
    with pytest.raises(FileNotFoundError):
        file.read_bytes()
    assert refusal(late.write, b"abc") == (Refusal.CONFLICT, "session_ended")
    late.abort()
    assert refusal(uploads.announce, "c", 3, "") == (Refusal.CONFLICT, "session_ended")
    assert not folder.exists()


def test_a_file_that_arrives_as_the_session_ends_is_no_file() -> None:
    uploads = Uploads(1)
    incoming = uploads.open(uploads.announce("b", 3, "").id)
    incoming.write(b"abc")
    uploads.close()

    assert refusal(incoming.finish) == (Refusal.CONFLICT, "session_ended")


def test_sessions_share_nothing(uploads: Uploads) -> None:
    other = Uploads(1)
    kept = keep(other, b"abc")

    assert uploads.find(kept) is None
    assert refusal(uploads.open, kept) == (Refusal.NOT_FOUND, "unknown_upload")
    other.close()


def test_of_many_requests_one_sends_the_file(uploads: Uploads) -> None:
    upload = uploads.announce("a", 3, "")
    opened: list[object] = []

    def try_it() -> None:
        with contextlib.suppress(RefusedError):
            opened.append(uploads.open(upload.id))

    threads = [threading.Thread(target=try_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    [incoming] = opened
    incoming.abort()  # type: ignore[attr-defined] # an Incoming


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\photo.jpg", "photo.jpg"),
        ("/", "upload"),
        ("..", "upload"),
        (".", "upload"),
        ("", "upload"),
        ("a\x00b\n.png", "ab.png"),
        ("\u202egnp.exe", "gnp.exe"),
        ("grüße 🚗.txt", "grüße 🚗.txt"),
        ("x" * 300, "x" * NAME_LIMIT),
        ("dir/", "dir"),
    ],
)
def test_a_name_is_one_component(given: str, shown: str) -> None:
    assert display_name(given) == shown
    assert Path(display_name(given)).name == display_name(given)
