"""A process that plays one plan on a model of its own, so that what is alone is alone.

Reads what to play from its standard input as JSON and writes what came of it to a file.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from reactor_runtime.errors import ReactorError, WeightsError


def main() -> None:
    order = json.load(sys.stdin)
    logging.getLogger("reactor_runtime").setLevel(logging.CRITICAL)
    outcome = _played(order)
    Path(order["result"]).write_text(json.dumps(outcome), "utf-8")
    sys.stderr.flush()
    # What an author has left running must not keep this process.
    os._exit(0)


def _played(order: dict[str, Any]) -> dict[str, Any]:
    from reactor_runtime.project.loading import load_project

    from .play import play

    try:
        config = None if order["config"] is None else Path(order["config"])
        weights = None if order["weights"] is None else Path(order["weights"])
        project = load_project(Path(order["path"]), config, order["overrides"], weights, order["target"])
        return {
            "model": project.model_class.__name__,
            "sessions": play(project, order["plan"], order["seed"]),
        }
    except ReactorError as error:
        needs_weights = isinstance(error, WeightsError) or isinstance(error.__cause__, WeightsError)
        return {"problem": "needs weights" if needs_weights else error.code, "words": error.message}
    except TimeoutError as error:
        return {"problem": "did not end", "words": str(error)}
    except Exception as error:  # noqa: BLE001  # told to the process that started this one
        traceback.print_exc()
        return {"problem": "fault", "words": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    main()
