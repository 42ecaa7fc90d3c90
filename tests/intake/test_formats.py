"""One small form in every format that is read: the same texts at the same places; and what each format could be abused for."""

from __future__ import annotations

import io
import socket
from pathlib import Path

import docx
import pytest

from disclosure_etl.intake.readers import read_document
from disclosure_etl.settings import ReadLimits
from schemas.documents import Grid, Merge, Unreadable
from tests.intake.printed import form_table, pdf
from tests.intake.sheets import package, parts_of

FILES = Path(__file__).parent / "files"
TITLE, SIGNED = "东城分局2014年5月报表", "填报人:张敏"
ROWS = [
    ["指标", "单位", "本月", ""],
    ["", "", "件数", "人数"],
    ["受理申请", "件", "20", "7"],
    ["答复合计", "件", "1,234", ""],
]
MERGES = {Merge(0, 0, 1, 0), Merge(0, 1, 1, 1), Merge(0, 2, 0, 3)}


def as_docx() -> bytes:
    document = docx.Document()
    document.add_paragraph(TITLE)
    table = document.add_table(len(ROWS), 4)
    for row, texts in enumerate(ROWS):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text
    for merge in MERGES:
        table.cell(merge.top, merge.left).merge(table.cell(merge.bottom, merge.right))
    document.add_paragraph(SIGNED)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


ODS = (
    '<office:document-content xmlns:office="urn:o" xmlns:table="urn:t" xmlns:text="urn:x"><office:body><office:spreadsheet>'
    '<table:table table:name="表">{}</table:table></office:spreadsheet></office:body></office:document-content>'
)
ODS_KIND = b"application/vnd.oasis.opendocument.spreadsheet"


def as_ods(rows: str | None = None, head: str = "") -> bytes:
    if rows is None:
        rows = "".join(
            f"<table:table-row>{''.join(_ods_cell(at, to) for to in range(4))}</table:table-row>" for at in range(4)
        )
    return package({"mimetype": ODS_KIND, "content.xml": (head + ODS.format(rows)).encode()})


def _ods_cell(row: int, column: int) -> str:
    spans = "".join(
        f' table:number-rows-spanned="{one.bottom - row + 1}" table:number-columns-spanned="{one.right - column + 1}"'
        for one in MERGES
        if (one.top, one.left) == (row, column)
    )
    said = ROWS[row][column]
    if not said:
        return "<table:table-cell/>"
    return f'<table:table-cell office:value-type="string"{spans}><text:p>{said}</text:p></table:table-cell>'


def as_html() -> bytes:
    return f"""<!DOCTYPE html><html><head><meta charset="gb2312"><title>月报</title></head><body><p>{TITLE}</p>
    <table><tr><th rowspan=2>指标</th><th rowspan=2>单位</th><th colspan=2>本月</th></tr><tr><th>件数<th>人数</tr>
    <tr><td>受理申请</td><td>件</td><td>20</td><td>7</td></tr>
    <tr><td>答复合计</td><td>件</td><td><b>1,234</b></td><td>&nbsp;</td></tr></table><p>{SIGNED}</p></body></html>
    """.encode("gb18030")


def as_drawn_text() -> bytes:
    lines = [f"| {' | '.join(row)} |" for row in ROWS]
    return "\n".join([TITLE, lines[0], "|---|---|---|---|", *lines[1:], SIGNED]).encode()


def as_csv(encoding: str) -> bytes:
    quoted = [",".join(f'"{text}"' if "," in text else text for text in row) for row in ROWS]
    return "\n".join(quoted).encode(encoding)


def as_pdf() -> bytes:
    return pdf(*form_table())


LAID_OUT = {"docx": as_docx, "ods": as_ods, "html": as_html, "pdf": as_pdf}
WITHOUT_SPANS = {
    "text": as_drawn_text,
    "csv in UTF-8": lambda: as_csv("utf-8"),
    "csv in GBK": lambda: as_csv("gbk"),
}


def texts(grid: Grid) -> list[list[str]]:
    """What stands in a grid, four columns wide."""
    return [[str(value or "").strip() for value in (row + [None] * 4)[:4]] for row in grid.values]


def code_of(data: bytes, limits: ReadLimits | None = None) -> str:
    with pytest.raises(Unreadable) as caught:
        read_document("a", data, limits or ReadLimits())
    assert caught.value.zh and caught.value.en
    return caught.value.code


