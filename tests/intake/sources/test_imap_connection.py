"""How one talks with a mailbox: bounded in time and size, and no password to anybody who was not to have it."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from disclosure_etl.intake.sources import Unreached
from tests.intake.sources.authority import loopback_server
from tests.intake.sources.conftest import NOW, PASSWORD, Opened, arrived, contents
from tests.intake.sources.imap_server import Mail, Mailbox, mailbox

pytest.importorskip("dkim", reason="dkimpy is not installed: pip install 'disclosure-etl[sources]'")

MAIL = b'From: a@b.example\r\nContent-Disposition: attachment; filename="a.csv"\r\n\r\nfigures'
LIMIT = 2_000_000  # of a mail, by the tests' limits


def declared(box: Mailbox, **more: object) -> dict[str, Any]:
    return {
        "kind": "imap", "host": "127.0.0.1", "port": box.port, "security": "none", "user": "ming",
        "password": {"secret": "PASS"}, **more,
    }  # fmt: skip


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox("ming", PASSWORD) as one:
        lay(one, MAIL)
        yield one


def lay(box: Mailbox, *raws: bytes) -> None:
    box.mails = {uid: Mail(raw, NOW - timedelta(days=1)) for uid, raw in enumerate(raws, 1)}


def test_sizes_are_asked_for_once_before_any_mail_and_a_large_one_is_never_fetched(
    opened: Opened, box: Mailbox
) -> None:
    lay(box, MAIL, b"0" * (LIMIT + 1), MAIL + b" too")
    one, large, two = arrived(opened(**declared(box)))
    with pytest.raises(Unreached, match="max_bytes"):
        large.read()
    assert (one.read(), two.read()) == (b"figures", b"figures too")
    fetched = [rest.partition(" ")[2] for rest in box.asked if rest.startswith("UID FETCH")]
    assert fetched[:3] == [
        "FETCH 1:3 (UID INTERNALDATE RFC822.SIZE)", "FETCH 1 (BODY.PEEK[])", "FETCH 3 (BODY.PEEK[])",
    ]  # fmt: skip
    assert not any(one.startswith("FETCH 2 ") for one in fetched)


def test_more_than_is_allowed_is_refused_before_it_comes(opened: Opened, box: Mailbox, slept: list[float]) -> None:
    box.larger = 100_000_000
    source = opened(**declared(box))
    with pytest.raises(Unreached, match="larger mail than is allowed"):
        arrived(source)
    box.larger = 0
    assert list(contents(source).values()) == [b"figures"], "what was left of it is no answer to anything"
    assert slept == []


@pytest.mark.parametrize("off", [-9, 9])
def test_a_size_that_the_server_only_estimates_costs_no_mail(opened: Opened, box: Mailbox, off: int) -> None:
    box.announced = len(MAIL) + off
    assert list(contents(opened(**declared(box))).values()) == [b"figures"]


def test_a_mail_that_goes_away_while_others_are_listed_costs_only_itself(opened: Opened, box: Mailbox) -> None:
    lay(box, MAIL, MAIL + b" too")
    found = opened(**declared(box)).deliveries(NOW)
    first = next(found)
    del box.mails[2]
    assert [one.name for one in found] == []
    assert first.read() == b"figures"


def test_a_server_that_drips_is_not_listened_to_for_longer_than_a_file_takes(
    opened: Opened, box: Mailbox, slept: list[float]
) -> None:
    lay(box, MAIL + b" " * 900)
    box.drip = 0.02  # each byte within the time for an answer, all of them in 20 seconds
    began = time.monotonic()
    with pytest.raises(Unreached, match=r"within 1 seconds"):
        arrived(opened(seconds=0.5, **declared(box)))
    assert slept == [1] and time.monotonic() - began < 10


@pytest.mark.parametrize(("user", "password"), [("王明", PASSWORD), ("ming", "密码-Pa55"), ("ming", "p\r\nPa55")])
def test_a_name_or_password_beyond_ascii_is_a_way_in(opened: Opened, user: str, password: str) -> None:
    with mailbox(user, password, capabilities="IMAP4rev1 AUTH=PLAIN") as box:
        lay(box, MAIL)
        assert len(contents(opened(known=password, **declared(box, user=user)))) == 1
        assert "AUTHENTICATE" in box.asked and "LOGIN" not in box.asked


@pytest.mark.parametrize("capabilities", ["IMAP4rev1", "IMAP4rev1 AUTH=PLAIN"])
def test_a_wrong_one_beyond_ascii_or_one_that_cannot_be_said_is_told_as_not_let_in(
    opened: Opened, slept: list[float], capabilities: str
) -> None:
    with mailbox("王明", PASSWORD, capabilities=capabilities) as box:
        with pytest.raises(Unreached, match="does not accept") as raised:
            arrived(opened(known="错-Pa55", **declared(box, user="王明")))
        assert slept == []
        assert "错-Pa55" not in f"{raised.value!r}{raised.value.why}{raised.value.__cause__!r}"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """The authority's file, and what a server shows."""
    return loopback_server(tmp_path_factory.mktemp("authority"))


