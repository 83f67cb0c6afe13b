"""The HTTP runtime: one worker, its signalling and its page, on one port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reactor_runtime.process.importing import uncollected

from .options import HttpOptions

if TYPE_CHECKING:
    from reactor_runtime.project.project import Project

__all__ = ["HttpOptions", "serve"]


def serve(project: Project, options: HttpOptions) -> int:
    """Serve the model until a signal or a fatal error; returns the exit status. Main thread only."""
    # Imported here: the server's libraries take half a second that `reactor --help` must not wait for.
    with uncollected():
        from .server import serve as run

    return run(project, options)
