"""Who answers for a mail: the domain whose DKIM signature covers all of it and fits its sender.

Not here: getting mails (`imap`). Signatures are described in RFC 6376.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from email.message import EmailMessage
from email.utils import parseaddr

import dkim

Lookup = Callable[..., bytes | None]  # name of a DNS text record → its text


def lookup_in(keys: Mapping[str, str]) -> Lookup:
    """Public keys as declared (selector and domain → text record); the network's DNS where none are."""
    if not keys:
        return dkim.get_txt  # type: ignore[no-any-return]
    known = {name.replace("._domainkey", "", 1).rstrip(".").lower(): text for name, text in keys.items()}

    def look_up(name: bytes | str, timeout: float = 5) -> bytes | None:
        written = (name.decode("ascii", "replace") if isinstance(name, bytes) else name).rstrip(".").lower()
        text = known.get(written.replace("._domainkey", "", 1))
        return text.encode() if text else None

    return look_up


def sender_of(message: EmailMessage) -> str:
    """The address that a mail says it is from."""
    return parseaddr(str(message.get("From", "")))[1].lower()


def is_signed(raw: bytes, sender: str, domains: Collection[str], look_up: Lookup) -> bool:
    """Whether a domain of `domains`, to which `sender` belongs, has signed the mail.

    A signature over a part of the body only (`l=`) does not count: anything may have been added behind it.
    """
    if _headers(raw).lower().count(b"\nfrom:") != 1:  # of two, one would be signed and the other shown
        return False
    host = sender.rpartition("@")[2]
    wanted = {one.lower() for one in domains if host == one.lower() or host.endswith(f".{one.lower()}")}
    if not wanted:
        return False
    try:
        mail = dkim.DKIM(raw)
        signatures = [value for name, value in mail.headers if name.lower() == b"dkim-signature"]
    except dkim.DKIMException:
        return False
    for number, value in enumerate(signatures):
        written = re.sub(r"\s+", "", value.decode("ascii", "replace"))
        tags = {tag: text for tag, _, text in (part.partition("=") for part in written.split(";"))}
        if "l" in tags or tags.get("d", "").lower() not in wanted:
            continue
        try:
            if mail.verify(idx=number, dnsfunc=look_up):
                return True
        except Exception:  # noqa: S112 - whatever a forged signature makes the library stumble over, it is no signature
            continue
    return False


def _headers(raw: bytes) -> bytes:
    return b"\n" + re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0]
