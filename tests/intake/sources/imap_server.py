"""A small IMAP server (RFC 3501) on loopback with one mailbox, that can refuse, wait, or hang up inside a mail."""

from __future__ import annotations

import re
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Mailbox:
    """Its mails, and how it behaves; `cuts` and `wait` are for fetches. `commands` is what it was asked."""

    port: int = 0
    user: str = "tongji"
    password: str = ""
    folder: str = "INBOX"
    mails: list[bytes] = field(default_factory=list)
    cuts: int = 0
    wait: float = 0
    commands: list[str] = field(default_factory=list)


@contextmanager
def mailbox(password: str) -> Iterator[Mailbox]:
    """A mailbox as long as it is wanted."""
    box = Mailbox(password=password)

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(ConnectionError):
                self.say(b"* OK ready")
                while line := self.rfile.readline().decode("utf-8").rstrip("\r\n"):
                    tag, _, command = line.partition(" ")
                    box.commands.append(command.partition(" ")[0] if command.startswith("LOGIN") else command)
                    if not self.answer(tag.encode(), command):
                        return

        def answer(self, tag: bytes, command: str) -> bool:
            word = command.split(" ")[0].upper()
            done = b"OK done"
            if word == "CAPABILITY":
                self.say(b"* CAPABILITY IMAP4rev1")
            elif word == "LOGIN":
                given = re.findall(r'"([^"]*)"|(\S+)', command[6:])
                if ["".join(one) for one in given] != [box.user, box.password]:
                    done = f"NO {command} is wrong".encode()  # some servers repeat what they were told
            elif word in ("SELECT", "EXAMINE"):
                self.say(b"* %d EXISTS" % len(box.mails))
                done = b"OK [READ-ONLY] done" if f'"{box.folder}"' in command or box.folder in command else b"NO none"
            elif command.upper().startswith("UID SEARCH"):
                self.say(b"* SEARCH" + b"".join(b" %d" % (at + 1) for at in range(len(box.mails))))
            elif command.upper().startswith("UID FETCH"):
                if not self.fetch(int(command.split(" ")[2])):
                    return False
            elif word == "LOGOUT":
                self.say(b"* BYE")
            self.say(tag + b" " + done)
            return word != "LOGOUT"

        def fetch(self, uid: int) -> bool:
            time.sleep(box.wait)
            mail = box.mails[uid - 1]
            self.wfile.write(
                b'* %d FETCH (UID %d INTERNALDATE "05-Jun-2014 09:00:00 +0800" RFC822.SIZE %d BODY[] {%d}\r\n'
                % (uid, uid, len(mail), len(mail))
            )
            if box.cuts:
                box.cuts -= 1
                self.wfile.write(mail[: len(mail) // 2])
                return False
            self.say(mail + b")")
            return True

        def say(self, line: bytes) -> None:
            self.wfile.write(line + b"\r\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Session) as server:
        box.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield box
        server.shutdown()
