"""A small IMAP server on loopback with one mailbox, whose mails and moods a test sets. No assertion in here."""

from __future__ import annotations

import re
import socketserver
import ssl
import threading
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass
class Mail:
    """A mail as it lies there, and when it came in."""

    raw: bytes
    received: datetime
    seen: bool = False

    @property
    def internal_date(self) -> str:
        """Its time as the protocol writes it."""
        at = self.received
        return f"{at.day:2d}-{_MONTHS[at.month - 1]}-{at.year} {at:%H:%M:%S %z}"


@dataclass
class Mailbox:
    """The port, the mails by uid, what was asked for, and what goes wrong."""

    port: int
    user: str
    password: str
    mails: dict[int, Mail] = field(default_factory=dict)
    folder: str = "INBOX"
    greeting: str = "* OK ready"
    asked: list[str] = field(default_factory=list)  # commands without tags; of LOGIN only the word
    cut: int = 0  # so many mails are broken off in the middle
    wait: float = 0  # before a mail is sent
    drip: float = 0  # seconds between two bytes of a mail
    larger: int = 0  # so many bytes more are said to come than was announced, and never come
    announced: int | None = None  # what is said of each mail's size, whatever it is
    capabilities: str = "IMAP4rev1"
    context: ssl.SSLContext | None = None  # for TLS, from the beginning or after STARTTLS
    starttls: str = ""  # what is answered to it, without the tag; \0 stands for the change to TLS
    heard: bytearray = field(default_factory=bytearray)  # all that anybody said
    changed: bool = False  # whether anybody opened the mailbox for writing, or a mail became read


@contextmanager
def mailbox(user: str, password: str, **moods: Any) -> Iterator[Mailbox]:
    """A server for as long as a test runs."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                if box.context and not box.starttls:
                    self._change_to_tls()
                self._say(box.greeting)
                while line := self.rfile.readline():
                    box.heard += line
                    tag, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
                    if not self._answer(tag, rest):
                        return

        def _change_to_tls(self) -> None:
            self.request = box.context.wrap_socket(self.request, server_side=True)
            self.setup()

        def _say(self, *lines: str) -> None:
            self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

        def _answer(self, tag: str, rest: str) -> bool:
            words = rest.split(" ")
            word = words[0].upper()
            box.asked.append(word if word in ("LOGIN", "AUTHENTICATE") else rest)
            match word:
                case "CAPABILITY":
                    self._say(f"* CAPABILITY {box.capabilities}", f"{tag} OK done")
                case "LOGIN":
                    given = [one.strip('"') for one in words[1:]]
                    known = given == [box.user, box.password]
                    self._say(f"{tag} OK in" if known else f"{tag} NO [AUTHENTICATIONFAILED] not {' '.join(given)}")
                case "AUTHENTICATE":
                    self._say("+ ")
                    told = self.rfile.readline()
                    box.heard += told
                    known = b64decode(told) == f"\0{box.user}\0{box.password}".encode()
                    self._say(f"{tag} OK in" if known else f"{tag} NO [AUTHENTICATIONFAILED] not {told!r}")
                case "STARTTLS":
                    said, changed, _ = box.starttls.partition("\0")
                    self._say(*f"{tag} {said}".splitlines())
                    if changed:
                        self._change_to_tls()
                case "SELECT" | "EXAMINE":
                    box.changed |= word == "SELECT"
                    there = rest.partition(" ")[2].strip('"') == box.folder
                    self._say(f"* {len(box.mails)} EXISTS", "* FLAGS (\\Seen)") if there else None
                    self._say(f"{tag} OK [READ-ONLY] open" if there else f"{tag} NO no such mailbox")
                case "UID" if words[1].upper() == "SEARCH":
                    self._say(" ".join(["* SEARCH", *map(str, self._found(rest))]), f"{tag} OK done")
                case "UID" if "BODY" not in rest:
                    self._say(*self._sizes(*map(int, words[2].split(":"))), f"{tag} OK done")
                case "UID":
                    return self._fetch(tag, int(words[2]), rest)
                case "LOGOUT":
                    self._say("* BYE", f"{tag} OK out")
                    return False
                case _:
                    self._say(f"{tag} BAD unknown")
            return True

        def _found(self, rest: str) -> list[int]:
            day, month, year = re.search(r"SINCE (\d+)-(\w+)-(\d+)", rest).groups()
            since = datetime(int(year), _MONTHS.index(month) + 1, int(day)).date()
            unseen = "UNSEEN" in rest
            found = [uid for uid, one in box.mails.items() if one.received.date() >= since]
            return [uid for uid in reversed(found) if not (unseen and box.mails[uid].seen)]

        def _sizes(self, first: int, last: int) -> Iterator[str]:
            for number, (uid, mail) in enumerate(box.mails.items(), 1):
                if first <= uid <= last:
                    size = len(mail.raw) if box.announced is None else box.announced
                    yield f'* {number} FETCH (UID {uid} INTERNALDATE "{mail.internal_date}" RFC822.SIZE {size})'

        def _fetch(self, tag: str, uid: int, rest: str) -> bool:
            mail = box.mails.get(uid)
            if mail is None:
                self._say(f"{tag} OK nothing")
                return True
            box.changed |= "BODY[" in rest  # without PEEK it would become read
            time.sleep(box.wait)
            size = len(mail.raw)
            self._say(f"* 1 FETCH (UID {uid} BODY[] {{{size + box.larger}}}")
            if box.cut > 0:
                box.cut -= 1
                self.wfile.write(mail.raw[: size // 2])
                return False
            for at in range(size if box.drip else 0):
                self.wfile.write(mail.raw[at : at + 1])
                time.sleep(box.drip)
            self.wfile.write(b"" if box.drip else mail.raw)
            if box.larger:
                self.rfile.readline()
                return False
            self._say(")", f"{tag} OK done")
            return True

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    server = Server(("127.0.0.1", 0), Handler)
    box = Mailbox(server.server_address[1], user, password, **moods)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield box
    finally:
        server.shutdown()
        server.server_close()
