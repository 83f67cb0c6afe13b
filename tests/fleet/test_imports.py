"""What the processes of a fleet carry."""

from __future__ import annotations

import subprocess
import sys

import pytest

MEDIA = ("av", "cv2", "numpy", "omegaconf", "reactor_webrtc")
SERVER = ("fastapi", "uvicorn", "pydantic")


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("reactor_runtime.fleet.serving", (*MEDIA, *SERVER)),
        ("reactor_runtime.fleet.gateway.process", MEDIA),
    ],
    ids=["who starts the others and waits", "the gateway, which has no model"],
)
def test_a_process_loads_nothing_that_it_has_no_use_for(module: str, heavy: tuple[str, ...]) -> None:
    program = f"import sys, {module}; print(*(name for name in {heavy} if name in sys.modules))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []
