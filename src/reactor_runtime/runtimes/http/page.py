"""The page at `/` and its modules: files of the `web` folder, never a path that a request made up."""

from __future__ import annotations

import mimetypes
from importlib import resources

from fastapi import FastAPI
from fastapi.responses import Response

from reactor_runtime.errors import RequestError

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
SERVED = frozenset({".html", ".js", ".css", ".svg", ".png", ".webmanifest", ".ico"})


def mount(app: FastAPI) -> None:
    """Add `/` and `/web/…` to `app`."""
    files = _load()

    async def index() -> Response:
        return _respond("index.html")

    async def asset(name: str) -> Response:
        return _respond(name)

    def _respond(name: str) -> Response:
        found = files.get(name)
        if found is None:
            raise RequestError(404, "not_found", "There is no such file.")
        content, kind = found
        headers = {
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-cache",
        }
        return Response(content, media_type=kind, headers=headers)

    app.add_api_route("/", index, include_in_schema=False)
    app.add_api_route("/web/{name:path}", asset, include_in_schema=False)


def _load() -> dict[str, tuple[bytes, str]]:
    """All files of the page, read once: there are few, and they are small."""
    root = resources.files("reactor_runtime") / "web"
    found = {}
    for entry in root.iterdir():
        suffix = "." + entry.name.rpartition(".")[2]
        if entry.is_file() and suffix in SERVED:
            kind = mimetypes.guess_type(entry.name)[0] or "application/octet-stream"
            found[entry.name] = (entry.read_bytes(), "text/javascript" if suffix == ".js" else kind)
    return found
