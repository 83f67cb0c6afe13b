"""Weights behind one address: a file, an archive, or the manifest of a folder."""

from __future__ import annotations

import base64
from collections.abc import Generator
from dataclasses import replace
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from reactor_runtime.errors import WeightsError

from .archive import is_archive
from .connection import identity_of, opened, read_range, total_of
from .manifest import MAX_BYTES, Manifest, parse_manifest
from .masking import masked
from .names import REMOTE_MANIFEST, safe_path
from .remote import CHUNK, Listing, Piece, RemoteFile, TransientError, digest_of
from .source import Source

NAMELESS = "weights"
"""What a file is called whose address names none."""


class Web:
    def __init__(self, source: Source) -> None:
        self._url, self._headers = _without_password(source.text)
        last = PurePosixPath(unquote(urlsplit(self._url).path)).name
        self._name = safe_path(last or NAMELESS, masked(self._url))

    def listing(self) -> Listing:
        if self._name == REMOTE_MANIFEST:
            return self._of_manifest()
        file = self._probed(RemoteFile(self._name, None, "", self._url))
        return Listing(_revision(file), (file,), archive=is_archive(self._name))

    def read(self, file: RemoteFile, start: int, end: int | None) -> Generator[Piece]:
        return read_range(file.address, self._headers, file, start, end)

    def _probed(self, file: RemoteFile) -> RemoteFile:
        if file.size == 0:
            return file
        try:
            return self._asked(file, {"Range": "bytes=0-0"})
        except WeightsError as error:
            if isinstance(error, TransientError):
                raise
            return self._asked(file, {})  # an empty file has no first byte, and some servers know no ranges

    def _asked(self, file: RemoteFile, headers: dict[str, str]) -> RemoteFile:
        with opened(file.address, {**self._headers, **headers}) as response:
            size, ranged = total_of(response)
            identity = identity_of(response)
            if size is None and response.status == 200 and not response.chunked:
                raise WeightsError(
                    f"{masked(file.address)} does not say how large it is, so nobody could tell when it is "
                    "whole; name a server that sends Content-Length."
                )
        return replace(file, size=size, identity=identity, ranged=ranged and bool(identity))

    def _of_manifest(self) -> Listing:
        manifest = self._manifest()
        base = urlsplit(self._url)
        files = []
        for path, entry in manifest.files.items():
            address = urlunsplit(urlsplit(urljoin(self._url, "./" + quote(path)))._replace(query=base.query))
            files.append(RemoteFile(path, entry.size, entry.sha256, address, sha256=entry.sha256))
        largest = max(files, key=lambda each: each.size or 0)
        ranged = self._probed(largest).ranged if largest.size else True
        listed = tuple(replace(each, ranged=ranged) for each in files)
        return Listing(manifest.revision or digest_of(listed), listed)

    def _manifest(self) -> Manifest:
        data = bytearray()
        with opened(self._url, self._headers) as response:
            while piece := response.read1(CHUNK):
                data += piece
                if len(data) > MAX_BYTES:
                    break
        manifest = parse_manifest(bytes(data), masked(self._url))
        if not manifest.complete:
            raise unfinished(masked(self._url))
        return manifest


def unfinished(where: str) -> WeightsError:
    return WeightsError(
        f"{where} belongs to an upload that has not finished; wait for it, or run the same `reactor "
        f"upload` again."
    )


def _revision(file: RemoteFile) -> str:
    return file.identity.removeprefix("W/").strip('"') or digest_of([file])


def _without_password(url: str) -> tuple[str, dict[str, str]]:
    """The address as it is asked for, and the header that says what was before its ``@``."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    bare = urlunsplit((parts.scheme, host, quote(parts.path, safe="/%:@!$&'()*+,;=~-._"), parts.query, ""))
    if not at:
        return bare, {}
    name, _, password = user.partition(":")
    both = f"{unquote(name)}:{unquote(password)}".encode()
    return bare, {"Authorization": f"Basic {base64.b64encode(both).decode()}"}