@pytest.mark.parametrize("kind", [*LAID_OUT, *WITHOUT_SPANS])
def test_the_same_texts_stand_at_the_same_places(kind: str) -> None:
    found = read_document("a.xlsx", {**LAID_OUT, **WITHOUT_SPANS}[kind]())
    assert found.format == kind.split()[0]
    (grid,) = found.grids
    assert texts(grid) == ROWS


@pytest.mark.parametrize("kind", list(LAID_OUT))
def test_cells_that_span_are_merges(kind: str) -> None:
    (grid,) = read_document("a.xlsx", LAID_OUT[kind]()).grids
    assert set(grid.merges) == MERGES


@pytest.mark.parametrize("kind", ["docx", "html", "pdf", "text"])
def test_what_is_said_outside_the_table_is_running_text(kind: str) -> None:
    found = read_document("a.xlsx", {**LAID_OUT, **WITHOUT_SPANS}[kind]())
    assert [line for line in found.text.split("\n") if line.strip()] == [TITLE, SIGNED]
    assert [grid.table for grid in found.grids] == [1]


def test_a_small_digit_behind_a_figure_is_no_part_of_it() -> None:
    document = docx.Document()
    paragraph = document.add_table(1, 1).cell(0, 0).paragraphs[0]
    paragraph.add_run("20")
    paragraph.add_run("1").font.superscript = True
    buffer = io.BytesIO()
    document.save(buffer)
    said, lines = form_table()
    in_pdf = pdf([*said, (267, 734, "1", 6)], lines)
    (of_docx,), (of_html,), (of_pdf,) = (
        read_document("a", data).grids
        for data in (buffer.getvalue(), b"<table><tr><td>20<sup>1</sup></td></tr></table>", in_pdf)
    )
    assert (of_docx.values[0][0], of_html.values[0][0]) == ("20¹", "20¹")
    assert "".join(str(of_pdf.values[2][2]).split()) == "20¹"


def test_a_small_digit_in_an_ods_is_no_part_of_the_figure() -> None:
    style = '<style:style style:name="T1"><style:text-properties style:text-position="super 58%"/></style:style>'
    cell = '<table:table-cell office:value-type="string"><text:p>20<text:span text:style-name="T1">1</text:span></text:p></table:table-cell>'
    content = parts_of(as_ods(f"<table:table-row>{cell}</table:table-row>"))["content.xml"].decode()
    styled = content.replace(
        "<office:body>", f'<office:automatic-styles xmlns:style="urn:s">{style}</office:automatic-styles><office:body>'
    )
    (grid,) = read_document("a", package({"mimetype": ODS_KIND, "content.xml": styled.encode()})).grids
    assert grid.values == [["20¹"]]


def test_traditional_signs_in_big5_are_read() -> None:
    table = "填報單位,東城分局\n統計時期,一百零三年五月\n受理申請,件,二十\n"
    (grid,) = read_document("a.csv", table.encode("big5")).grids
    assert grid.values[2] == ["受理申請", "件", "二十"]


def test_a_workbook_of_1997_has_numbers_formats_and_merges() -> None:
    """The file is LibreOffice's own (`soffice --convert-to xls`): the form under a line with its title, figures as numbers."""
    (grid,) = read_document("a.csv", (FILES / "form.xls").read_bytes()).grids
    assert [row[:2] for row in grid.values[1:]] == [[one or None for one in row[:2]] for row in ROWS]
    assert (grid.values[3][2], grid.values[4][2], grid.formats[4, 2]) == (20, 1234, "#,##0")
    assert set(grid.merges) == {Merge(one.top + 1, one.left, one.bottom + 1, one.right) for one in MERGES}


def test_a_workbook_of_1997_cut_off_anywhere_is_read_or_refused() -> None:
    whole = (FILES / "form.xls").read_bytes()
    for end in range(8, len(whole), 97):
        _read_or_refused(whole[:end])


def test_a_pdf_cut_off_anywhere_is_read_or_refused() -> None:
    whole = as_pdf()
    for end in range(8, len(whole), 97):
        _read_or_refused(whole[:end])


def _read_or_refused(data: bytes) -> None:
    try:
        outcome = read_document("a", data).format
    except Unreadable as problem:
        outcome = problem.code
    assert outcome in {"xls", "pdf", "truncated", "scanned", "too_large"}


