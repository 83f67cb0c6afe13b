"""Links to the page for others, each with the QR code that a telephone reads."""

from __future__ import annotations

import asyncio
import io
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Request
from pydantic import Field

from reactor_runtime.runtimes.access.credentials import TokenRole
from reactor_runtime.runtimes.access.rights import CONTROL, Asking

from .body import Body
from .callers import address_of

router = APIRouter(tags=["info"])

ADDRESS_LIMIT = 512
"""Characters of the page's own address, which browsers write in ASCII."""
FRAGMENT_LIMIT = 900
"""Characters of the values behind the `#`: more make a code that no camera reads."""


class ShareBody(Body):
    """`address` is where the asker's own browser has the page; `values` go behind the `#`."""

    address: Annotated[str, Field(max_length=ADDRESS_LIMIT, pattern=r"^https?://[!\"$->@-~]+$")]
    role: Literal["view", "control"] = "view"
    values: Annotated[str, Field(max_length=FRAGMENT_LIMIT, pattern=r"^[!-~]*$")] = ""


@router.post("/share", dependencies=[CONTROL])
async def share(body: ShareBody, asking: Asking, request: Request) -> dict[str, Any]:
    """A link to the page that watches or plays, with a token where one is needed, and its QR code as SVG."""
    made = asking.share(TokenRole(body.role), address_of(request))
    query = f"?token={quote(made.token, safe='')}" if made.token else ""
    link = body.address + query + (f"#{body.values}" if body.values else "")
    return {"link": link, "expires_at": made.expires, "qr": await drawn(link)}


async def drawn(link: str) -> str:
    return await asyncio.to_thread(_drawn, link)


def _drawn(link: str) -> str:
    """Black on white in any scheme: cameras want it so."""
    import segno  # here: nothing but this and the terminal needs it

    out = io.BytesIO()
    code = segno.make(link, error="l", micro=False)
    code.save(out, kind="svg", border=3, xmldecl=False, svgns=True, light="#fff", omitsize=True)
    return out.getvalue().decode()
