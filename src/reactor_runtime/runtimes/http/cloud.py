"""What SDKs ask of a cloud when nobody told them that they are at home: the answer says how to tell them."""

from __future__ import annotations

from fastapi import APIRouter

from reactor_runtime.errors import Refusal, RefusedError

router = APIRouter(tags=["cloud"])


@router.post("/sessions", status_code=400)
async def sessions() -> None:
    """Always refused: this server has one session, and local clients begin it with `POST /start_session`."""
    raise _at_home()


@router.post("/tokens", status_code=400)
async def tokens() -> None:
    """Always refused: API keys are a cloud's."""
    raise _at_home()


def _at_home() -> RefusedError:
    return RefusedError(
        Refusal.INVALID,
        "local_mode_needed",
        "This is a local Reactor Runtime, not the cloud: say so to the SDK with local=True in Python or "
        "local: true in JavaScript.",
    )