def test_a_scan_is_refused_and_the_sender_told_what_to_send() -> None:
    with pytest.raises(Unreadable, match="scan") as caught:
        read_document("a.pdf", pdf([], form_table()[1], pages=2))
    assert caught.value.code == "scanned"
    assert ".xlsx" in caught.value.zh


def test_each_page_of_a_pdf_has_its_tables() -> None:
    found = read_document("a.pdf", pdf(*form_table(), pages=2))
    assert [grid.table for grid in found.grids] == [1, 2]
    assert [texts(grid) for grid in found.grids] == [ROWS, ROWS]


def test_bold_that_is_printed_as_every_sign_twice_is_read_once() -> None:
    said, lines = form_table()
    (grid,) = read_document("a.pdf", pdf([*said, *((x + 0.3, y, text) for x, y, text, *_ in said)], lines)).grids
    assert texts(grid) == ROWS


def test_a_pdf_with_a_password_is_refused() -> None:
    locked = (
        b"/Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O <%s> /U <%s> >> /ID [<00> <00>] /Root 1 0 R"
        % (b"41" * 32, b"42" * 32)
    )
    assert code_of(as_pdf().replace(b"/Root 1 0 R", locked)) == "encrypted"


ENTITIES = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("part", ["word/document.xml", "content.xml"])
def test_a_part_that_declares_entities_is_refused(part: str, encoding: str) -> None:
    parts = parts_of(as_docx() if part.startswith("word") else as_ods())
    body = parts[part].decode().split("?>", 1)[-1]
    assert code_of(package({**parts, part: (ENTITIES + body).encode(encoding)})) == "unknown_format"


@pytest.mark.parametrize("kind", ["docx", "ods"])
def test_a_package_that_unpacks_to_too_much_is_refused_by_the_limit_that_it_meets(kind: str) -> None:
    bomb = package({**parts_of(LAID_OUT[kind]()), "media/image.png": b"\x00" * 12_000_000})
    for limits, name in (
        (ReadLimits(), "max_ratio"),
        (ReadLimits(max_uncompressed_bytes=10_000), "max_uncompressed_bytes"),
    ):
        with pytest.raises(Unreadable, match=f"limits.{name}") as caught:
            read_document("a", bomb, limits)
        assert caught.value.code == "too_large"


FAR = '<table:table-row table:number-rows-repeated="1000000">{}</table:table-row>'
FILLED = '<table:table-cell table:number-columns-repeated="16000" office:value-type="string"><text:p>1</text:p></table:table-cell>'
TOO_MANY = {
    "docx": as_docx,
    "html": lambda: b"<table><tr><td colspan=1000 rowspan=2>1</td></tr><tr><td>2</table>",
    "pdf": as_pdf,
    "text": as_drawn_text,
    "ods": lambda: as_ods(FAR.format(FILLED)),
    "xls": lambda: (FILES / "form.xls").read_bytes(),
}


@pytest.mark.parametrize("kind", list(TOO_MANY))
def test_more_cells_than_the_limit_are_refused(kind: str) -> None:
    with pytest.raises(Unreadable, match=r"limits\.max_cells") as caught:
        read_document("a", TOO_MANY[kind](), ReadLimits(max_cells=10))
    assert caught.value.code == "too_large"


def test_repeated_rows_without_anything_in_them_cost_nothing() -> None:
    (grid,) = read_document("a", as_ods(FAR.format("<table:table-cell/>"))).grids
    assert grid.values == []


def test_a_page_is_neither_run_nor_anything_of_it_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def reached(*_: object, **__: object) -> None:
        pytest.fail("the network was reached for")

    monkeypatch.setattr(socket, "socket", reached)
    monkeypatch.setattr(socket, "create_connection", reached)
    monkeypatch.setattr(socket, "getaddrinfo", reached)
    page = (
        '<!DOCTYPE html SYSTEM "http://example.invalid/a.dtd"><html><head><script src="http://example.invalid/a.js">'
        '</script><link rel="stylesheet" href="http://example.invalid/a.css"></head><body><img src="file:///etc/passwd">'
        '<iframe src="http://example.invalid/"></iframe><table><tr><td>受理申请</td><td>20</td></tr></table>'
        '<script>document.write("<table><tr><td>99</td></tr></table>")</script></body></html>'
    )
    found = read_document("a.xls", page.encode())
    assert [grid.values for grid in found.grids] == [[["受理申请", "20"]]]
    assert found.text == ""
