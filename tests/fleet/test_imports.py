"""What the processes of a fleet carry."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("av", "cv2", "numpy", "fastapi", "uvicorn", "pydantic", "reactor_webrtc")


def test_the_engines_process_loads_neither_media_nor_a_server() -> None:
    """It starts others and waits: 24 MiB in place of 102."""
    program = f"import sys, reactor_runtime.fleet.serving; print(*(n for n in {HEAVY} if n in sys.modules))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []
