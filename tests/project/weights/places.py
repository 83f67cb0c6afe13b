"""Servers on loopback that have weights: HTTP with ranges and faults, and a hub."""

from __future__ import annotations

import hashlib
import http.server
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit


@dataclass
class Site:
    """What a server has, how it behaves, and what it was asked. Change it while it runs."""

    files: dict[str, bytes] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    """Of a path; one is made from the content where none is set, and none is sent for ``""``."""
    ranges: bool = True
    lengths: bool = True
    drop_after: int | None = None
    """Close the connection after so many bytes of a body; ``drops`` times."""
    drops: int = 10**9
    refuse: Callable[[str], int] | None = None
    """The status for a path; 0 to answer."""
    redirects: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    """After each piece of a body."""
    base: str = ""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Path, `Range` and `Authorization` of each request."""
    sent: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Guards `drops`, `asked` and `sent`."""

    def etag(self, path: str) -> str:
        made = f'"{hashlib.md5(self.files[path], usedforsecurity=False).hexdigest()}"'
        return self.etags.get(path, made)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path, site = unquote(parts.path), self.site
        with site.lock:
            site.asked.append((path, self.headers.get("Range", ""), self.headers.get("Authorization", "")))
        status = site.refuse(path) if site.refuse else 0
        if path in site.redirects:
            self._plain(302, b"", {"Location": site.redirects[path]})
        elif status or path not in site.files:
            self._plain(status or 404, b"no")
        else:
            self._file(path)

    def _plain(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _file(self, path: str) -> None:
        site, body, etag = self.site, self.site.files[path], self.site.etag(path)
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if wanted and self.headers.get("If-Range", etag) != etag:
            wanted = None
        start, end = 0, len(body)
        if wanted and site.ranges:
            start, end = int(wanted[1]), min(int(wanted[2]) + 1, len(body))
            if start >= len(body):
                self._plain(416, b"", {"Content-Range": f"bytes */{len(body)}"})
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(body)}")
        else:
            self.send_response(200)
        if etag:
            self.send_header("ETag", etag)
        if site.lengths:
            self.send_header("Content-Length", str(end - start))
        else:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._body(body[start:end])

    def _body(self, body: bytes) -> None:
        site = self.site
        with site.lock:
            limit = site.drop_after if site.drops > 0 and len(body) > (site.drop_after or 0) else None
            site.drops -= limit is not None
        for at in range(0, len(body), 64 * 1024):
            piece = body[at : at + 64 * 1024]
            if limit is not None and at + len(piece) > limit:
                self._piece(body[at:limit])
                self.close_connection = True
                return
            self._piece(piece)
            if site.delay_s:
                time.sleep(site.delay_s)
        if not site.lengths:
            self.wfile.write(b"0\r\n\r\n")

    def _piece(self, piece: bytes) -> None:
        with self.site.lock:
            self.site.sent += len(piece)
        if not piece:
            return
        self.wfile.write(piece if self.site.lengths else b"%x\r\n%b\r\n" % (len(piece), piece))


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass  # clients that go are part of the tests


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"site": site}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    site.base = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def put_repository(site: Site, repo: str, revisions: dict[str, str], files: dict[str, bytes]) -> None:
    """What a hub answers for `repo`: `revisions` are commits by name; all of them have `files`."""
    siblings = []
    for path, body in files.items():
        large = path.endswith(".safetensors")
        blob = hashlib.sha1(b"blob %d\0" % len(body) + body, usedforsecurity=False).hexdigest()
        sibling: dict[str, object] = {"rfilename": path, "size": len(body), "blobId": blob}
        if large:
            sha = hashlib.sha256(body).hexdigest()
            sibling["lfs"] = {"sha256": sha, "size": len(body), "pointerSize": 134}
        siblings.append(sibling)
    for name, commit in revisions.items():
        info = {"_id": "1", "id": repo, "modelId": repo, "sha": commit, "siblings": siblings, "tags": []}
        site.files[f"/api/models/{repo}/revision/{name}"] = json.dumps(info).encode()
        for path, body in files.items():
            site.files[f"/{repo}/resolve/{commit}/{path}"] = body
