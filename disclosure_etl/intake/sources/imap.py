"""Attachments of the mails in a folder of an IMAP mailbox. Nothing there is changed, no mail becomes read by it.

A mail counts once an allowed domain's DKIM signature verifies, or a steward has confirmed the attachment by its digest.
Not here: the conversation (`imap_connection`), signatures (`dkim_signature`).
"""

from __future__ import annotations

import hashlib
import imaplib
import re
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from typing import Any

from disclosure_etl.intake.identity import UNCONFIRMED_SENDER
from disclosure_etl.intake.sources.declared import ImapDeclared
from disclosure_etl.intake.sources.delivery import Delivery, Refusal
from disclosure_etl.intake.sources.dkim_signature import is_signed, lookup_in, sender_of
from disclosure_etl.intake.sources.imap_connection import Connection, connect, hang_up
from disclosure_etl.intake.sources.names import DistinctNames, is_passed_over
from disclosure_etl.intake.sources.patience import Patience
from disclosure_etl.intake.sources.unreached import Unreached, cut_off, no_connection, timed_out, too_large
from schemas.errors import Message

_SHOWN_DIGITS = 16


class ImapSource:
    """One source of this kind; its connection is kept while it is used."""

    kind = "imap"

    def __init__(
        self, declared: ImapDeclared, patience: Patience, max_bytes: int, secret: Callable[[Any], str | None]
    ) -> None:
        self.name, self.bureaus = declared.name, frozenset(declared.bureaus)
        self._declared, self._patience, self._max_bytes, self._secret = declared, patience, max_bytes, secret
        self._look_up = lookup_in(declared.keys)
        self._box: Connection | None = None
        self._last: tuple[_Mail, bytes] | None = None  # the mail fetched last: its attachments are asked for in a row

    def deliveries(self, now: datetime) -> Iterator[Delivery]:
        """The attachments of each mail, oldest first. An attachment's time is when its mail came in."""
        names = DistinctNames()
        for mail in self._call(partial(self._list, now)):
            received = min(mail.received, now)
            if mail.size > self._most_of_a_mail:
                name = f"mail {_letters(f'{mail.uid} {mail.size}'.encode())}"
                yield Delivery(names.give(name), self.name, received, self._refuse_size)
                continue
            try:
                raw = self._raw(mail)
            except _Gone:  # somebody has tidied up meanwhile
                continue
            try:
                message = _parsed(raw)
                sender = sender_of(message)
                attached = [name for name, _ in _attachments(message)]
            except Exception:  # a mail may be anything; one that cannot be taken apart is delivered as it is
                name, fetch = names.give(f"{_letters(raw)}.eml"), partial(bytes, raw)
                yield Delivery(name, self.name, received, fetch, None, partial(self._unconfirmed, ""))
                continue
            signed = is_signed(raw, sender, self._declared.domains, self._look_up)
            refuse = None if signed else partial(self._unconfirmed, sender)
            folder = f"{sender or 'unknown'}/{_letters(raw)}"
            for number, name in enumerate(attached):
                fetch = partial(self._attachment, mail, number)
                yield Delivery(names.give(f"{folder}/{name}"), self.name, received, fetch, sender, refuse)

    def waiting(self) -> list[str]:
        """A mail is there whole or not at all."""
        return []

    def close(self) -> None:
        """End the connection."""
        box, self._box = self._box, None
        if box is not None:
            try:
                box.begin()
                box.logout()
            except (imaplib.IMAP4.error, OSError):
                hang_up(box)

    @property
    def _most_of_a_mail(self) -> int:
        return self._max_bytes * 2  # attachments travel in a wider alphabet

    def _refuse_size(self) -> bytes:
        raise too_large(self._max_bytes)

    def _unconfirmed(self, sender: str, data: bytes) -> Refusal | None:
        digest = hashlib.sha256(data).hexdigest()
        if any(digest.startswith(one) for one in self._declared.confirmed):
            return None
        shown = digest[:_SHOWN_DIGITS]
        return Refusal(
            UNCONFIRMED_SENDER,
            Message(
                f"邮件自称来自 {sender or '(无)'},但没有允许的域({'、'.join(self._declared.domains) or '未设'})的有效 DKIM 签名;附件已留存,"
                f'暂不采用。请向该单位核实,属实的在 sources.yaml 来源「{self.name}」的 confirmed 中加上 "{shown}",然后重新运行。',
                f"The mail says it is from {sender or '(nobody)'}, and bears no valid DKIM signature of an allowed domain "
                f"({', '.join(self._declared.domains) or 'none is set'}). The attachment is kept and not taken yet. Ask the "
                f"bureau; if it is theirs, add \"{shown}\" to confirmed of source '{self.name}' in sources.yaml, and run again.",
            ),
        )

    def _raw(self, mail: _Mail) -> bytes:
        if self._last is None or self._last[0] != mail:
            self._last = (mail, self._call(partial(self._fetch, mail)))
        return self._last[1]

    def _attachment(self, mail: _Mail, number: int) -> bytes:
        data = _attachments(_parsed(self._raw(mail)))[number][1]
        if len(data) > self._max_bytes:
            raise too_large(self._max_bytes)
        return data

    def _call(self, action: Callable[[Connection], Any]) -> Any:
        def once() -> Any:
            try:
                if self._box is None:
                    self._box = self._connect()
                return action(self._box)
            except TimeoutError:
                told = timed_out(self._patience.timeout_seconds)
            except Unreached as error:
                told = error
            except imaplib.IMAP4.abort:
                told = cut_off()
            except imaplib.IMAP4.error:
                told = Unreached("服务器拒绝了请求", "is answered with a refusal by the server")
            except ssl.SSLCertVerificationError:
                told = Unreached("的证书不可信", "shows a certificate that is not trusted")
            except OSError:
                told = no_connection()
            if self._box is not None:  # whatever it still has to say would be taken for the next answer
                hang_up(self._box)
                self._box = None
            raise told

        return self._patience.patiently(once)

    def _connect(self) -> Connection:
        one = self._declared
        box = connect(one, self._patience, self._secret(one.user) or "", self._secret(one.password) or "")
        status, _ = box.select(_quoted(one.folder), readonly=True)
        if status != "OK":
            hang_up(box)
            raise Unreached(f"没有文件夹「{one.folder}」", f"has no folder '{one.folder}'")
        return box

    def _list(self, now: datetime, box: Connection) -> list[_Mail]:
        """The mails that are asked for, by uid, with what is known of them before any is fetched."""
        first = (now - timedelta(days=self._declared.since_days)).date()
        since = f"{first.day}-{_MONTHS[first.month - 1]}-{first.year}"
        box.begin()
        _, found = box.uid("SEARCH", "UNSEEN" if self._declared.mails == "unseen" else "ALL", "SINCE", since)
        wanted = sorted(map(int, (found[0] or b"").split()))
        if not wanted:
            return []
        box.begin()  # from the first to the last, since a server takes no line of any length
        _, found = box.uid("FETCH", f"{wanted[0]}:{wanted[-1]}", "(UID INTERNALDATE RFC822.SIZE)")
        known = {mail.uid: mail for mail in map(_told, found) if mail is not None}
        return [known[uid] for uid in wanted if uid in known]

    def _fetch(self, mail: _Mail, box: Connection) -> bytes:
        box.begin(self._most_of_a_mail)  # not `mail.size`, which some servers only estimate
        status, found = box.uid("FETCH", str(mail.uid), "(BODY.PEEK[])")
        raw = next((one[1] for one in found if isinstance(one, tuple)), None)
        if status != "OK" or raw is None:
            raise _Gone("已不在邮箱中", "is no longer in the mailbox")
        return bytes(raw)


