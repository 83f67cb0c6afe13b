"""A running server, from the other end: what a browser would find at its address."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from .finding import Finding, note, ok, problem
from .media import SECOND_S, media

ANSWER_S = 10
BODY_LIMIT = 100_000
"""Bytes of an answer that are read."""


def examine_url(url: str, token: str = "", within: float = SECOND_S) -> list[Finding]:
    """`within` is how long its port may take to end a connection that asks for media."""
    base = url.rstrip("/")
    if "://" not in base:
        base = f"http://{base}"
    if urlsplit(base).scheme not in ("http", "https"):
        return [problem("url", f"{url} is no address of a server; write it as http://host:8080.")]
    found = [_health(base, token)]
    if found[0].check == "reachable" and found[0].level == "problem":
        return found
    return [*found, _page(base, token), media(base, within)]


def _health(base: str, token: str) -> Finding:
    status, body = _ask(f"{base}/health", token)
    if status == 0:
        return problem("reachable", f"{base} does not answer ({body}): is it running, and is its port open?")
    if not isinstance(body, dict):
        return problem("reachable", f"{base} answers, and it is no reactor: does the address lack a path?")
    code = body.get("code")
    if status == 200 and "state" in body:
        return ok(
            "reachable", f"{base} answers: {body.get('model', 'a model')} is {str(body['state']).lower()}."
        )
    if code == "loading":
        return note("reachable", f"{base} answers; its model is still loading.")
    if status == 401:
        return problem("reachable", f"{base} asks for a token: give it with --token or REACTOR_TOKEN.")
    if code == "wrong_host":
        name = urlsplit(base).hostname
        return problem(
            "reachable", f"{base} does not answer under that name: start it with --allow-host {name}."
        )
    return problem("reachable", f"{base} answers {status}: {body.get('detail', 'it does not say why')}")


def _page(base: str, token: str) -> Finding:
    status, body = _ask(f"{base}/", token, accept="text/html")
    if status == 200 and isinstance(body, str) and "web/app.js" in body:
        return ok("page", "The page is there.")
    if status == 401:
        return note("page", "The page asks for a token, as it should.")
    return problem(
        "page", f"The page is not there (status {status}): does a proxy pass every path below it on?"
    )


def _ask(url: str, token: str, accept: str = "application/json") -> tuple[int, Any]:
    """Status 0 with a reason where no answer came."""
    headers = {"accept": accept, **({"authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_S) as response:
            return response.status, _body(response.read(BODY_LIMIT))
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _body(error.read(BODY_LIMIT))
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            return 0, "its certificate is not one that this machine trusts"
        return 0, str(getattr(error.reason, "strerror", None) or error.reason)
    except (OSError, ValueError) as error:
        return 0, str(error)


def _body(data: bytes) -> Any:
    text = data.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except ValueError:
        return text
