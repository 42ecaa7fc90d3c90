"""Bad files: each ends as Unreadable with its code and a reason in both languages, and nothing else is ever raised."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from disclosure_etl.intake.raw_store import digest_of
from disclosure_etl.intake.readers import read_document
from disclosure_etl.settings import ReadLimits
from schemas.documents import Unreadable
from tests.intake.sheets import good_return, package, parts_of

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
FORMATS = {"xlsx", "xls", "ods", "docx", "html", "csv", "text", "pdf"}
CODES = {
    "empty", "truncated", "encrypted", "legacy_document", "scanned", "unknown_format", "undecodable", "too_large",
}  # fmt: skip
TABLE = "填报单位,东城分局\n统计时期,2014-05\n指标,单位,本月\n受理申请,件,20\n"


def refusal(data: bytes, limits: ReadLimits | None = None, name: str = "东城分局_2014-05.xlsx") -> str:
    """The code that a file is refused with, its reason being told."""
    with pytest.raises(Unreadable) as caught:
        read_document(name, data, limits or ReadLimits())
    problem = caught.value
    assert problem.zh and problem.en and str(problem) == problem.en
    return problem.code


def outcome(data: bytes) -> str:
    """The format of the document that comes of `data`, or the code of its refusal."""
    try:
        return read_document("a.xlsx", data).format
    except Unreadable as problem:
        return problem.code


def with_part(name: str, content: bytes | None) -> bytes:
    """The good return with one part replaced, or left out."""
    parts = parts_of(good_return())
    parts.pop(name, None)
    return package(parts if content is None else {**parts, name: content})


BAD = {
    "nothing": (b"", "empty"),
    "spaces": (b" \r\n\t ", "empty"),
    "a byte order mark": (b"\xef\xbb\xbf", "empty"),
    "a byte order mark of UTF-16": (b"\xff\xfe", "empty"),
    "a control sign": (b"\x13", "unknown_format"),
    "zeros": (b"\x00" * 4096, "empty"),
    "an encrypted workbook": (OLE + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\x00" * 64, "encrypted"),
    "a workbook of 1997 without its sheets": (OLE + b"\x00" * 600 + "Workbook".encode("utf-16-le"), "truncated"),
    "a bare OLE signature": (OLE, "truncated"),
    "a text document of 1997": (OLE + b"\x00" * 600 + "WordDocument".encode("utf-16-le"), "legacy_document"),
    "a zip of a photograph": (package({"photo.jpg": b"\xff\xd8\xff"}), "unknown_format"),
    "a text document without its body": (package({"word/document.xml": b"<document/>"}), "truncated"),
    "a zip of nothing but a workbook file's name": (package({"xl/workbook.xml": b""}), "truncated"),
    "an empty zip": (package({}), "unknown_format"),
    "a photograph": (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)) * 8, "scanned"),
    "a picture of a screen": (b"\x89PNG\r\n\x1a\n" + bytes(64), "scanned"),
    "a fax": (b"II*\x00" + bytes(64), "scanned"),
    "a photograph of a telephone": (b"\x00\x00\x00\x18ftypheic" + bytes(64), "scanned"),
    "a sealed page": (package({"OFD.xml": b"<ofd:OFD/>"}), "scanned"),
    "an archive of another kind": (b"Rar!\x1a\x07\x01\x00" + bytes(64), "unknown_format"),
    "a PDF of nonsense": (b"%PDF-1.4\n" + bytes(range(256)) * 8, "truncated"),
    "text with a NUL": (TABLE.encode() + b"\x00", "unknown_format"),
    "text with control signs": (b"a,b\n" + bytes(range(1, 9)) * 4, "unknown_format"),
    "half a UTF-16 sign": (TABLE.encode("utf-16") + b"\x41", "unknown_format"),
    "Shift JIS": ("情報公開請求の受付件数、処理状況及び開示決定の内訳".encode("shift_jis"), "undecodable"),
    "Latin-1": ("Übermäßig große Zahl\n".encode("latin-1") * 3 + b"\xff", "undecodable"),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(BAD))
def test_a_bad_file_is_refused_with_its_code(kind: str) -> None:
    data, code = BAD[kind]
    assert refusal(data) == code


@pytest.mark.parametrize("name", ["a.xls", "a.csv", "a.XLSX", "a", ""])
def test_the_content_decides_and_never_the_suffix(name: str) -> None:
    assert read_document(name, good_return()).format == "xlsx"
    assert read_document(name, TABLE.encode()).format == "csv"
    assert read_document(name, b"<html><table><tr><td>1").format == "html"


def test_a_workbook_cut_off_anywhere_is_truncated() -> None:
    whole = good_return()
    lengths = {4, 5, 8, 30, 31, 100, 1000, len(whole) - 1, len(whole) - 21, *range(4, len(whole), len(whole) // 60)}
    assert {length: refusal(whole[:length]) for length in lengths} == dict.fromkeys(lengths, "truncated")


@pytest.mark.parametrize("end", [1, 2, 3])
def test_less_than_a_zip_signature_is_still_refused_or_text(end: int) -> None:
    assert outcome(good_return()[:end]) in FORMATS | CODES


def test_a_workbook_with_its_first_half_lost_is_refused() -> None:
    assert refusal(good_return()[len(good_return()) // 2 :]) in {"unknown_format", "undecodable"}


@pytest.mark.parametrize("part", ["xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"])
def test_a_workbook_without_a_part_that_it_needs_is_truncated(part: str) -> None:
    assert refusal(with_part(part, None)) == "truncated"


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml"])
def test_a_part_that_declares_entities_is_refused(part: str) -> None:
    declared = (
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]>' + parts_of(good_return())[part].split(b"?>", 1)[1]
    )
    assert refusal(with_part(part, declared)) == "unknown_format"


def test_a_part_with_a_wrong_checksum_is_truncated() -> None:
    parts = parts_of(good_return())
    stored = bytearray(package(parts, zipfile.ZIP_STORED))
    at = stored.index(b"<sheetData>") + 20
    stored[at] ^= 1
    assert refusal(bytes(stored)) == "truncated"


def test_a_zip_with_a_password_is_refused() -> None:
    data = bytearray(good_return())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(signature, at + 4)
    assert refusal(bytes(data)) in {"truncated", "encrypted"}


def test_each_limit_refuses_and_names_itself() -> None:
    bomb = with_part("xl/media/image.png", b"\x00" * 12_000_000)
    cases = {
        "max_bytes": (good_return(), ReadLimits(max_bytes=1000)),
        "max_uncompressed_bytes": (good_return(), ReadLimits(max_uncompressed_bytes=10_000)),
        "max_ratio": (bomb, ReadLimits()),
        "max_cells": (good_return(), ReadLimits(max_cells=100)),
    }
    for limit, (data, limits) in cases.items():
        with pytest.raises(Unreadable, match=f"limits.{limit}") as caught:
            read_document("a.xlsx", data, limits)
        assert caught.value.code == "too_large"


def test_a_csv_with_too_many_cells_or_too_long_a_cell_is_refused() -> None:
    assert refusal(b"1,2,3\n" * 50, ReadLimits(max_cells=100)) == "too_large"
    assert refusal(b'"' + b"a" * 3000, ReadLimits(max_bytes=2000)) == "too_large"


READ_FAR = """
import sys
from disclosure_etl.intake.readers import read_document
from schemas.documents import Unreadable
try:
    read_document("a.xlsx", sys.stdin.buffer.read())
