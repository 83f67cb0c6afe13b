"""What a person sees whose browser is refused: words, and what mends it. Everybody else gets JSON."""

from __future__ import annotations

import html
import re

from reactor_runtime.runtimes.door.asgi import Send, refuse, respond

NGINX = ("proxy_set_header Host $http_host;", "proxy_set_header X-Forwarded-Proto $scheme;")
"""What a reverse proxy has to pass on."""
_HEADERS = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept"),
]
_FLAGS = {"wrong_host": ("--allow-host", "HOST"), "origin_not_allowed": ("--allow-origin", "ORIGIN")}
_NAME = re.compile(r"(?:https?://)?[A-Za-z0-9_.:\[\]-]{1,200}")
"""Names that may stand in a command line that people copy."""


async def refuse_in_words(
    send: Send, headers: dict[bytes, str], status: int, code: str, detail: str, name: str = ""
) -> None:
    """Refuse as a page to browsers, in JSON to programs. `name` is the host or origin that is not allowed."""
    if "text/html" in headers.get(b"accept", ""):
        await respond(send, status, _page(code, detail, name).encode(), _HEADERS)
    else:
        await refuse(send, status, code, detail)


def _page(code: str, detail: str, name: str) -> str:
    flag, placeholder = _FLAGS.get(code, ("--allow-origin", "ORIGIN"))
    name = name if _NAME.fullmatch(name) else placeholder
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Refused · Reactor</title>
<style>:root {{ color-scheme: dark light; font: 16px/1.5 system-ui, sans-serif }}
body {{ max-width: 42rem; margin: 10vh auto; padding: 0 1rem }} pre {{ overflow-x: auto }}</style>
<h1>This server does not answer here</h1>
<p>{html.escape(detail)}</p>
<p>If it is yours, start it with</p>
<pre>reactor run {flag} {html.escape(name)}</pre>
<p>Behind a reverse proxy, the proxy has to pass on which address was asked for. For nginx:</p>
<pre>{html.escape(chr(10).join(NGINX))}</pre>
<p>Code: <code>{html.escape(code)}</code></p>
</html>
"""
