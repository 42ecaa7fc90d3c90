"""A TCP relay on loopback before PostgreSQL that breaks every connection at the n-th thing that is said to it. No assertion in here."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PART = 1 << 16


class Line:
    """What goes through it. `said` counts what clients have said; at `breaks_at` the line breaks, before it is passed on or, with
    `heard`, right after, so that only the answer is lost. From then on nobody gets through until it is `mended`."""

    def __init__(self, port: int) -> None:
        self.said, self.breaks_at, self.heard, self.is_broken = 0, 0, False, False
        self._to, self._open, self._one = port, set[socket.socket](), threading.Lock()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listening.getsockname()[1]

    def mended(self, breaks_at: int = 0, *, heard: bool = False) -> None:
        """From now on it holds, until so many things were said."""
        self.said, self.breaks_at, self.heard, self.is_broken = 0, breaks_at, heard, False

    def serve(self) -> None:
        """Take connections until it is closed."""
        with suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                if self.is_broken:
                    client.close()
                    continue
                server = socket.create_connection(("127.0.0.1", self._to))
                for one in (client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open |= {client, server}
                for source, target, counts in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass_on, args=(source, target, counts), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        with suppress(OSError):
            while part := source.recv(_PART):
                with self._one:
                    self.said += counts
                    breaks = counts and self.said == self.breaks_at
                    if self.is_broken or (breaks and not self.heard):
                        break
                    target.sendall(part)
                    if breaks:
                        break
            else:
                breaks = False
            if breaks:
                self._break()
        for one in (source, target):
            self._end(one)

    def _break(self) -> None:
        self.is_broken = True
        for one in list(self._open):
            self._end(one)

    def _end(self, one: socket.socket) -> None:
        self._open.discard(one)
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@contextmanager
def line(port: int) -> Iterator[Line]:
    """A line to `port` for as long as a test runs."""
    found = Line(port)
    threading.Thread(target=found.serve, daemon=True).start()
    try:
        yield found
    finally:
        found.listening.shutdown(socket.SHUT_RDWR)
        found.listening.close()
