"""The published SDKs that are played, and where they are installed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / ".venv-interop"
"""Git ignores it; `install.py` fills it."""
PYTHON_PACKAGE = "reactor-sdk"
JS_PACKAGE = "@reactor-team/js-sdk"
ESBUILD = "0.28.2"
"""Makes one file of a JavaScript SDK and what it imports, for the browser."""
LATEST_PURE = "0.8.0"
"""The newest release in Python alone; the dependencies of all of those are its own."""


@dataclass(frozen=True)
class Sdk:
    """One release. `speaks` is the generation of the wire, as in docs/clients.md."""

    package: str
    version: str
    speaks: str

    @property
    def key(self) -> str:
        return f"{'js' if self.package == JS_PACKAGE else 'py'}-{self.version}"

    @property
    def folder(self) -> Path:
        return FOLDER / self.key

    @property
    def installed(self) -> bool:
        return (self.folder / "installed").exists()


SDKS = (
    Sdk(PYTHON_PACKAGE, "1.13.0", "protobuf"),
    Sdk(PYTHON_PACKAGE, "0.8.0", "JSON, several connections"),
    Sdk(PYTHON_PACKAGE, "0.7.0", "JSON, 1.7"),
    Sdk(JS_PACKAGE, "2.9.0", "JSON, 1.7"),
    Sdk(PYTHON_PACKAGE, "0.3.1", "JSON, 1.6"),
    Sdk(PYTHON_PACKAGE, "0.1.2", "JSON, before 1.6"),
    Sdk(JS_PACKAGE, "2.2.1", "JSON, before 1.6"),
)
