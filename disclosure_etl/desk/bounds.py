"""How much a request may bring: counted while it is read, so that nobody fills the disk before being refused. And what its address
may have in it: no NUL, which a database does not look for but fails at, and no number that it does not know.

Not here: what people write in forms (stored as `storable`), how large a file may be (`receiving`), or how often somebody may ask (`pace`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Path, Query, Request
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.errors import UserError

_LARGEST = (1 << 31) - 1
Key = Annotated[int, Path(ge=1, le=_LARGEST)]  # of a row
PageNumber = Annotated[int, Query(le=_LARGEST)]
YearPart = Annotated[int, Path(ge=1900, le=2099)]  # as the codes of periods have them


async def without_nul(request: Request) -> None:
    """See that an address has no NUL in it; where to go `next` is never looked for, and read by `door.inside`.

    Raises:
        HTTPException: the path has one (404). UserError: the query has one.
    """
    if "\0" in request.scope["path"]:
        raise HTTPException(404)
    if any("\0" in f"{name}{value}" for name, value in request.query_params.multi_items() if name != "next"):
        raise UserError(
            "地址中有不能使用的字符(NUL)。", "The address has a sign in it that cannot be looked for (NUL)."
        )


class Bounded:
    """An application whose requests have at most so many bytes, by their path. One that says it has more is not read at all."""

    def __init__(self, app: ASGIApp, most: Callable[[str], int]) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; reading it raises HTTPException (413) where it is too large."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most, taken = self.most(scope["path"]), 0
        said = Headers(scope=scope).get("content-length", "")
        too_long = said.isdigit() and int(said) > most

        async def counted() -> Message:
            nonlocal taken
            if too_long:
                raise HTTPException(413)
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise HTTPException(413)
            return message

        await self.app(scope, counted, send)
