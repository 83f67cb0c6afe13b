"""Web servers of tests: a thread of its own each, on any free port."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """One that logs nothing, and keeps its connection: a page has sixty files."""

    protocol_version = "HTTP/1.1"

    def answer(self, body: bytes, content_type: str = "text/html", status: int = 200, **headers: str) -> None:
        """A header's name is written with underscores."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(handler: type[Handler], address: str = "127.0.0.1") -> Iterator[int]:
    """Gives the port."""
    server = ThreadingHTTPServer((address, 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def page_served(html: str, address: str = "127.0.0.1") -> Iterator[int]:
    """Whatever is asked for, it is this page; gives the port."""

    class Page(Handler):
        def do_GET(self) -> None:
            self.answer(html.encode())

    with serving(Page, address) as port:
        yield port


@contextmanager
def files_served(files: Mapping[str, bytes]) -> Iterator[str]:
    """Each under its path, as from another origin than the runtime's: gives ``http://localhost:<port>/``."""

    class Files(Handler):
        def do_GET(self) -> None:
            body = files.get(self.path)
            content_type = "text/javascript" if self.path.endswith(".js") else "text/html"
            self.answer(body or b"", content_type, 404 if body is None else 200)

    with serving(Files) as port:
        yield f"http://localhost:{port}/"
