"""The port that the desk listens on: its connections send at once, and a port that is taken is told."""

from __future__ import annotations

import asyncio
import socket

import pytest

from flows.desk_server import listen
from schemas.errors import UserError


def test_a_page_of_several_packets_does_not_wait_for_receipts() -> None:
    """The kernel's own default holds the second packet back until the first is acknowledged, 40 ms later."""
    found: list[int] = []

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.append(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async def visit() -> None:
        listening = listen("127.0.0.1", 0)
        async with await asyncio.start_server(answer, sock=listening):
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            await reader.read()
            writer.close()

    asyncio.run(visit())
    assert found and all(found)


def test_a_port_that_is_taken_is_told_with_what_to_do() -> None:
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        with pytest.raises(UserError, match="--port"):
            listen("127.0.0.1", taken.getsockname()[1])