except Unreadable as problem:
    print(problem.code)
"""


def test_a_cell_in_the_far_corner_of_a_sheet_is_refused_and_does_not_end_the_process() -> None:
    sheet = parts_of(good_return())["xl/worksheets/sheet1.xml"]
    far = sheet.replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>')
    ended = subprocess.run(
        [sys.executable, "-c", READ_FAR], input=with_part("xl/worksheets/sheet1.xml", far), capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, check=False, timeout=60,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout.strip()) == (0, b"too_large")


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le-bom", "utf-16-be-bom"]
)
def test_a_text_table_is_read_in_any_encoding_in_use(encoding: str) -> None:
    mark = "\ufeff" if encoding.endswith("-bom") else ""
    (grid,) = read_document("a.csv", (mark + TABLE).encode(encoding.removesuffix("-bom"))).grids
    assert grid.values[0] == ["填报单位", "东城分局"]
    assert grid.values[3] == ["受理申请", "件", "20"]


def test_signs_beyond_gbk_are_read_from_gb18030() -> None:
    (grid,) = read_document("a.csv", (TABLE + "填报人,㐀𠀀\n").encode("gb18030")).grids
    assert grid.values[4] == ["填报人", "㐀𠀀"]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_sign_between_cells_is_found(delimiter: str) -> None:
    (grid,) = read_document("a.csv", TABLE.replace(",", delimiter).encode()).grids
    assert grid.values[2] == ["指标", "单位", "本月"]


def test_a_text_table_is_not_converted() -> None:
    (grid,) = read_document("a.csv", '受理申请,007,23.80,"1,234", ,2014-05\n'.encode()).grids
    assert grid.values == [["受理申请", "007", "23.80", "1,234", None, "2014-05"]]


def test_a_document_is_known_by_the_digest_of_its_bytes() -> None:
    found = read_document("任意名称.xlsx", good_return())
    assert (found.digest, found.name) == (digest_of(good_return()), "任意名称.xlsx")


def read_or_refused(data: bytes) -> None:
    """Nothing but a document or a known refusal comes of `data`."""
    assert outcome(data) in FORMATS | CODES


@given(
    st.sampled_from([b"", b"PK\x03\x04", OLE, b"\xff\xfe", b"\xfe\xff", b"<html", b"\xef\xbb\xbf"]),
    st.binary(max_size=300),
)
def test_any_bytes_are_read_or_refused(head: bytes, rest: bytes) -> None:
    read_or_refused(head + rest)


@given(st.text(max_size=200), st.sampled_from(["utf-8", "gb18030", "utf-16"]))
def test_any_text_is_read_or_refused(text: str, encoding: str) -> None:
    read_or_refused(text.encode(encoding, "ignore"))


changes = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=8)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changes)
def test_a_workbook_with_damaged_bytes_is_read_or_refused(damage: list[tuple[int, int]]) -> None:
    data = bytearray(good_return())
    for at, value in damage:
        data[at % len(data)] = value
    read_or_refused(bytes(data))


PIECES = [
    b"<v>", b"</v>", b'<c r="C9">', b"</c>", b"<row>", b' t="e"', b' t="d"', b' t="n"', b's="9999"', b"&#xD800;", b"&amp",
    b"<f>", b"<f/>", b"9e999", b"NaN", b"", b"<!--", b"]]>", b'r="A0"', b'numFmtId="x"', b"1e27",
]  # fmt: skip
places = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 12), st.sampled_from(PIECES)), min_size=1, max_size=4)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml"]), places
)
def test_a_workbook_of_a_faulty_program_is_read_or_refused(part: str, damage: list[tuple[int, int, bytes]]) -> None:
    content = parts_of(good_return())[part]
    for at, cut, piece in damage:
        start = at % len(content)
        content = content[:start] + piece + content[start + cut :]
    read_or_refused(with_part(part, content))


def test_a_zip_that_lies_about_its_sizes_is_refused() -> None:
    data = bytearray(with_part("xl/media/image.png", b"\x00" * 12_000_000))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        packed = sum(info.compress_size for info in archive.infolist())
    at = data.index(b"xl/media/image.png", packed) - 46
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    read_or_refused(bytes(data))


def test_a_csv_with_an_unclosed_quotation_mark_is_refused_by_its_row() -> None:
    lines = ["指标,单位,本月", '接受咨询,人次,"9', "现场咨询,人次,5", "电话咨询,人次,4", "受理申请,件,20", "答复,件,20"]
    with pytest.raises(Unreadable) as caught:
        read_document("a.csv", "\n".join(lines).encode())
    assert caught.value.code == "unclosed_quote"
    assert "第 2 行" in caught.value.zh


def test_a_remark_of_several_lines_is_no_unclosed_quotation_mark() -> None:
    text = '指标,本月,备注\n接受咨询,9,"一\n二\n三\n四\n五"\n答复,20,"a,b\nc"\n'
    (grid,) = read_document("a.csv", text.encode()).grids
    assert [row[0] for row in grid.values] == ["指标", "接受咨询", "答复"]


@pytest.mark.parametrize(
    "text",
    [
        "单位:东城分局\n2014年5月,本局共受理申请20件,其中当面申请10件,信函申请9件。\n",
        "本局共受理申请20件,其中当面申请10件,信函申请9件等",
        "2014年\n本局主动公开信息7条,其中网站5条,微博3条",
    ],
)
def test_a_few_lines_of_words_are_running_text_whatever_their_commas(text: str) -> None:
    assert read_document("a.txt", text.encode()).text == text.rstrip("\n")


@pytest.mark.parametrize(
    "text",
    ["指标,本月\n受理申请,20\n备注,本局5月收到1件,补正1件,办结1件。\n", "受理申请,20\n当面申请,10\n", "受理申请,20"],
)
def test_a_table_with_a_remark_is_a_table(text: str) -> None:
    assert read_document("a.csv", text.encode()).format == "csv"
