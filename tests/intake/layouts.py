"""One description of a filled-in return (rows of texts as displayed, spans), the ways in which offices rearrange such a
table, and a writer of it for each format that is read. No assertion in here."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape

import xlsxwriter

from disclosure_etl.intake.displayed import displayed
from disclosure_etl.intake.readers import read_document
from schemas.documents import Merge
from schemas.records import Submission
from tests.intake.printed import Line, Said, pdf
from tests.intake.sheets import NAME, good_return, package

_PLAIN_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_WIDE_DIGITS = str.maketrans("0123456789.", "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff0e")
HEADING, LABEL, MONTH, YEAR_TO_DATE = 7, 0, 2, 3  # the row of headings; columns


@dataclass(frozen=True)
class Sheet:
    """One table: the texts of its rows, all of one length, and its spans."""

    rows: tuple[tuple[str, ...], ...]
    merges: frozenset[Merge] = frozenset()
    name: str = "统计表"

    def mapped(self, change: Callable[[int, tuple[str, ...]], Sequence[str]]) -> Sheet:
        """The same with each row changed, by its number."""
        return replace(self, rows=tuple(tuple(change(at, row)) for at, row in enumerate(self.rows)))

    def with_rows(self, at: int, *rows: Sequence[str]) -> Sheet:
        """The same with rows put in before row `at`; a span is below them or above, as its first row is."""
        filled = tuple((*row, *[""] * (len(self.rows[0]) - len(row))) for row in rows)
        moved = (one if one.top < at else replace(one, top=one.top + len(rows), bottom=one.bottom + len(rows))
                 for one in self.merges)  # fmt: skip
        return replace(self, rows=(*self.rows[:at], *filled, *self.rows[at:]), merges=frozenset(moved))

    def with_column(self, text: Callable[[int], str]) -> Sheet:
        """The same with a column at the left."""
        moved = frozenset(replace(one, left=one.left + 1, right=one.right + 1) for one in self.merges)
        return replace(self.mapped(lambda at, row: (text(at), *row)), merges=moved)

    def row_of(self, text: str) -> int:
        """The row that a text stands in."""
        return next(at for at, row in enumerate(self.rows) if text in row)


@lru_cache(maxsize=1)
def filled_in() -> Sheet:
    """The good return as it is seen, without the instructions below it."""
    (grid,) = read_document(NAME, good_return()).grids
    rows = []
    for at, cells in enumerate(grid.values[:-1]):
        texts = []
        for column, value in enumerate(cells):
            shown = displayed(value, grid.formats.get((at, column))) if isinstance(value, float) else None
            texts.append(shown.text if shown else str(value or ""))
        rows.append(tuple(texts))
    return Sheet(tuple(rows), frozenset(grid.merges))


def understood(read: Submission) -> tuple[object, ...]:
    """What a return says, wherever it stands and however it is written."""
    cells = tuple(zip(read.numbers, read.meanings, read.decimals, read.troubles, strict=True))
    return (read.bureau, read.period, read.header, cells, read.unread, read.findings)


# --- the ways in which offices rearrange it -------------------------------------------------------------------------------


def _merged_title(sheet: Sheet) -> Sheet:
    moved = sheet.with_rows(0, ["东城区政府信息公开工作统计"], [], [])
    return replace(moved, merges=moved.merges | {Merge(0, 0, 0, len(moved.rows[0]) - 1)})


def _ordinals(sheet: Sheet) -> Sheet:
    return sheet.with_column(lambda at: "序号" if at == HEADING else str(at - HEADING) if at > HEADING else "")


def _remarks(sheet: Sheet) -> Sheet:
    return sheet.with_rows(sheet.row_of("受理申请"), [], ["以下由业务科填写", "", "见附件"])


def _blocks_exchanged(sheet: Sheet) -> Sheet:
    first, second, rows = sheet.row_of("五、行政复议"), sheet.row_of("六、行政诉讼"), sheet.rows
    new = rows[:first] + rows[second:] + rows[first:second]
    kept = frozenset(one for one in sheet.merges if one.top < first)
    titles = (at for at, row in enumerate(new) if row[LABEL] in ("五、行政复议", "六、行政诉讼"))
    return replace(sheet, rows=new, merges=kept | {Merge(at, 0, at, 4) for at in titles})


def _rows_exchanged(sheet: Sheet) -> Sheet:
    first, rows = sheet.row_of("接受咨询"), sheet.rows
    return replace(sheet, rows=rows[:first] + rows[first : first + 4][::-1] + rows[first + 4 :])


def _columns_exchanged(sheet: Sheet) -> Sheet:
    def exchanged(at: int, row: tuple[str, ...]) -> Sequence[str]:
        return (*row[:MONTH], row[YEAR_TO_DATE], row[MONTH], *row[YEAR_TO_DATE + 1 :]) if at >= HEADING else row

    return sheet.mapped(exchanged)


def _header_in_lines(sheet: Sheet) -> Sheet:
    """Every field of the header in a row of its own, at the right; who signed stands below the table."""
    pairs = [(row[at], row[at + 1]) for row in sheet.rows[1 : HEADING - 1] for at in (0, 2) if row[at + 1]]
    above = [("", "", f"{label}:", value) for label, value in pairs[:4]]
    cut = replace(sheet, rows=sheet.rows[:1] + sheet.rows[HEADING:], merges=_moved(sheet.merges, 1 - HEADING))
    return cut.with_rows(1, *above).with_rows(len(cut.rows) + len(above), [], *pairs[4:])


def _header_in_one_cell(sheet: Sheet) -> Sheet:
    texts = [f"{row[at]}:{row[at + 1]}" for row in sheet.rows[1 : HEADING - 1] for at in (0, 2) if row[at + 1]]
    cut = replace(sheet, rows=sheet.rows[:1] + sheet.rows[HEADING:], merges=_moved(sheet.merges, 1 - HEADING))
    wide = cut.with_rows(1, [" ".join(texts[:4])], texts[4:])
    return replace(wide, merges=wide.merges | {Merge(1, 0, 1, len(wide.rows[0]) - 1)})


def _moved(merges: frozenset[Merge], rows: int) -> frozenset[Merge]:
    return frozenset(replace(one, top=one.top + rows, bottom=one.bottom + rows) if one.top else one for one in merges)


def _numbered(sheet: Sheet) -> Sheet:
    """Labels numbered (一) and 1., figures with full-width digits."""

    def numbered(at: int, row: tuple[str, ...]) -> Sequence[str]:
        if at <= HEADING:
            return row
        sign = "(一)" if at % 3 == 0 else f"{at}."
        return (
            sign + row[LABEL] if row[1] else row[LABEL],
            row[1],
            *(text.translate(_WIDE_DIGITS) for text in row[2:]),
        )

    return sheet.mapped(numbered)


def _spanned(sheet: Sheet) -> Sheet:
    """Block titles at the side over all rows of the block, and a heading of two rows with 数量 over both figures."""
    words = ("填写", "情况说明")  # below the table
    titles = [
        at for at, row in enumerate(sheet.rows) if at > HEADING and not row[1] and not str(row[LABEL]).startswith(words)
    ]
    side = {at + 1: sheet.rows[at][LABEL] for at in titles}
    wide = sheet.with_column(lambda at: side.get(at, "类别" if at == HEADING else ""))
    kept = [at for at in range(len(wide.rows)) if at not in titles]
    rows = [wide.rows[at] for at in kept]
    heading = rows[HEADING]
    upper = (*heading[:3], "数量", "", *heading[5:])
    lower = ("", "", "", *heading[3:5], *[""] * len(heading[5:]))
    merges = {Merge(0, 0, 0, 5), Merge(HEADING, 3, HEADING, 4)}
    merges |= {Merge(HEADING, at, HEADING + 1, at) for at in (0, 1, 2, 5, 6, 7)}
    starts = [kept.index(at + 1) + 1 for at in titles]
    merges |= {Merge(at, 0, end - 1, 0) for at, end in zip(starts, [*starts[1:], len(rows) + 1], strict=True)}
    return Sheet((*rows[:HEADING], upper, lower, *rows[HEADING + 1 :]), frozenset(merges), sheet.name)


Shift = Callable[[Sheet], Sequence[Sheet]]
COVER = Sheet((("填表须知", ""), ("一、请于每月 5 日前报出", ""), ("联系人", "王五")), name="封面")
SHIFTS: dict[str, Shift] = {
    "as it is": lambda sheet: [sheet],
    "a title and blank rows above": lambda sheet: [_merged_title(sheet)],
    "a blank column at the left": lambda sheet: [sheet.with_column(lambda _: "")],
    "a column of ordinals at the left": lambda sheet: [_ordinals(sheet)],
    "a blank row and a remark between": lambda sheet: [_remarks(sheet)],
    "blocks exchanged": lambda sheet: [_blocks_exchanged(sheet)],
    "rows of a block exchanged": lambda sheet: [_rows_exchanged(sheet)],
    "year to date before the month": lambda sheet: [_columns_exchanged(sheet)],
    "sheet renamed": lambda sheet: [replace(sheet, name="Sheet1 (2)")],
    "another table before": lambda sheet: [COVER, sheet],
    "header in lines, signed below": lambda sheet: [_header_in_lines(sheet)],
    "header in one cell": lambda sheet: [_header_in_one_cell(sheet)],
    "labels numbered, digits full-width": lambda sheet: [_numbered(sheet)],
    "blocks at the side, heading of two rows": lambda sheet: [_spanned(sheet)],
}


# --- a writer for each format ---------------------------------------------------------------------------------------------


def as_xlsx(sheets: Sequence[Sheet]) -> bytes:
    """Figures as numbers in the format that shows them so."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    ruled = {"border": 1}  # without which nothing of a table is left in a print
    formats = {at: book.add_format({**ruled, "num_format": f"0.{'0' * at}".rstrip(".")}) for at in range(3)}
    plain = book.add_format(ruled)
    for one in sheets:
        sheet = book.add_worksheet(one.name)
        sheet.fit_to_pages(1, 1)
        sheet.set_column(0, len(one.rows[0]) - 1, 24)  # a print shows no more of a label than its column is wide
        for merge in one.merges:
            sheet.merge_range(merge.top, merge.left, merge.bottom, merge.right, "", plain)
        for row, texts in enumerate(one.rows):
            for column, text in enumerate(texts):
                if _PLAIN_NUMBER.fullmatch(text) and row >= HEADING:
                    sheet.write_number(row, column, float(text), formats[len(text.partition(".")[2])])
                elif text:
                    sheet.write_string(row, column, text, plain)
                elif row >= HEADING:
                    sheet.write_blank(row, column, None, plain)
    book.close()
    return buffer.getvalue()


