"""A Jupyter server with its proxy, in an environment of its own: it brings sixty packages along."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / ".venv-interop" / "jupyter"
"""Git ignores it; `install.py` fills it."""
PACKAGES = ("jupyter-server==2.21.1", "jupyter-server-proxy==4.6.0")
PYTHON = FOLDER / "bin" / "python"
INSTALLED = FOLDER / "installed"
