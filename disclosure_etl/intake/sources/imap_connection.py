"""A conversation with an IMAP server, bounded in time and size, that says a password only to whom it should.

Not here: what is asked for (`imap`).
"""

from __future__ import annotations

import imaplib
import ssl
from contextlib import suppress
from typing import Any

from disclosure_etl.intake.sources.declared import ImapDeclared
from disclosure_etl.intake.sources.patience import Patience
from disclosure_etl.intake.sources.unreached import Unreached, not_let_in, timed_out

_PART = 1 << 16
_LONGEST_LINE = 1_000_000


class Connection(imaplib.IMAP4):
    """As the standard library's, which reads whatever length a server announces, and for as long as that takes: here what
    comes is read in parts, until `file_seconds` after `begin`, and no more than was expected."""

    def __init__(self, one: ImapDeclared, patience: Patience, context: ssl.SSLContext) -> None:
        self._patience, self._context, self._tls = patience, context, one.security == "tls"
        self._heard = bytearray()
        self._heard_on: Any = None
        self.begin()
        super().__init__(one.host, one.port or (993 if self._tls else 143), patience.timeout_seconds)

    def begin(self, expected: int = 0) -> None:
        """A new request, to which texts of so many bytes in all are the answer (lines come besides)."""
        self._expected, self._until = expected, self._patience.time() + self._patience.file_seconds

    def read(self, size: int) -> bytes:
        """A text, of the length that the server announces.

        Raises:
            Unreached: that is more than was expected, or it does not come to an end in time.
        """
        if size > self._expected:
            raise Unreached("发来的邮件比允许的大", "sends a larger mail than is allowed")
        self._expected -= size
        while len(self._unread) < size and self._hear():
            pass
        return self._take(size)

    def readline(self) -> bytes:
        """A line; what there is of one, where the connection ends or it never does."""
        while b"\n" not in self._unread and len(self._unread) < _LONGEST_LINE and self._hear():
            pass
        return self._take(self._unread.find(b"\n") + 1 or len(self._unread))

    def _create_socket(self, timeout: float | None) -> Any:
        line = super()._create_socket(timeout)  # type: ignore[misc]
        return self._context.wrap_socket(line, server_hostname=self.host) if self._tls else line

    @property
    def _unread(self) -> bytearray:
        """What came on this line. What somebody said before TLS began does not count as said within it."""
        if self._heard_on is not self.sock:
            self._heard, self._heard_on = bytearray(), self.sock
        return self._heard

    def _hear(self) -> bool:
        if self._patience.time() > self._until:
            raise timed_out(self._patience.file_seconds)
        part = self.sock.recv(_PART)
        self._unread.extend(part)
        return bool(part)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._unread[:size])
        del self._unread[:size]
        return taken


def connect(one: ImapDeclared, patience: Patience, user: str, password: str) -> Connection:
    """A connection with somebody logged in; nothing of who that is is said before the line is what was declared.

    Raises:
        Unreached: the server does not encrypt, or does not let in.
        OSError, imaplib.IMAP4.error: nobody answers, or something else than an IMAP server.
    """
    context = ssl.create_default_context()
    box = Connection(one, patience, context)
    try:
        if one.security == "starttls":
            _encrypt(box, context)
        _log_in(box, user, password)
    except BaseException:
        hang_up(box)
        raise
    return box


def hang_up(box: Connection) -> None:
    """End a connection without a word."""
    with suppress(OSError):  # it is gone, which is what was wanted
        box.shutdown()


def _encrypt(box: Connection, context: ssl.SSLContext) -> None:
    try:
        box.starttls(context)
    except imaplib.IMAP4.error:
        raise Unreached(
            "没有按要求改用加密(STARTTLS),因此没有发送密码;请向对方核实,或改用 security: tls",
            "does not change to encryption (STARTTLS), so no password was sent; ask its owner, or try security: tls",
        ) from None


def _log_in(box: Connection, user: str, password: str) -> None:
    """Raises what is told of it; a server's own words may repeat what it was told."""
    try:
        if all(one.isascii() and one.isprintable() for one in (user, password)):
            box.login(user, password)
        elif "AUTH=PLAIN" in box.capabilities:
            box.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
        else:
            raise Unreached(
                "不接受 ASCII 以外的用户名或密码(没有提供 AUTH=PLAIN);请改用只含 ASCII 的",
                "does not accept a user name or password beyond ASCII (it offers no AUTH=PLAIN); use one within it",
            )
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error:
        raise not_let_in() from None
