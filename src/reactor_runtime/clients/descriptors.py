"""Whether a further peer finds file descriptors: without any, a server accepts nobody, not even a probe."""

from __future__ import annotations

import os
import resource

from reactor_runtime.errors import Refusal, RefusedError

RESERVE = 128
"""Descriptors that stay free for requests, files and the model."""
RESERVE_SHARE = 8
"""Or this part of the limit, where that is more."""
RETRY_S = 5
FOLDERS = ("/proc/self/fd", "/dev/fd")


def admit_peer(each: int, coming: int) -> None:
    """Raises `RefusedError` when one more peer may leave too few descriptors for everything else.

    `each` is what a peer takes; `coming` are peers that may not have opened theirs yet.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if each <= 0 or limit == resource.RLIM_INFINITY:
        return
    used = open_descriptors()
    if used is not None and used + each * (coming + 1) > limit - max(RESERVE, limit // RESERVE_SHARE):
        raise RefusedError(
            Refusal.BUSY,
            "too_many_peers",
            "The server has too few free file descriptors for a further connection; try again in a moment. "
            "Its operator may raise the limit (ulimit -n).",
            retry_after=RETRY_S,
        )


def open_descriptors() -> int | None:
    """How many this process has; None where the system does not tell."""
    for folder in FOLDERS:
        try:
            return len(os.listdir(folder))
        except OSError:
            continue
    return None
