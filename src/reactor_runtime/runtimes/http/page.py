"""The page at `/` and its modules: files of the `web` folder, never a path that a request made up."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from fastapi import FastAPI, Request
from fastapi.responses import Response

from reactor_runtime.errors import Refusal, RefusedError

from .callers import address_of

POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob: mediastream:",
        "connect-src 'self'",
        "style-src 'self'",
        "script-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""The page needs nothing beyond its own origin, and says so to the browser."""
EMBEDDED = "player.js"
"""Lies in the same folder and is served at `/`: its address is what other sites write down."""
FOLDERS = ("core", "app")
"""What knows no document, and what draws; a file is named by its path below `web`."""
INDEX = "index.html"
LOCKED = "locked.html"
"""In place of the page for who holds no token."""
PAGES = frozenset({INDEX, LOCKED})
"""Served at `/` and nowhere else: what they load is named from there."""
SERVED = frozenset({".html", ".js", ".css", ".svg", ".png", ".webmanifest", ".ico"})
COMPRESSED = frozenset({".html", ".js", ".css", ".svg"})
_COMMENT = re.compile(r"^[ \t]*(?://[^\n]*|/\*\*.*?\*/[ \t]*)$", re.MULTILINE | re.DOTALL)
_BESIDE = re.compile(r"[ \t]+// [^\n\"'`]*$", re.MULTILINE)
"""A comment behind code. One with a quote in it stays: it might be inside a text."""
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CSS_SPACE = re.compile(r"\s*([{};,>])\s*|(?<=:)\s+")
"""White space that CSS does not need. None of these signs stands inside a text of ours: a test looks."""


@dataclass(frozen=True)
class File:
    """`zipped` is None for what does not shrink."""

    plain: bytes
    zipped: bytes | None
    kind: str
    tag: str


def mount(
    app: FastAPI,
    mark: str = "",
    marks: Callable[[Request], bool] = lambda _: True,
    loads: Callable[[str], None] = lambda _: None,
) -> None:
    """Add `/`, `/web/…` and `/player.js` to `app`. `mark` goes into the page's head where `marks` says so;
    `loads` hears the address of whoever asks for the page."""
    files = load()
    marked = _marked(files[INDEX], mark) if mark else files[INDEX]

    async def index(request: Request) -> Response:
        loads(address_of(request))
        return _answer(marked if marks(request) else files[INDEX], request)

    async def player(request: Request) -> Response:
        return _answer(files[EMBEDDED], request)

    async def asset(name: str, request: Request) -> Response:
        if f"/web/{name}" not in public_paths():
            raise RefusedError(Refusal.NOT_FOUND, "not_found", "There is no such file.")
        return _answer(files[name], request)

    app.add_api_route("/", index, include_in_schema=False)
    app.add_api_route(f"/{EMBEDDED}", player, include_in_schema=False)
    app.add_api_route("/web/{name:path}", asset, include_in_schema=False)


def _marked(index: File, mark: str) -> File:
    page = index.plain.replace(b"</head>", f"{mark}\n</head>".encode(), 1)
    return File(page, gzip.compress(page, 9, mtime=0), index.kind, _tag(page))


def public_paths() -> frozenset[str]:
    """Code that is the same for everybody and holds nothing of anybody's. `/` is not among them."""
    return frozenset({f"/{EMBEDDED}", *(f"/web/{name}" for name in load().keys() - {EMBEDDED, *PAGES})})


def locked() -> Response:
    """For a browser without the token: words, and a field to enter it."""
    headers = {**_SAFE, "Cache-Control": "no-store", "Vary": "Accept"}
    return Response(load()[LOCKED].plain, 401, headers, "text/html")


_SAFE = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: under that what is no CORS, as a beacon, has the origin `null` (Fetch, 3.2), and a
    # closed tab's goodbye was refused. Other sites are told nothing either way.
    "Referrer-Policy": "same-origin",
}


def _answer(file: File, request: Request) -> Response:
    headers = {
        **_SAFE,
        "Cache-Control": "no-cache",
        "ETag": file.tag,
        "Vary": "Accept-Encoding",
        # Other sites may load the player; which of them may use the server is the guard's to say.
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if file.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if file.zipped is not None and _takes_gzip(request.headers.get("accept-encoding", "")):
        return Response(file.zipped, media_type=file.kind, headers={**headers, "Content-Encoding": "gzip"})
    return Response(file.plain, media_type=file.kind, headers=headers)


def _takes_gzip(accepted: str) -> bool:
    for entry in accepted.lower().split(","):
        coding, _, weight = entry.partition(";")
        if coding.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


@cache
def load() -> dict[str, File]:
    """All files of the page, read and compressed once: there are few, and they are small."""
    root = resources.files("reactor_runtime") / "web"
    return {
        prefix + entry.name: _read(entry)
        for prefix, folder in (("", root), *((f"{name}/", root / name) for name in FOLDERS))
        for entry in folder.iterdir()
        if entry.is_file() and _suffix(entry.name) in SERVED
    }


def _suffix(name: str) -> str:
    return "." + name.rpartition(".")[2]


def _read(entry: Traversable) -> File:
    suffix = _suffix(entry.name)
    plain = entry.read_bytes()
    kind = mimetypes.guess_type(entry.name)[0] or "application/octet-stream"
    if suffix == ".js":
        plain, kind = _without_comments(plain.decode()).encode(), "text/javascript"
    if suffix == ".html":
        plain = _INDENT.sub("", plain.decode()).encode()
    if suffix == ".css":
        plain = _tight(plain.decode()).encode()
    zipped = gzip.compress(plain, 9, mtime=0) if suffix in COMPRESSED else None
    return File(plain, zipped, kind, _tag(plain))


def _tag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()[:16]}"'


def _tight(css: str) -> str:
    return _CSS_SPACE.sub(lambda found: found.group(1) or "", _CSS_COMMENT.sub("", css))


def _without_comments(source: str) -> str:
    """A fifth less on the wire. Lines that go leave empty ones, so that line numbers stay true."""
    source = _COMMENT.sub(lambda found: "\n" * found.group().count("\n"), source)
    return _INDENT.sub("", _BESIDE.sub("", source))
