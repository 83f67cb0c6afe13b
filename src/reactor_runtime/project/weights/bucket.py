"""Weights in a bucket of S3, Google Cloud Storage or Azure, by `obstore`."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

from reactor_runtime.errors import WeightsError
from reactor_runtime.project import environment

from .archive import is_archive
from .manifest import Manifest, parse_manifest
from .masking import scrubbed
from .names import REMOTE_MANIFEST, safe_path
from .remote import CHUNK, Listing, Piece, RemoteChangedError, RemoteFile, TransientError, digest_of
from .source import BUCKETS, Source
from .web import unfinished

INSTALL = "pip install 'reactor-runtime[s3]'"

TIMEOUT_S = 60
CONNECT_TIMEOUT_S = 5
RETRIES = 4
RETRY_TIMEOUT_S = 60

_ACCESS = {
    "s3": "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION (and AWS_ENDPOINT_URL where it is not "
    "Amazon's), or AWS_SKIP_SIGNATURE=true for a public bucket",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS, or GOOGLE_SKIP_SIGNATURE=true for a public bucket",
    "az": "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}

_NO_CREDENTIALS = ("credential", "169.254.", "/latest/api/token", "metadata.google", "missingaccount")
"""What the library says when it has looked for credentials everywhere, the cloud's own machines last."""


def open_store(source: Source) -> Any:
    """The bucket with endpoint and credentials of the environment. Raises `WeightsError`."""
    try:
        from obstore import store
    except ImportError:
        raise WeightsError(f"{source.shown} needs a library that is not installed: {INSTALL}.") from None
    classes: dict[str, Any] = {"s3": store.S3Store, "gs": store.GCSStore, "az": store.AzureStore}
    with translated(source):
        return classes[source.scheme](
            source.bucket[0],
            client_options={
                "timeout": timedelta(seconds=TIMEOUT_S),
                "connect_timeout": timedelta(seconds=CONNECT_TIMEOUT_S),
                "allow_http": _plain_endpoint(),
            },
            retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(seconds=RETRY_TIMEOUT_S)},
        )


class Bucket:
    def __init__(self, source: Source) -> None:
        self._source = source
        self.store = open_store(source)
        self._prefix = source.bucket[1]

    def listing(self) -> Listing:
        listed = {meta["path"]: meta for meta in self.objects()}
        manifest = self.manifest() if self.address(REMOTE_MANIFEST) in listed else None
        if manifest is not None:
            return self._of_manifest(manifest, listed)
        files = [
            self._file(self._relative(path), meta) for path, meta in listed.items() if self._counts(meta)
        ]
        if not files:
            return self._single()
        return Listing(digest_of(files), tuple(files))

    def read(self, file: RemoteFile, start: int, end: int | None) -> Generator[Piece]:
        import obstore

        options: Any = {"if_match": file.identity} if file.identity else {}
        if file.size:
            options["range"] = (start, file.size if end is None else end)
        wanted = 0 if not file.size else options["range"][1] - start
        with translated(self._source, file.path):
            result = obstore.get(self.store, file.address, options=options)
            now = result.meta["e_tag"]
            if file.identity and now and now != file.identity:
                raise RemoteChangedError(
                    f"{file.path} in {self._source.shown} has changed while it was fetched."
                )
            for piece in result.stream(min_chunk_size=CHUNK):
                wanted -= len(piece)
                yield bytes(piece) if not isinstance(piece, bytes) else piece
        if wanted > 0:
            raise TransientError(f"{self._source.shown} closed the connection before all had come.")

    def objects(self) -> Iterator[Any]:
        """What is under the prefix."""
        import obstore

        with translated(self._source):
            for page in obstore.list(self.store, prefix=self._prefix or None):
                yield from page

    def manifest(self) -> Manifest | None:
        """The one beside the files; None where there is none."""
        import obstore

        with translated(self._source):
            try:
                data = bytes(obstore.get(self.store, self.address(REMOTE_MANIFEST)).bytes())
            except FileNotFoundError:
                return None
        return parse_manifest(data, f"{self._source.shown}/{REMOTE_MANIFEST}")

    def address(self, path: str) -> str:
        return f"{self._prefix}/{path}" if self._prefix else path

    def _relative(self, path: str) -> str:
        return path.removeprefix(f"{self._prefix}/") if self._prefix else path

    def _counts(self, meta: Any) -> bool:
        """Not the empty objects that stand for folders, nor a neighbour whose name begins alike."""
        inside = not self._prefix or meta["path"].startswith(f"{self._prefix}/")
        return inside and not meta["path"].endswith("/")

    def _file(self, path: str, meta: Any) -> RemoteFile:
        identity = meta["e_tag"] or ""
        return RemoteFile(safe_path(path, self._source.shown), meta["size"], identity, meta["path"])

    def _single(self) -> Listing:
        """The source names one object, not a prefix."""
        import obstore

        name = PurePosixPath(self._prefix).name
        if not name:
            return Listing("", ())
        with translated(self._source):
            file = self._file(name, obstore.head(self.store, self._prefix))
        return Listing(digest_of([file]), (file,), archive=is_archive(name))

    def _of_manifest(self, manifest: Manifest, listed: dict[str, Any]) -> Listing:
        if not manifest.complete:
            raise unfinished(self._source.shown)
        files = []
        for path, entry in manifest.files.items():
            meta = listed.get(self.address(path))
            if meta is None or meta["size"] != entry.size:
                raise WeightsError(
                    f"{self._source.shown} holds no {path} of {entry.size} bytes, as its manifest "
                    f"says; run the "
                    "`reactor upload` that made it again."
                )
            files.append(replace(self._file(path, meta), sha256=entry.sha256))
        return Listing(manifest.revision or digest_of(files), tuple(files))


@contextlib.contextmanager
def translated(source: Source, path: str = "") -> Generator[None]:
    """Raises `WeightsError`, `TransientError` or `RemoteChangedError` for what `obstore` raises."""
    from obstore import exceptions

    what = f"{path} in {source.shown}" if path else source.shown
    try:
        yield
    except exceptions.PreconditionError:
        raise RemoteChangedError(f"{what} has changed while it was fetched.") from None
    except (exceptions.NotFoundError, FileNotFoundError):
        raise WeightsError(f"{what} is not there: look whether the source is written right.") from None
    except (exceptions.UnauthenticatedError, exceptions.PermissionDeniedError, PermissionError):
        raise WeightsError(f"{what} let nobody in: {_ACCESS[source.scheme]}.") from None
    except (exceptions.UnknownConfigurationKeyError, exceptions.InvalidPathError) as error:
        raise WeightsError(f"{what} cannot be used: {_first_line(error)}") from None
    except exceptions.BaseError as error:
        raise _generic(what, source, error) from None


def _generic(what: str, source: Source, error: Exception) -> WeightsError:
    said = str(error)
    if any(sign in said.lower() for sign in _NO_CREDENTIALS):
        return WeightsError(f"{what} cannot be asked without credentials: {_ACCESS[source.scheme]}.")
    return TransientError(f"{BUCKETS[source.scheme]} did not give {what}: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    text = scrubbed(str(error)).strip().partition("\n")[0]
    return text[:300] or type(error).__name__


def _plain_endpoint() -> bool:
    """Whether the environment names an endpoint without TLS; then that is meant."""
    names = (
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT",
        "AZURE_STORAGE_ENDPOINT",
        "GOOGLE_BASE_URL",
    )
    return any(environment.value(name).startswith("http://") for name in names)