def _corners(sheet: Sheet) -> dict[tuple[int, int], Merge]:
    """The span of each place that one covers."""
    return {
        (row, column): one
        for one in sheet.merges
        for row in range(one.top, one.bottom + 1)
        for column in range(one.left, one.right + 1)
    }


def _laid(sheet: Sheet, cell: Callable[[str, int, int], str], covered: Callable[[int, int], str], row: str) -> str:
    """The rows as markup: `cell` of text, rows and columns; `covered` of how far right of its span's first column a covered
    place stands, and of the span's columns."""
    spans = _corners(sheet)
    lines = []
    for at, texts in enumerate(sheet.rows):
        parts = []
        for column, text in enumerate(texts):
            span = spans.get((at, column), Merge(at, column, at, column))
            wide = span.right - span.left + 1
            if (at, column) == (span.top, span.left):
                parts.append(cell(escape(text), span.bottom - span.top + 1, wide))
            else:
                parts.append(covered(column - span.left, wide))
        lines.append(row.format("".join(parts)))
    return "".join(lines)


def as_html(sheets: Sequence[Sheet]) -> bytes:
    """A saved page in GBK, in letters so small that it prints on one."""
    tables = (
        _laid(
            one, lambda text, tall, wide: f"<td rowspan={tall} colspan={wide}>{text}</td>", lambda *_: "", "<tr>{}</tr>"
        )
        for one in sheets
    )
    body = "".join(f"<table border=1>{one}</table>" for one in tables)
    return (
        f'<html><head><meta charset="gbk"><style>td {{font-size: 5pt}}</style></head><body>{body}</body></html>'.encode(
            "gb18030"
        )
    )


