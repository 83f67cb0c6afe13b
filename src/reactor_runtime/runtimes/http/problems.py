"""What becomes of everything that a route raises: one body for every refusal, and what it says."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from reactor_runtime.errors import RefusedError
from reactor_runtime.runtimes.door.bodies import is_json

from .refusals import STATUSES

_NO_JSON = (
    "The body must be JSON, and the request must say so: send the header Content-Type: application/json."
)
_CODES = {404: "not_found", 405: "method_not_allowed", 400: "invalid_request"}


class Problem(BaseModel):
    """The body of every refusal. Some carry more: the `state` of the worker, the `field` that is wrong."""

    model_config = ConfigDict(extra="allow")
    detail: str
    """One or more sentences for a person."""
    code: str
    """A stable word for a program."""


def add_handlers(app: FastAPI) -> None:
    """Make an answer of everything that a route raises."""
    for kind, handler in _HANDLERS:
        app.add_exception_handler(kind, handler)


def problem(status: int, code: str, detail: str, **more: object) -> JSONResponse:
    """The body of every refusal."""
    return JSONResponse({"detail": detail, "code": code, **more}, status_code=status)


async def _request_error(_: Request, error: RefusedError) -> JSONResponse:
    return refused(error)


def refused(error: RefusedError) -> JSONResponse:
    """What a client is told of a refusal."""
    state = getattr(error, "state", None)
    response = problem(
        STATUSES[error.kind], error.code, error.message, **({"state": str(state)} if state else {})
    )
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    if error.ends_connection:
        response.headers["Connection"] = "close"
    return response


async def _validation_error(request: Request, error: RequestValidationError) -> JSONResponse:
    if error.body and not is_json(request.headers.get("content-type", "")):
        return problem(415, "unsupported_media_type", _NO_JSON)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part != "body") or "body"
    return problem(
        422, "invalid_request", f"The request is malformed at {place}: {first['msg']}.", field=place
    )


async def _http_error(_: Request, error: HTTPException) -> JSONResponse:
    response = problem(error.status_code, _CODES.get(error.status_code, "http_error"), str(error.detail))
    if allowed := (error.headers or {}).get("Allow"):
        response.headers["Allow"] = allowed.replace("GET", "GET, HEAD")
    return response


async def _internal_error(_: Request, error: Exception) -> JSONResponse:
    return problem(500, "internal_error", "The server failed; its log says why.")


# Starlette's type asks for handlers of any Exception; each of these gets only its own kind.
_HANDLERS: tuple[tuple[type[Exception], Any], ...] = (
    (RefusedError, _request_error),
    (RequestValidationError, _validation_error),
    (HTTPException, _http_error),
    (Exception, _internal_error),
)
