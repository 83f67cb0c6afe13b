"""HTTP for weights: one request for a range, checked to be of the file that was meant.

Python's own client: proxies and redirects are its work, and no extra is needed for a plain address.
"""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from typing import IO, Any
from urllib.parse import urlsplit

from reactor_runtime._version import __version__
from reactor_runtime.clock import WALL
from reactor_runtime.errors import WeightsError

from .masking import masked, scrubbed
from .remote import CHUNK, RemoteChangedError, RemoteFile, TransientError

TIMEOUT_S = 30.0
"""How long a connection may say nothing."""
LONGEST_RETRY_AFTER_S = 60.0
MAX_REDIRECTS = 8

_TRANSIENT = {408, 425, 429, 500, 502, 503, 504, 520, 522, 524}
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Never away from TLS, and what lets us in goes to nobody else."""

    max_redirections = MAX_REDIRECTS

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if new.scheme not in ("http", "https") or (old.scheme == "https" and new.scheme == "http"):
            raise WeightsError(
                f"{masked(req.full_url)} sends us to {masked(newurl)}, which is not safe; name the "
                f"place itself."
            )
        made = super().redirect_request(req, fp, code, msg, headers, newurl)
        if made is not None and (old.scheme, old.netloc) != (new.scheme, new.netloc):
            made.remove_header("Authorization")
        return made


_opener = urllib.request.build_opener(_Redirects)


@contextlib.contextmanager
def opened(url: str, headers: Mapping[str, str]) -> Generator[http.client.HTTPResponse]:
    """A response with a status of 2xx. Raises `WeightsError`, `TransientError` or `RemoteChangedError`."""
    sent = {"User-Agent": f"reactor-runtime/{__version__}", "Accept-Encoding": "identity", **headers}
    with translated(url):
        response = _opener.open(urllib.request.Request(url, headers=sent), timeout=TIMEOUT_S)
        with response:
            yield response


@contextlib.contextmanager
def translated(url: str) -> Generator[None]:
    try:
        yield
    except urllib.error.HTTPError as error:
        with error:
            raise _refused(url, error) from None
    except urllib.error.URLError as error:
        raise _unreachable(url, error.reason) from None
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(url, error) from None


def read_range(
    url: str, headers: Mapping[str, str], file: RemoteFile, start: int, end: int | None
) -> Generator[memoryview]:
    """Bytes of `file`; what changed since it was listed raises `RemoteChangedError`, never comes."""
    asked = dict(headers)
    ranged = file.ranged and end is not None
    if ranged and end is not None:
        asked["Range"] = f"bytes={start}-{end - 1}"
        if file.identity.startswith('"'):
            asked["If-Range"] = file.identity
    with opened(url, asked) as response:
        skip = _check(url, response, file, start, end) if ranged else 0
        _check_identity(url, response, file)
        wanted = None if end is None else end - start
        yield from _pieces(url, response, skip, wanted)


def _pieces(
    url: str, response: http.client.HTTPResponse, skip: int, wanted: int | None
) -> Generator[memoryview]:
    """Each is good until the next one: they share their memory."""
    buffer = memoryview(bytearray(CHUNK))
    left = wanted
    while left is None or left > 0:
        size = response.readinto(buffer if left is None or skip else buffer[:left])
        if not size:
            break
        dropped = min(skip, size)
        skip -= dropped
        piece = buffer[dropped:size][:left]
        if left is not None:
            left -= len(piece)
        if piece:
            yield piece
    else:
        return
    if left or response.length:
        raise TransientError(f"{masked(url)} closed the connection before all had come.")


def _check(
    url: str, response: http.client.HTTPResponse, file: RemoteFile, start: int, end: int | None
) -> int:
    """How many bytes to skip; raises `RemoteChangedError` where this is not the range of that file."""
    if response.status == 200:
        # The whole instead of a range: it has changed, or this server likes it so. A checksum will tell.
        if file.has_checksum:
            return start
        raise RemoteChangedError(f"{masked(url)} has changed while it was fetched.")
    found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if response.status != 206 or found is None or found[1] is None:
        raise WeightsError(f"{masked(url)} gave something else than the range that was asked for.")
    if found[3] != "*" and int(found[3]) != file.size:
        raise RemoteChangedError(f"{masked(url)} has changed while it was fetched.")
    if int(found[1]) != start or (end is not None and int(found[2]) != end - 1):
        raise WeightsError(f"{masked(url)} gave another range than the one that was asked for.")
    return 0


def _check_identity(url: str, response: http.client.HTTPResponse, file: RemoteFile) -> None:
    if file.identity and not file.has_checksum:
        now = identity_of(response)
        if now and now != file.identity:
            raise RemoteChangedError(f"{masked(url)} has changed while it was fetched.")


def identity_of(response: http.client.HTTPResponse) -> str:
    """The ETag; without one the time of the last change."""
    etag: str = response.headers.get("ETag", "").strip()
    modified: str = response.headers.get("Last-Modified", "").strip()
    return etag or (f"modified {modified}" if modified else "")


def total_of(response: http.client.HTTPResponse) -> tuple[int | None, bool]:
    """The size of the whole, and whether ranges can be asked for; of the answer to `bytes=0-0`."""
    if response.status == 206:
        found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if found is not None and found[3] != "*":
            return int(found[3]), True
        return None, False
    return response.length, False


def _refused(url: str, error: urllib.error.HTTPError) -> WeightsError:
    where = masked(url)
    if error.code in (412, 416):
        return RemoteChangedError(f"{where} has changed while it was fetched.")
    if error.code in _TRANSIENT:
        return TransientError(f"{where} answered {error.code}.", retry_after=_retry_after(error))
    if error.code in (401, 403):
        return WeightsError(
            f"{where} let nobody in ({error.code}): give an address that carries what opens it, or ask its "
            "owner."
        )
    if error.code in (404, 410):
        return WeightsError(f"{where} is not there ({error.code}): look whether the source is written right.")
    return WeightsError(f"{where} answered {error.code}: look whether the source is written right.")


def _retry_after(error: urllib.error.HTTPError) -> float:
    text = error.headers.get("Retry-After", "") if error.headers else ""
    if text.isdecimal():
        return min(float(text), LONGEST_RETRY_AFTER_S)
    try:
        return min(
            max(email.utils.parsedate_to_datetime(text).timestamp() - WALL.unix(), 0.0), LONGEST_RETRY_AFTER_S
        )
    except (ValueError, TypeError):
        return 0.0


def _unreachable(url: str, reason: Any) -> WeightsError:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return WeightsError(
            f"{masked(url)} shows a certificate that cannot be trusted ({reason.verify_message}); if it is "
            "your own, name its authority in SSL_CERT_FILE."
        )
    said = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return TransientError(f"{masked(url)} cannot be reached: {scrubbed(str(said))}.")
