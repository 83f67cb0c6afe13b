"""Archives that anybody may have made."""

from __future__ import annotations

import contextlib
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.project.weights.conftest import Get, noise
from tests.project.weights.places import Site

from reactor_runtime.errors import WeightsError
from reactor_runtime.project.weights import archive

FILES = {"config.json": b"{}", "deep/er/model.bin": noise(3_000_000), "empty": b""}


def tar(
    files: dict[str, bytes], mode: str = "w:gz", change: Callable[[tarfile.TarInfo], None] | None = None
) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as packed:  # type: ignore[call-overload]
        for name, body in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            if change is not None:
                change(info)
            packed.addfile(info, io.BytesIO(body))
    return out.getvalue()


def packed_zip(files: dict[str, bytes], mode: int = 0) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, body in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            packed.writestr(info, body, zipfile.ZIP_DEFLATED)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("w.tar", tar(FILES, "w:")),
        ("w.tar.gz", tar(FILES)),
        ("w.tgz", tar({f"./{name}": body for name, body in FILES.items()})),
        ("w.tar.bz2", tar(FILES, "w:bz2")),
        ("w.tar.xz", tar(FILES, "w:xz")),
        ("W.ZIP", packed_zip(FILES)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_archive_becomes_its_folder(site: Site, get: Get, root: Path, name: str, body: bytes) -> None:
    site.files[f"/{name}"] = body
    outcome = get(f"{site.base}/{name}")
    assert {path: (root / "vae" / path).read_bytes() for path in FILES} == FILES
    assert set(outcome.manifest.files) == set(FILES)
    assert not get(f"{site.base}/{name}").fetched


def link(kind: bytes, target: str) -> Callable[[tarfile.TarInfo], None]:
    def change(info: tarfile.TarInfo) -> None:
        info.type, info.linkname, info.size = kind, target, 0

    return change


EVIL = [
    ("w.tar.gz", tar({"../out": b"x"})),
    ("w.tar.gz", tar({"/etc/out": b"x"})),
    ("w.tar.gz", tar({"a/../../out": b"x"})),
    ("w.tar.gz", tar({"a": b"", "b": b"x"}, change=link(tarfile.SYMTYPE, "/etc"))),
    ("w.tar.gz", tar({"a": b""}, change=link(tarfile.LNKTYPE, "/etc/passwd"))),
    ("w.tar.gz", tar({"a": b""}, change=link(tarfile.CHRTYPE, ""))),
    ("w.tar.gz", tar({"a": b""}, change=link(tarfile.FIFOTYPE, ""))),
    ("w.tar.gz", tar({"a": b"x", "a/b": b"y"})),
    ("w.tar.gz", tar({"a": b"x", "./a": b"y"})),
    ("w.tar.gz", tar({".reactor-manifest.json": b"{}"})),
    ("w.tar.gz", tar({"x.partial": b"{}"})),
    ("w.tar.gz", tar({"zeros": bytes(200_000_000)}, "w:gz")),
    ("w.zip", packed_zip({"../out": b"x"})),
    ("w.zip", packed_zip({"/etc/out": b"x"})),
    ("w.zip", packed_zip({"c:\\out": b"x"})),
    ("w.zip", packed_zip({"a": b"/etc"}, stat.S_IFLNK | 0o777)),
    ("w.zip", packed_zip({"zeros": bytes(200_000_000)})),
    ("w.zip", packed_zip({})),
    ("w.tar.gz", tar({})),
    ("w.tar.gz", b""),
    ("w.zip", b"PK\3\4 and nothing"),
    ("w.tar.xz", b"no"),
    ("w.tar.bz2", b"no"),
]


@pytest.mark.parametrize(
    ("name", "body"), EVIL, ids=[f"{number}-{name}" for number, (name, _) in enumerate(EVIL)]
)
def test_what_is_not_to_be_trusted_leaves_nothing(
    site: Site, get: Get, root: Path, tmp_path: Path, name: str, body: bytes
) -> None:
    site.files[f"/{name}"] = body
    with pytest.raises(WeightsError) as caught:
        get(f"{site.base}/{name}")
    assert name in caught.value.message
    assert not (root / "vae").exists()
    assert not list(tmp_path.rglob("out"))


def test_a_header_that_wants_all_the_memory(site: Site, get: Get) -> None:
    """A pax header says itself how long it is; a gigabyte of it packs into a megabyte."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 2**30
    site.files["/w.tar.gz"] = gzipped(info.tobuf() + bytes(64 * 2**20))
    with pytest.raises(WeightsError, match=r"w\.tar\.gz is damaged"):
        get(f"{site.base}/w.tar.gz")


def gzipped(data: bytes) -> bytes:
    import gzip

    return gzip.compress(data, 1)


GOOD = [tar({"a": noise(2_000), "b/c": noise(10)}), packed_zip({"a": noise(2_000), "b/c": noise(10)})]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    which=st.integers(0, 1),
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=8),
    cut=st.integers(0, 10_000),
)
def test_damaged_bytes_are_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, which: int, changes: list[tuple[int, int]], cut: int
) -> None:
    body = bytearray(GOOD[which])
    for at, value in changes:
        body[at % len(body)] = value
    folder = tmp_path_factory.mktemp("damaged")
    name = ("w.tar.gz", "w.zip")[which]
    (folder / name).write_bytes(body[: len(body) - cut % 50])
    (folder / "tree").mkdir()
    with contextlib.suppress(WeightsError):  # nothing else is ever raised
        archive.unpack(folder / name, name, folder / "tree", name)
    assert {path.name for path in folder.iterdir()} == {name, "tree"}
