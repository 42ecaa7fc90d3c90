"""From bytes to a Document, by a reader chosen by content and never by suffix. No reader knows a form or a bureau."""

from __future__ import annotations

import hashlib

from disclosure_etl.intake.delimited import decoded, read_delimited
from disclosure_etl.intake.limits import refused
from disclosure_etl.intake.plain_text import is_running_text, read_text
from disclosure_etl.intake.xlsx import read_xlsx
from disclosure_etl.settings import ReadLimits
from schemas.documents import Document, Unreadable

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_ZIP = b"PK\x03\x04"


def read_document(name: str, data: bytes, limits: ReadLimits = ReadLimits()) -> Document:  # noqa: B008 - frozen
    """Read a file.

    Args:
        name: as received, for messages only; data: the whole file; limits: what it may cost.

    Raises:
        Unreadable: with a stable code and a message for the sender. Nothing else, whatever the bytes.
    """
    if len(data) > limits.max_bytes:
        raise refused("max_bytes", len(data), limits.max_bytes)
    if not data.strip(b"\x00\t\r\n \xef\xbb\xbf"):
        raise Unreadable(
            "empty", "文件是空的,没有任何内容。请重新保存并发送。", "The file is empty. Save and send it again."
        )
    digest = hashlib.sha256(data).hexdigest()
    if data.startswith(_ZIP):
        return Document(name, digest, "xlsx", read_xlsx(data, limits))
    if data.startswith(_OLE):
        raise _ole_problem(data)
    if _looks_like_html(data):
        raise Unreadable(
            "html_as_workbook",
            "文件内容是网页(HTML),不是电子表格;多半是从网页系统导出后改了扩展名。请用电子表格软件打开,另存为 .xlsx。",
            "The content is a web page (HTML), not a workbook; its suffix was probably changed. Open it in a spreadsheet "
            "program and save it as .xlsx.",
        )
    text = decoded(data)
    if is_running_text(text):
        return Document(name, digest, "text", *read_text(text, limits))
    return Document(name, digest, "csv", (read_delimited(data, limits),))


def _ole_problem(data: bytes) -> Unreadable:
    if _ENCRYPTED in data:
        return Unreadable(
            "encrypted",
            "工作簿设有打开密码,无法读取。请取消密码后重新保存并发送。",
            "The workbook is protected by a password. Remove the password, save and send it again.",
        )
    return Unreadable(
        "legacy_workbook",
        "文件是旧版 .xls(或其他 Office 97–2003)格式。请另存为 .xlsx 后发送。",
        "The file is in the old .xls (Office 97–2003) format. Save it as .xlsx and send that.",
    )


def _looks_like_html(data: bytes) -> bool:
    head = data[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith(b"<") and any(
        mark in head for mark in (b"<html", b"<!doctype", b"<table", b"<head", b"<meta")
    )
