"""The committed description of the HTTP surface; run as a module, this writes it."""

from __future__ import annotations

import json
from pathlib import Path

from reactor_runtime.runtimes.http.app import create_api
from reactor_runtime.worker.worker import Worker

FILE = Path(__file__).parents[3] / "docs" / "openapi.json"


def _nobody() -> Worker:
    raise AssertionError("no request is made here")


def current() -> str:
    return json.dumps(create_api(_nobody).openapi(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(current())
