"""The session descriptor: the answer to `/start_session` for every generation of clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reactor_runtime._version import __version__

LOCAL_SESSION_ID = "local"
"""The session id of clients that hold no token; SDKs use it verbatim in paths."""
TRANSPORT = {"protocol": "webrtc", "version": "1.0"}


def session_descriptor(
    *,
    session_id: str,
    state: str,
    model_name: str,
    capabilities: Mapping[str, Any],
    number: int,
    started_at: float,
    metadata: Mapping[str, Any] | None = None,
    seed: int | None = None,
) -> dict[str, Any]:
    """`metadata` is what the author said of the model; its title and description are shown to people.

    All fields that some published SDK requires, from v17 on (docs/glossary.md).

    `number` and `started_at`, the server's start in Unix seconds, are ours: together they tell one session
    from every other, whatever its id. `seed` is that of the session that runs.
    """
    return {
        "session_id": session_id,
        "state": state,
        "cluster": LOCAL_SESSION_ID,
        "model": {"name": model_name, **_shown(metadata or {})},
        "server_info": {"server_version": __version__},
        "selected_transport": TRANSPORT,
        "capabilities": dict(capabilities),
        "number": number,
        "started_at": started_at,
        **({} if seed is None else {"seed": seed}),
    }


def _shown(metadata: Mapping[str, Any]) -> dict[str, str]:
    told = {key: metadata.get(key) for key in ("title", "description")}
    return {key: value for key, value in told.items() if isinstance(value, str) and value}
