"""How much a request may bring: counted while it is read, so that nobody fills the disk before being refused.

Not here: how large a file may be (`receiving`), or how often somebody may ask (`pace`).
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


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
