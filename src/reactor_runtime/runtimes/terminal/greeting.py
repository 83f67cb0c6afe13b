"""What a person reads who starts a server: what was found of the model, and how to open it."""

from __future__ import annotations

import io
import ipaddress
import logging
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reactor_runtime.authoring.media import TrackDirection, TrackKind
from reactor_runtime.authoring.spec import spec_of
from reactor_runtime.errors import ReactorError
from reactor_runtime.loglines import escaped
from reactor_runtime.media.encoders import EncoderChoice

if TYPE_CHECKING:
    from reactor_runtime.authoring.description import ModelDescription
    from reactor_runtime.authoring.tracks import Track
    from reactor_runtime.project.project import Project
    from reactor_runtime.runtimes.http.options import HttpOptions

log = logging.getLogger(__name__)

NAMES_SHOWN = 12
"""Commands and tracks that a line names; of more it says how many."""
ONLY_HERE = "No QR code: this server listens on this machine alone; add --host 0.0.0.0."
_ENCODERS = {"auto": "H.264 by x264, VP8", "x264": "H.264 by x264, VP8", "nvenc": "H.264 by NVENC, VP8"}


def greeting(project: Project, model: ModelDescription, options: HttpOptions) -> str:
    """The first lines of the log of a server, each of them harmless."""
    spec = spec_of(project.model_class)
    title = model.metadata.get("title")
    rows = {
        "model": f"{model.name}{f' ({title})' if isinstance(title, str) and title else ''}",
        "file": f"{_short(spec.file)}:{spec.line} {project.model_class.__qualname__}",
        "config": _config(project),
        "weights": ", ".join(_weights(project, name) for name in spec.weights) or "none",
        "tracks": _some([_track(track) for track in model.tracks.values()]),
        "commands": _some([_command(name, spec.coalesce) for name, spec in model.commands.items()]),
        "encoder": _ENCODERS.get(EncoderChoice(options.encoder).value, "VP8"),
    }
    return "Starting\n" + "\n".join(f"  {name:9} {escaped(text)}" for name, text in rows.items())


def qr_code(url: str) -> str:
    """The address in half blocks; a sentence where a telephone could not reach it."""
    host = urlsplit(url).hostname or ""
    if ipaddress.ip_address(host).is_loopback:
        return ONLY_HERE
    import segno  # here: nothing but this needs it

    drawn = io.StringIO()
    segno.make(url, error="l", micro=False).terminal(drawn, compact=True, border=2)
    return drawn.getvalue().rstrip("\n")


def open_page(url: str) -> None:
    """In the browser that this machine has. Blocks; never raises."""
    try:
        opened = webbrowser.open(url)
    except (webbrowser.Error, OSError) as error:
        log.debug("The browser: %s", error)
        opened = False
    if not opened:
        log.warning("--open: this machine has no browser to open the page in; the address is above.")


def _config(project: Project) -> str:
    """Where values come from, in the order of the file."""
    if project.effective is None:
        return "none"
    origins = list(dict.fromkeys(_source(origin) for origin in project.effective.origins.values()))
    return _some(origins) if origins else "none"


def _source(origin: str) -> str:
    """`/a/config.yml:3` → `config.yml`; a flag and a class as they are."""
    place, colon, line = origin.rpartition(":")
    return _short(Path(place)) if colon and line.isdecimal() else origin


def _weights(project: Project, name: str) -> str:
    try:
        return f"{name} in {_short(project.weights.path(name))}"
    except ReactorError:
        return f"{name} MISSING (reactor download {name})"


def _track(track: Track) -> str:
    out = track.direction is TrackDirection.OUT
    rate = f" {track.rate:g}{' fps' if track.kind is TrackKind.VIDEO else ' Hz'}" if track.rate else ""
    return f"{track.name} {'→' if out else '←'} {track.kind.value}{rate}"


def _command(name: str, state: bool) -> str:
    return f"{name} (state)" if state else name


def _some(names: list[str]) -> str:
    left = len(names) - NAMES_SHOWN
    shown = names[:NAMES_SHOWN] + ([f"and {left} more"] if left > 0 else [])
    return ", ".join(shown) or "none"


def _short(path: Path) -> str:
    """Below the current folder or the home folder, as a person would write it."""
    for root, prefix in ((Path.cwd, ""), (Path.home, "~/")):
        # No home (HOME unset, a user without an entry) and no current folder are no reason not to start.
        with suppress(ValueError, RuntimeError, OSError):
            return f"{prefix}{path.relative_to(root())}"
    return str(path)
