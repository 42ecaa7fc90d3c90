"""From bytes to a Document, by a reader chosen by content and never by suffix. No reader knows a form or a bureau.

What only some formats need is imported when such a file comes: checking a workbook pays for no other reader.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import NamedTuple

from disclosure_etl.intake.decoding import decoded, decoded_page, unknown_format
from disclosure_etl.intake.delimited import read_delimited
from disclosure_etl.intake.limits import refused
from disclosure_etl.intake.packages import Package, encrypted, truncated
from disclosure_etl.intake.xlsx import read_xlsx
from disclosure_etl.settings import ReadLimits
from schemas.documents import SCANNED, Document, Grid, Unreadable

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BARE_BIFF = re.compile(rb"\x09[\x00\x02\x04\x08][\x04\x06\x08\x10]\x00\x00[\x02-\x06]|\x09\x00\x04\x00", re.DOTALL)
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OLE_TEXT = ("WordDocument".encode("utf-16-le"), "PowerPoint Document".encode("utf-16-le"))
_ZIP = b"PK\x03\x04"
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"II*\x00", b"MM\x00*")
_OTHER_ARCHIVES = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")
_PAGE_MARKS = (b"<html", b"<!doctype html", b"<table", b"<head", b"<meta", b"<body")


class _Content(NamedTuple):
    format: str
    grids: tuple[Grid, ...]
    text: str = ""


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
        raise _empty()
    try:
        content = _reader(data)(data, limits)
    except RecursionError as error:  # nested deeper than any office program writes
        raise truncated() from error
    return Document(name, hashlib.sha256(data).hexdigest(), content.format, content.grids, content.text)


def _reader(data: bytes) -> Callable[[bytes, ReadLimits], _Content]:
    """The reader for what the first bytes show."""
    if data.startswith(_ZIP):
        return _package
    if data.startswith(_OLE) or _BARE_BIFF.match(data):
        return _binary_workbook
    if b"%PDF-" in data[:1024]:
        return _pdf
    if (
        data.startswith(_PICTURES)
        or data[4:12] in (b"ftypheic", b"ftypmif1")
        or data[8:12] == b"WEBP"
        or _is_bitmap(data)
    ):
        raise _picture()
    if data.startswith(_OTHER_ARCHIVES):
        raise _other_archive()
    return _page if _looks_like_page(data) else _text


def _package(data: bytes, limits: ReadLimits) -> _Content:
    """One of the formats that are zip packages, told by the parts inside."""
    package = Package(data, limits)
    names, kind = package.names, package.read("mimetype", optional=True)[:100]
    if "xl/workbook.xml" in names:
        return _Content("xlsx", read_xlsx(package, limits))
    if kind.startswith(b"application/vnd.oasis.opendocument.spreadsheet"):
        from disclosure_etl.intake.ods import read_ods

        return _Content("ods", read_ods(package, limits))
    if "word/document.xml" in names:
        from disclosure_etl.intake.docx import read_docx

        return _Content("docx", *read_docx(package, limits))
    if "OFD.xml" in names:
        raise _picture()
    raise Unreadable(
        "unknown_format",
        "文件是压缩包,但不是 .xlsx、.ods 或 .docx。请直接发送填好的 .xlsx。",
        "The file is a package, but no .xlsx, .ods or .docx. Send the filled-in .xlsx.",
    )


def _binary_workbook(data: bytes, limits: ReadLimits) -> _Content:
    if _ENCRYPTED in data:
        raise encrypted()
    if any(mark in data for mark in _OLE_TEXT):
        raise Unreadable(
            "legacy_document",
            "文件是旧版 Office 97–2003 的文字或演示文稿(.doc、.wps、.ppt)。请另存为 .docx,或直接发送填好的 .xlsx。",
            "The file is a text or presentation of Office 97–2003 (.doc, .wps, .ppt). Save it as .docx, or send the "
            "filled-in .xlsx.",
        )
    from disclosure_etl.intake.xls import read_xls

    return _Content("xls", read_xls(data, limits))


def _pdf(data: bytes, limits: ReadLimits) -> _Content:
    from disclosure_etl.intake.pdf import read_pdf

    return _Content("pdf", *read_pdf(data, limits))


def _page(data: bytes, limits: ReadLimits) -> _Content:
    from disclosure_etl.intake.html import read_html

    return _Content("html", *read_html(decoded_page(data), limits))


def _text(data: bytes, limits: ReadLimits) -> _Content:
    """Text that is a table, that has some drawn in it, or has none."""
    text = decoded(data)
    if not text.strip("\ufeff\x1a \t\r\n"):
        raise _empty()
    head = text.lstrip("\ufeff \t\r\n")[:5]
    if head.startswith("<?xml"):
        raise unknown_format()
    if head.startswith("{") or (head.startswith("[") and text.rstrip().endswith("]") and '"observations"' in text):
        from disclosure_etl.intake.json_return import read_json

        return _Content("json", (read_json(text, limits),))
    from disclosure_etl.intake.plain_text import is_running_text, read_text

    if is_running_text(text):
        return _Content("text", *read_text(text, limits))
    return _Content("csv", (read_delimited(text, limits),))


def _looks_like_page(data: bytes) -> bool:
    head = data[:2048].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.replace(b"\x00", b"")[2:].lstrip()
    head = head.lower()
    return head.startswith(b"<") and any(mark in head for mark in _PAGE_MARKS)


def _is_bitmap(data: bytes) -> bool:
    return data.startswith(b"BM") and int.from_bytes(data[2:6], "little") == len(data)


def _picture() -> Unreadable:
    return Unreadable(
        SCANNED,
        "文件是图片或 OFD 版式文件(多为盖章扫描件),不从中读取数字。请同时发送填好的 .xlsx;扫描件会作为附件随该份报表保存。",
        "The file is a picture or an OFD page (a sealed scan, mostly), from which no figures are read. Send the filled-in .xlsx "
        "with it; the scan is then kept as an attachment of that return.",
    )


def _other_archive() -> Unreadable:
    return Unreadable(
        "unknown_format",
        "文件是 .rar、.7z 或 .gz 压缩包,不能打开。请改用 .zip 打包,或直接发送填好的 .xlsx。",
        "The file is an archive of the kind .rar, .7z or .gz, which is not opened. Pack it as .zip, or send the filled-in .xlsx.",
    )


def _empty() -> Unreadable:
    return Unreadable(
        "empty", "文件是空的,没有任何内容。请重新保存并发送。", "The file is empty. Save and send it again."
    )
