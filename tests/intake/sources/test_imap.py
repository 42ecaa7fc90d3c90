"""Attachments of a real mailbox: whole or not at all, and taken only where somebody answers for them."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from disclosure_etl.intake.identity import UNCONFIRMED_SENDER
from disclosure_etl.intake.sources import Delivery, Unreached
from tests.intake.sources.conftest import NOW, PASSWORD, Opened, arrived, contents
from tests.intake.sources.imap_server import Mail, Mailbox, mailbox

dkim = pytest.importorskip("dkim", reason="dkimpy is not installed: pip install 'disclosure-etl[sources]'")

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
RECORD = "v=DKIM1; k=rsa; p=" + b64encode(
    KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode("ascii")
DOMAIN = "dongcheng.example"
NAME = "东城_2014-05.xlsx"
RECEIVED = NOW - timedelta(days=1)


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox("ming", PASSWORD) as one:
        yield one


@pytest.fixture
def declared(box: Mailbox) -> dict[str, object]:
    return {
        "kind": "imap", "host": "127.0.0.1", "port": box.port, "security": "none", "user": "ming",
        "password": {"secret": "PASS"}, "domains": [DOMAIN],
        "keys": {f"s._domainkey.{DOMAIN}": RECORD, "s._domainkey.elsewhere.example": RECORD},
    }  # fmt: skip


def mail(data: bytes = b"figures", name: str = NAME, sender: str = f"Wang <wang@{DOMAIN}>") -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "office@city.example", "月报"
    message.set_content("见附件")
    message.add_attachment(data, "application", "octet-stream", filename=name)
    return message.as_bytes().replace(b"\n", b"\r\n")


def signed(raw: bytes, domain: str = DOMAIN, **how: object) -> bytes:
    return dkim.sign(raw, b"s", domain.encode(), PRIVATE, **how) + raw


def lay(box: Mailbox, *raws: bytes) -> None:
    box.mails |= {uid: Mail(raw, RECEIVED) for uid, raw in enumerate(raws, 1)}


def refused(one: Delivery) -> str | None:
    """What is said to the bytes of a delivery."""
    refusal = one.refuse(one.read()) if one.refuse else None
    return refusal and f"{refusal.code}: {refusal.message.en}"


def test_an_attachment_arrives_with_name_time_and_sender_and_the_mailbox_stays_as_it_was(
    opened: Opened, declared: dict, box: Mailbox
) -> None:
    lay(box, mail(), mail(b"more", "西城 (报).csv"))
    one, two = arrived(opened(**declared))
    assert one.name.startswith(f"wang@{DOMAIN}/") and one.name.endswith(f"/{NAME}")
    assert two.name.endswith("/西城 (报).csv")
    assert (one.sender, one.arrived_at, one.read()) == (f"wang@{DOMAIN}", RECEIVED, b"figures")
    assert (two.read(), one.read()) == (b"more", b"figures")
    assert not box.changed and not any(one.split()[0] in ("SELECT", "STORE") for one in box.asked)


@pytest.mark.parametrize(
    "written",
    [
        "filename*=UTF-8''%E4%B8%9C%E5%9F%8E.csv",
        "filename*0*=UTF-8''%E4%B8%9C; filename*1*=%E5%9F%8E.csv",
        "filename*=gbk''%B6%AB%B3%C7.csv",
        'filename="=?utf-8?B?5Lic5Z+OLmNzdg==?="',
        'filename="=?gb18030?B?tquzxy5jc3Y=?="',
    ],
)
def test_chinese_names_are_read_however_they_are_written(
    opened: Opened, declared: dict, box: Mailbox, written: str
) -> None:
    lay(box, mail(name="x.csv").replace(b'filename="x.csv"', written.encode("ascii")))
    (one,) = arrived(opened(**declared))
    assert one.name.rpartition("/")[2] == "东城.csv"


def test_names_in_mails_lead_nowhere(opened: Opened, declared: dict, box: Mailbox) -> None:
    lay(box, mail(name="../../etc/passwd", sender='"../.."@x.example'))
    (one,) = arrived(opened(**declared))
    assert ".." not in one.name.split("/") and one.name.endswith("/.._.._etc_passwd")


def test_a_mail_that_cannot_be_taken_apart_is_kept_and_not_taken(opened: Opened, declared: dict, box: Mailbox) -> None:
    lay(box, mail().replace(b"Wang <wang@", b"../../<wang@"))  # more than the standard library bears
    (one,) = arrived(opened(**declared))
    assert one.name.endswith(".eml") and one.read() == box.mails[1].raw
    assert (refused(one) or "").startswith(UNCONFIRMED_SENDER)


def test_old_mails_and_read_ones_are_left_out_as_declared(opened: Opened, declared: dict, box: Mailbox) -> None:
    box.mails = {
        1: Mail(mail(b"old"), NOW - timedelta(days=40)), 2: Mail(mail(b"read"), RECEIVED, seen=True), 9: Mail(mail(b"new"), RECEIVED),
        10: Mail(mail(b"newer"), RECEIVED),
    }  # fmt: skip
    found = contents(opened(since_days=30, **declared))
    assert list(found.values()) == [b"read", b"new", b"newer"]
    assert list(contents(opened(since_days=30, mails="unseen", **declared)).values()) == [b"new", b"newer"]


def test_a_signed_mail_of_an_allowed_domain_is_taken(opened: Opened, declared: dict, box: Mailbox) -> None:
    lay(box, signed(mail()), signed(mail(b"2", sender=f"li@sub.{DOMAIN}")))
    assert [one.refuse for one in arrived(opened(**declared))] == [None, None]


OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
    Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
)
FORGED = {
    "not signed": mail(),
    "body changed": signed(mail()).replace(b64encode(b"figures"), b64encode(b"forgery")),
    "sender changed": signed(mail()).replace(b"wang@", b"zhao@"),
    "a second sender": b"From: zhao@" + DOMAIN.encode() + b"\r\n" + signed(mail()),
    "another key": dkim.sign(mail(), b"s", DOMAIN.encode(), OTHER) + mail(),
    "a key that is not declared": dkim.sign(mail(), b"t", DOMAIN.encode(), PRIVATE) + mail(),
    "the signature of another domain": signed(mail(), "elsewhere.example"),
    "the sender of another domain": signed(mail(sender="wang@elsewhere.example")),
    "a sender whose domain ends alike": signed(mail(sender=f"wang@not{DOMAIN}")),
    "signed in part only": signed(mail(), length=True),
    "no signature at all": b"DKIM-Signature: v=1; d=" + DOMAIN.encode() + b"; nonsense\r\n" + mail(),
}


@pytest.mark.parametrize("raw", FORGED.values(), ids=FORGED)
def test_what_nobody_answers_for_is_refused_until_a_steward_confirms_it(
    opened: Opened, declared: dict, box: Mailbox, raw: bytes
) -> None:
    lay(box, raw)
    (one,) = arrived(opened(**declared))
    said, digest = refused(one), hashlib.sha256(one.read()).hexdigest()
    assert said and said.startswith(UNCONFIRMED_SENDER) and f'"{digest[:16]}"' in said
    (one,) = arrived(opened(confirmed=["0" * 16, digest[:16]], **declared))
    assert refused(one) is None


def test_a_confirmation_is_of_these_bytes_and_no_others(opened: Opened, declared: dict, box: Mailbox) -> None:
    lay(box, mail(b"figures"), mail(b"forgery"))
    found = arrived(opened(confirmed=[hashlib.sha256(b"figures").hexdigest()], **declared))
    assert [refused(one) is None for one in found] == [True, False]


def test_without_domains_no_signature_counts(opened: Opened, declared: dict, box: Mailbox) -> None:
    lay(box, signed(mail()))
    (one,) = arrived(opened(**{**declared, "domains": []}))
    assert refused(one) is not None


def test_a_wrong_password_is_told_at_once_and_not_shown(
    opened: Opened, declared: dict, box: Mailbox, slept: list[float]
) -> None:
    with pytest.raises(Unreached, match="does not accept") as raised:
        arrived(opened(known="wrong-Pa55", **declared))
    assert slept == [] and box.asked.count("LOGIN") == 1
    assert "wrong-Pa55" not in f"{raised.value!r}{raised.value.why}{raised.value.__cause__!r}"


def test_a_folder_is_opened_by_its_name_and_told_where_it_is_not_there(
    opened: Opened, declared: dict, box: Mailbox
) -> None:
    lay(box, mail())
    box.folder = "&ZwhipQ- &- R"  # modified UTF-7
    assert len(arrived(opened(folder="月报 & R", **declared))) == 1
    with pytest.raises(Unreached, match="has no folder '周报'"):
        arrived(opened(folder="周报", **declared))


def test_a_mail_that_is_cut_off_is_tried_again_and_then_told(
    opened: Opened, declared: dict, box: Mailbox, slept: list[float]
) -> None:
    lay(box, mail(b"0123456789" * 1000))
    box.cut = 1
    assert list(contents(opened(attempts=3, **declared)).values()) == [b"0123456789" * 1000]
    assert slept == [1]
    box.cut = 9
    with pytest.raises(Unreached, match="cut off"):
        arrived(opened(attempts=3, **declared))
    assert slept == [1, 1, 2] and box.cut == 6


def test_a_slow_server_is_not_waited_for(opened: Opened, declared: dict, box: Mailbox, slept: list[float]) -> None:
    lay(box, mail())
    box.wait = 1
    with pytest.raises(Unreached, match=r"within 0\.2 seconds"):
        arrived(opened(seconds=0.2, **declared))
    assert slept == [1]


def test_no_server_is_told(opened: Opened, slept: list[float]) -> None:
    with mailbox("ming", PASSWORD) as gone:
        port = gone.port
    with pytest.raises(Unreached, match="cannot be connected"):
        arrived(
            opened(kind="imap", host="127.0.0.1", port=port, security="none", user="m", password={"secret": "PASS"})
        )
    assert slept == [1]


@pytest.mark.parametrize("size", [1_000_001, 3_000_000])
def test_more_than_a_reader_takes_is_told_and_the_rest_arrives(
    opened: Opened, declared: dict, box: Mailbox, size: int
) -> None:
    lay(box, mail(b"0" * size), mail())
    large, small = arrived(opened(**declared))
    with pytest.raises(Unreached, match="max_bytes"):
        large.read()
    assert small.read() == b"figures"


def test_what_is_no_mail_hinders_none(opened: Opened, declared: dict, box: Mailbox) -> None:
    lay(box, b"", b"\xff\x00", b"From: =?x?B?////?=\r\nContent-Type: multipart/mixed\r\n\r\n--", mail())
    assert contents(opened(**declared)).popitem()[1] == b"figures"


def test_a_mail_that_went_away_is_told(opened: Opened, declared: dict, box: Mailbox, slept: list[float]) -> None:
    lay(box, mail(), mail(b"2"))
    one, _ = arrived(opened(**declared))
    del box.mails[1]
    with pytest.raises(Unreached, match="no longer in the mailbox"):
        one.read()
    assert slept == []