ENCRYPTED = {"tls": {}, "starttls": {"starttls": "OK go\0", "capabilities": "IMAP4rev1 STARTTLS"}}


@pytest.mark.parametrize("security", ENCRYPTED)
@pytest.mark.parametrize("trusted", [True, False])
def test_a_certificate_counts_by_the_authorities_that_are_trusted(
    opened: Opened, shown: tuple, monkeypatch: pytest.MonkeyPatch, slept: list[float], security: str, trusted: bool
) -> None:
    authority, context = shown
    monkeypatch.setenv("SSL_CERT_FILE", str(authority if trusted else authority.with_name("none.pem")))
    with mailbox("ming", PASSWORD, context=context, **ENCRYPTED[security]) as box:
        lay(box, MAIL)
        source = opened(**declared(box, security=security))
        if trusted:
            assert list(contents(source).values()) == [b"figures"]
            return
        with pytest.raises(Unreached, match="certificate that is not trusted"):
            arrived(source)
        assert slept == [] and "LOGIN" not in box.asked and PASSWORD.encode() not in box.heard


@pytest.mark.parametrize(
    "moods",
    [
        {"capabilities": "IMAP4rev1"},
        {"capabilities": "IMAP4rev1 STARTTLS", "starttls": "NO not today"},
        {"capabilities": "IMAP4rev1 STARTTLS", "starttls": "BAD what"},
        {"capabilities": "IMAP4rev1 STARTTLS", "greeting": "* PREAUTH welcome"},
    ],
    ids=["stripped", "refused", "unknown", "said to be needless"],
)
def test_where_encryption_is_withheld_no_password_is_sent(opened: Opened, slept: list[float], moods: dict) -> None:
    with mailbox("ming", PASSWORD, **moods) as box:
        with pytest.raises(Unreached, match="no password was sent"):
            arrived(opened(**declared(box, security="starttls")))
        assert slept == [] and not {"LOGIN", "AUTHENTICATE"} & set(box.asked)
        assert PASSWORD.encode() not in box.heard


def test_a_server_that_says_it_goes_on_in_tls_and_does_not_learns_no_password(opened: Opened) -> None:
    with mailbox("ming", PASSWORD, capabilities="IMAP4rev1 STARTTLS", starttls="OK go") as box:
        with pytest.raises(Unreached):
            arrived(opened(seconds=0.5, **declared(box, security="starttls")))
        assert PASSWORD.encode() not in box.heard


def test_what_was_said_before_tls_does_not_count_as_said_within(
    opened: Opened, shown: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, context = shown
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    slipped_in = "OK go\n* CAPABILITY IMAP4rev1 AUTH=EVIL\n* BYE\0"
    moods = {"capabilities": "IMAP4rev1 STARTTLS", "starttls": slipped_in, "context": context}
    with mailbox("ming", PASSWORD, **moods) as box:
        lay(box, MAIL)
        assert len(contents(opened(**declared(box, security="starttls")))) == 1
