"""A TCP relay on loopback before a real server, that breaks off or stalls in the middle of an answer. No assertion in here."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

_PART = 1 << 14


@dataclass
class Relay:
    """The port to connect to, and what goes wrong: `times` answers end after `after` bytes, counted from the request that
    begins with `request` (any will do where it is empty). `stalls`: nothing more is said, instead of hanging up."""

    port: int
    request: bytes = b""
    after: int = 0
    times: int = 0
    stalls: bool = False

    def spoil(self, times: int, *, after: int, request: bytes = b"", stalls: bool = False) -> None:
        """From now on, so many answers go wrong."""
        self.times, self.after, self.request, self.stalls = times, after, request, stalls


@contextmanager
def relay(port: int) -> Iterator[Relay]:
    """A relay to `port` for as long as a test runs."""
    over = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    found = Relay(listening.getsockname()[1])

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                threading.Thread(target=_Conversation(found, over, client, port).run, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield found
    finally:
        over.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


class _Conversation:
    """One connection, both ways."""

    def __init__(self, relay: Relay, over: threading.Event, client: socket.socket, port: int) -> None:
        self._relay, self._over, self._client = relay, over, client
        self._server = socket.create_connection(("127.0.0.1", port))
        self._left: int | None = None  # of an answer that goes wrong
        for one in (client, self._server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self) -> None:
        threading.Thread(target=self._ask, daemon=True).start()
        with suppress(OSError):
            while part := self._server.recv(_PART):
                if self._left is not None:
                    part = part[: self._left]
                    self._left -= len(part)
                self._client.sendall(part)
                if self._left == 0:
                    if self._relay.stalls:
                        self._over.wait()
                    break
        self._end()

    def _ask(self) -> None:
        with suppress(OSError):
            while part := self._client.recv(_PART):
                if self._left is None and self._relay.times > 0 and part.startswith(self._relay.request):
                    self._relay.times -= 1
                    self._left = self._relay.after
                self._server.sendall(part)
        self._end()

    def _end(self) -> None:
        for one in (self._client, self._server):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