_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def as_docx(sheets: Sequence[Sheet]) -> bytes:
    """A text document, written as Word writes spans: gridSpan across, vMerge down."""

    def cell(text: str, tall: int, wide: int, goes_on: bool = False) -> str:
        merge = "<w:vMerge/>" if goes_on else '<w:vMerge w:val="restart"/>' if tall > 1 else ""
        return (
            f'<w:tc><w:tcPr><w:gridSpan w:val="{wide}"/>{merge}</w:tcPr><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>'
        )

    def covered(right: int, wide: int) -> str:
        return "" if right else cell("", 1, wide, goes_on=True)

    tables = "".join(f"<w:tbl>{_laid(one, cell, covered, '<w:tr>{}</w:tr>')}</w:tbl><w:p/>" for one in sheets)
    document = f"<w:document {_W}><w:body>{tables}</w:body></w:document>"
    return package({"word/document.xml": document.encode()})


_ODS_NAMES = 'xmlns:office="urn:o" xmlns:table="urn:t" xmlns:text="urn:x"'


def as_ods(sheets: Sequence[Sheet]) -> bytes:
    """A spreadsheet: figures as numbers with the text that they show."""

    def cell(text: str, tall: int, wide: int) -> str:
        kind = f'float" office:value="{text}' if _PLAIN_NUMBER.fullmatch(text) else "string"
        spans = f' table:number-rows-spanned="{tall}" table:number-columns-spanned="{wide}"' if tall * wide > 1 else ""
        said = f' office:value-type="{kind}"{spans}><text:p>{text}</text:p>' if text else f"{spans}>"
        return f"<table:table-cell{said}</table:table-cell>"

    tables = "".join(
        f'<table:table table:name="{one.name}">'
        + _laid(one, cell, lambda *_: "<table:covered-table-cell/>", "<table:table-row>{}</table:table-row>")
        + "</table:table>"
        for one in sheets
    )
    body = f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
    content = f"<office:document-content {_ODS_NAMES}>{body}</office:document-content>"
    kind = b"application/vnd.oasis.opendocument.spreadsheet"
    return package({"mimetype": kind, "content.xml": content.encode()})


