"""Attachments of mails: whose mail counts, and what a mailbox may do to us."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from disclosure_etl.intake.sources import Delivery, Unreached
from tests.intake.sources.conftest import PASSWORD, Opened, arrived
from tests.intake.sources.imap_server import Mailbox, mailbox

dkim = pytest.importorskip("dkim", reason="dkimpy is not installed: pip install 'disclosure-etl[sources]'")
rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa", reason="cryptography is not installed")

NAME, DATA = "东城分局_2014-05.xlsx", b"PK a workbook"


@pytest.fixture(scope="module")
def key() -> tuple[bytes, str]:
    """A private key, and its public half as a DNS record."""
    from cryptography.hazmat.primitives import serialization as form

    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = made.private_bytes(form.Encoding.PEM, form.PrivateFormat.TraditionalOpenSSL, form.NoEncryption())
    public = made.public_key().public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo)
    return private, f"v=DKIM1; k=rsa; p={b64encode(public).decode()}"


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox(PASSWORD) as one:
        yield one


@pytest.fixture
def declared(box: Mailbox, key: tuple[bytes, str]) -> dict[str, object]:
    return {
        "kind": "imap", "host": "127.0.0.1", "port": box.port, "security": "none", "user": box.user,
        "password": {"secret": "PASS"}, "domains": ["dongcheng.example"], "keys": {"s1.dongcheng.example": key[1]},
    }  # fmt: skip


def mail(sender: str = "ming@dongcheng.example", data: bytes = DATA, name: str = NAME) -> bytes:
    one = EmailMessage()
    one["From"], one["To"], one["Subject"] = f"统计员 <{sender}>", "tongji@bj.example", "五月报表"
    one.set_content("见附件。")
    one.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return one.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def signed(raw: bytes, key: tuple[bytes, str], domain: str = "dongcheng.example", **options) -> bytes:
    return dkim.sign(raw, b"s1", domain.encode(), key[0], **options) + raw


def only(found: list[Delivery]) -> Delivery:
    (one,) = found
    return one


def refusal(one: Delivery) -> str | None:
    found = one.refuse(one.read()) if one.refuse else None
    return found.code if found else None


def test_an_attachment_of_a_signed_mail_arrives_with_name_sender_and_time(
    opened: Opened, declared: dict, box: Mailbox, key
) -> None:
    box.mails = [signed(mail(), key)]
    one = only(arrived(opened(**declared)))
    assert one.name.endswith(f"/{NAME}")
    assert (one.read(), one.sender, refusal(one)) == (DATA, "ming@dongcheng.example", None)
    assert one.arrived_at.isoformat() == "2014-06-05T01:00:00+00:00"
    assert not [each for each in box.commands if "STORE" in each or each.startswith("SELECT")]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw, key: raw,
        lambda raw, key: signed(raw, key).replace(b64encode(DATA), b64encode(DATA[::-1])),
        lambda raw, key: signed(raw, key, "elsewhere.example"),
        lambda raw, key: signed(raw, key, length=True),
        lambda raw, key: b"From: boss@dongcheng.example\r\n" + signed(raw, key),
        lambda raw, key: signed(mail("ming@notdongcheng.example"), key),
        lambda raw, key: signed(mail("ming@elsewhere.example"), key),
    ],
    ids=["unsigned", "changed", "of another domain", "of a part", "two senders", "alike domain", "another sender"],
)
def test_what_no_allowed_domain_signed_waits_for_a_steward(
    opened: Opened, declared: dict, box: Mailbox, key, spoil
) -> None:
    box.mails = [spoil(mail(), key)]
    one = only(arrived(opened(**declared)))
    assert refusal(one) == "unconfirmed_sender"

    digest = hashlib.sha256(one.read()).hexdigest()
    confirmed = only(arrived(opened(**declared, confirmed=[digest[:16]])))
    assert refusal(confirmed) is None


def test_two_mails_with_the_same_attachment_have_names_of_their_own(
    opened: Opened, declared: dict, box: Mailbox
) -> None:
    box.mails = [mail(), mail(data=b"PK later")]
    names = [one.name for one in arrived(opened(**declared))]
    assert len(set(names)) == 2


def test_an_attachments_name_leads_nowhere(opened: Opened, declared: dict, box: Mailbox) -> None:
    box.mails = [mail(name="../../etc/\u202epasswd.xlsx")]
    name = only(arrived(opened(**declared))).name
    assert ".." not in name.split("/") and "\u202e" not in name


def test_a_wrong_password_is_told_at_once_and_not_shown(opened: Opened, declared: dict, slept: list[float]) -> None:
    with pytest.raises(Unreached, match="does not accept") as raised:
        arrived(opened(known="wrong-Pa55", **declared))
    assert slept == [] and "wrong-Pa55" not in repr(raised.value)


def test_a_folder_that_is_not_there_is_told(opened: Opened, declared: dict) -> None:
    with pytest.raises(Unreached, match="no folder"):
        arrived(opened(**declared, folder="nowhere"))


def test_a_folder_with_a_chinese_name_is_asked_for_in_the_protocols_way(
    opened: Opened, declared: dict, box: Mailbox
) -> None:
    box.folder = "&YqWIaA-"
    assert arrived(opened(**declared, folder="报表")) == []


def test_a_connection_cut_in_the_middle_of_a_mail_is_made_anew(
    opened: Opened, declared: dict, box: Mailbox, slept: list[float]
) -> None:
    box.mails, box.cuts = [mail()], 1
    assert only(arrived(opened(**declared))).read() == DATA
    assert slept == [1]
    box.cuts = 100
    with pytest.raises(Unreached):
        arrived(opened(attempts=3, **declared))
    assert slept == [1, 1, 2]


def test_a_slow_server_is_not_waited_for(opened: Opened, declared: dict, box: Mailbox) -> None:
    box.mails, box.wait = [mail()], 2
    with pytest.raises(Unreached, match="seconds"):
        arrived(opened(seconds=0.3, attempts=1, **declared))


def test_a_mail_that_is_too_large_is_not_taken(opened: Opened, declared: dict, box: Mailbox) -> None:
    box.mails = [mail(data=b"0" * 2_000_000)]
    with pytest.raises(Unreached, match="max_bytes"):
        only(arrived(opened(**declared))).read()