class _Gone(Unreached):
    """A mail that was listed and is there no longer."""


@dataclass(frozen=True, slots=True)
class _Mail:
    """A mail that was not fetched yet."""

    uid: int
    size: int
    received: datetime


def _told(line: Any) -> _Mail | None:
    """What a server says of a mail; None where it is something else that it says in between."""
    if not isinstance(line, bytes):
        return None
    uid, size = (re.search(rb"\b%s (\d+)" % re.escape(word), line) for word in (b"UID", b"RFC822.SIZE"))
    if uid is None or size is None:
        return None
    when = imaplib.Internaldate2tuple(line)
    received = datetime.fromtimestamp(time.mktime(when), UTC) if when else datetime.max.replace(tzinfo=UTC)
    return _Mail(int(uid[1]), int(size[1]), received)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _quoted(folder: str) -> str:
    """A folder's name as the protocol wants it (RFC 3501, 5.1.3: modified UTF-7)."""
    coded = re.sub(
        r"[^\x20-\x7e]+",
        lambda found: "&" + _base64(found[0].encode("utf-16-be")).rstrip("=").replace("/", ",") + "-",
        folder.replace("&", "&-"),
    )
    return '"' + coded.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _parsed(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)  # type: ignore[return-value]


def _attachments(message: EmailMessage) -> list[tuple[str, bytes]]:
    """Names and bytes of what is attached; pictures inside the text are none."""
    found = []
    for part in message.walk():
        name = part.get_filename()
        picture = part.get_content_maintype() == "image" and part.get_content_disposition() == "inline"
        if part.is_multipart() or not name or picture or is_passed_over(name.replace("\\", "/").rpartition("/")[2]):
            continue
        data = part.get_payload(decode=True)
        found.append((name.replace("/", "_"), data if isinstance(data, bytes) else b""))
    return found


def _letters(raw: bytes) -> str:
    """A mail's name without digits: those would be read as a period."""
    return "".join(chr(ord("a") + half) for byte in hashlib.sha256(raw).digest()[:6] for half in divmod(byte, 16))