def as_delimited(sheets: Sequence[Sheet], sign: str, encoding: str) -> bytes:
    """A text table: what a span covers is empty."""
    (one,) = sheets
    return "\r\n".join(sign.join(row) for row in one.rows).encode(encoding)


def as_drawn_text(sheets: Sequence[Sheet]) -> bytes:
    """Text with upright lines between cells."""
    return "\n\n".join("\n".join(f"| {' | '.join(row)} |" for row in one.rows) for one in sheets).encode()


_WIDE, _TALL, _LEFT, _TOP = 74.0, 10.0, 5.0, 835.0  # points


def as_pdf(sheets: Sequence[Sheet]) -> bytes:
    """One page with ruled lines around every cell."""
    said: list[Said] = []
    lines: set[Line] = set()
    top = _TOP
    for one in sheets:
        spans = _corners(one)
        for row, texts in enumerate(one.rows):
            for column, text in enumerate(texts):
                span = spans.get((row, column), Merge(row, column, row, column))
                if (row, column) != (span.top, span.left):
                    continue
                x0, x1 = (_LEFT + at * _WIDE for at in (span.left, span.right + 1))
                y1, y0 = (top - at * _TALL for at in (span.top, span.bottom + 1))
                lines |= {(x0, y0, x1, y0), (x0, y1, x1, y1), (x0, y0, x0, y1), (x1, y0, x1, y1)}
                if text:
                    said.append((x0 + 2, y1 - 8, text, 5.5 if len(text) > 9 else 7))
        top -= (len(one.rows) + 1) * _TALL
    return pdf(said, sorted(lines))


Writer = Callable[[Sequence[Sheet]], bytes]
WRITERS: dict[str, Writer] = {
    "xlsx": as_xlsx,
    "ods": as_ods,
    "csv in UTF-8": lambda sheets: as_delimited(sheets, ",", "utf-8-sig"),
    "csv in GB18030": lambda sheets: as_delimited(sheets, ",", "gb18030"),
    "tsv": lambda sheets: as_delimited(sheets, "\t", "utf-8"),
    "docx": as_docx,
    "html": as_html,
    "pdf": as_pdf,
    "text": as_drawn_text,
}
