"""Printed documents (.pdf) that bear their text: tables with the cells that span, and the running text outside of them.

Not here: scans, which are pictures of a text. Nobody guesses figures from a picture; the sender is told what to send instead.
"""

from __future__ import annotations

import logging
import re
from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pdfminer.pdfdocument import PDFEncryptionError
from pdfplumber.utils import extract_text

from disclosure_etl.intake.laid_out import Tables
from disclosure_etl.intake.limits import refused
from disclosure_etl.intake.packages import encrypted, truncated
from disclosure_etl.intake.pdf_columns import AlignedTable, aligned_tables
from disclosure_etl.intake.pdf_lines import Sign, printed_lines
from disclosure_etl.intake.pdf_opened import opened_pdf
from disclosure_etl.intake.pdf_pages import PageTable, PrintedPage, PrintedText, TableCell, goes_on, tables_of
from disclosure_etl.intake.raised_text import lowered, raised
from disclosure_etl.settings import ReadLimits
from schemas.documents import SCANNED, Grid, Unreadable

if TYPE_CHECKING:
    from pdfplumber.page import Page
    from pdfplumber.table import Table

_SAME = 3.0  # points: lines nearer to each other than that are drawn as one
_SAME_SIGN = 1.0  # points: a sign that is no further from the same one is that one
_SMALL = 0.75  # of the size of the signs around: a raised or lowered sign
_BETWEEN_HAN = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef])\n(?=[\u3000-\u9fff\uff00-\uffef])")
_UNMAPPED = re.compile(r"\(cid:\d+\)")


def read_pdf(data: bytes, limits: ReadLimits) -> tuple[tuple[Grid, ...], str]:
    """The tables of a document, page by page, and its text outside of them, a printed line a line.

    A table that goes on over a page is one, and a heading that is printed again there is read once.

    Raises:
        Unreadable: damaged (truncated), with a password (encrypted), without text (scanned), or with more signs or cells
            than `limits.max_cells` (too_large).
    """
    logging.getLogger("pdfminer").setLevel(logging.CRITICAL)  # it tells of every font that is odd, to nobody's use
    pages: list[PrintedPage] = []
    try:
        for page in opened_pdf(data, limits):
            pages.append(_page(page, pages[-1] if pages else None))
    except Unreadable:
        raise
    except PDFEncryptionError as error:
        raise encrypted() from error
    except MemoryError as error:
        raise refused("max_cells", limits.max_cells + 1, limits.max_cells) from error
    except Exception as error:  # pdfminer takes a file at its word: on a damaged one anything may be raised inside it
        raise truncated() from error
    if not pages:
        raise truncated()
    tables = Tables(limits)
    grids = [tables.grid(tables.number(), one.laid_out()) for one in tables_of(pages)]
    text = "\n".join(line.text for page in pages for line in page.lines)
    if not _says_something(grids, text):
        raise _scanned()
    return tuple(grids), text


def _page(page: Page, before: PrintedPage | None) -> PrintedPage:
    """A page: its tables, and everything else as lines."""
    page = _printed_once(page)
    ruled = [table for table in page.find_tables() if _is_ruled_throughout(page, table)]
    boxes = [table.bbox for table in ruled]
    outside = page.filter(lambda thing: not any(_within(thing, box) for box in boxes)) if boxes else page
    lines = printed_lines(outside.chars)
    goes_on_here = before is not None and bool(before.tables) and not before.tables[-1].ruled
    found = _shown(page, ruled, outside, aligned_tables(lines, goes_on=goes_on_here))
    if goes_on_here and before is not None and not goes_on(before, found):
        found = _shown(page, ruled, outside, aligned_tables(lines))
    return found


def _printed_once(page: Page) -> Page:
    """The page without the signs that stand on the same ones: bold is often printed so, and 20 would be 2200. pdfplumber's own way
    takes minutes for fifty thousand signs."""
    places: dict[tuple[str, str, float, int, int], tuple[float, float]] = {}
    again: set[int] = set()
    for sign in page.chars:
        kind, across, down = (sign["text"], sign["fontname"], sign["size"]), sign["x0"], sign["top"]
        square = int(across // _SAME_SIGN), int(down // _SAME_SIGN)
        around = (
            places.get((*kind, square[0] + right, square[1] + below)) for right in (-1, 0, 1) for below in (-1, 0, 1)
        )
        if any(one and max(abs(one[0] - across), abs(one[1] - down)) <= _SAME_SIGN for one in around):
            again.add(id(sign))
        places[*kind, *square] = (across, down)
    return page.filter(lambda thing: id(thing) not in again) if again else page


def _is_ruled_throughout(page: Page, table: Table) -> bool:
    """Whether lines part its columns and rows, and not only some of them: a frame, a tinted heading or level lines do not."""
    lefts, tops = _places(cell[0] for cell in table.cells), _places(cell[1] for cell in table.cells)
    inside = printed_lines(sign for sign in page.chars if _within(sign, table.bbox))
    return len(lefts) > 1 and not any(
        len(one.columns) > len(lefts) or one.figure_rows > len(tops) for one in aligned_tables(inside)
    )


def _shown(page: Page, ruled: list[Table], outside: Page, aligned: list[AlignedTable]) -> PrintedPage:
    tables = [*(_ruled(page, table) for table in ruled), *map(_aligned, aligned)]
    inside = {id(sign) for table in aligned for line in table.lines for piece in line.pieces for sign in piece.signs}
    rest = outside.filter(lambda thing: id(thing) not in inside) if inside else outside
    said = rest.extract_text_lines(return_chars=False)
    lines = (PrintedText(line["text"].strip(), line["top"]) for line in said if line["text"].strip())
    return PrintedPage(tuple(sorted(tables, key=lambda table: table.top)), tuple(lines))


def _aligned(table: AlignedTable) -> PageTable:
    rows = (
        tuple(
            TableCell(_text(sign for piece in one.pieces for sign in piece.signs), one.column, one.columns, one.rows)
            for one in row
        )
        for row in table.rows
    )
    return PageTable(table.columns, tuple(rows), table.lines[0].top, table.lines[-1].bottom, ruled=False)


def _text(signs: Iterable[Sign]) -> str:
    return _BETWEEN_HAN.sub("", extract_text(_set_off(list(signs))))


def _within(thing: Sign, box: tuple[float, float, float, float]) -> bool:
    across, down = _middle(thing)
    return bool(box[0] <= across <= box[2] and box[1] <= down <= box[3])


def _middle(thing: Sign) -> tuple[float, float]:
    return (thing["x0"] + thing["x1"]) / 2, (thing["top"] + thing["bottom"]) / 2


def _ruled(page: Page, table: Table) -> PageTable:
    """A ruled table. A cell goes over as many columns and rows as there are lines of the table inside its frame."""
    lefts, tops = _places(cell[0] for cell in table.cells), _places(cell[1] for cell in table.cells)
    frames: dict[tuple[int, int], tuple[int, int]] = {}  # first place → columns, rows
    first_of: dict[tuple[int, int], tuple[int, int]] = {}
    for left, top, right, bottom in sorted(table.cells, key=lambda cell: (cell[1], cell[0])):
        row, column = _at(tops, top), _at(lefts, left)
        wide, tall = max(_before(lefts, right) - column, 1), max(_before(tops, bottom) - row, 1)
        frames[row, column] = (wide, tall)
        places = ((line, at) for line in range(row, row + tall) for at in range(column, column + wide))
        first_of.update(dict.fromkeys(places, (row, column)))
    signs: dict[tuple[int, int], list[Sign]] = defaultdict(list)
    for sign in page.chars:
        if _within(sign, table.bbox):
            across, down = _middle(sign)
            place = (bisect(tops, down) - 1, bisect(lefts, across) - 1)
            signs[first_of.get(place, place)].append(sign)
    rows = (
        tuple(
            TableCell(
                _text(signs[row, column]) if (row, column) in signs else "", column, *frames.get((row, column), (1, 1))
            )
            for column in range(len(lefts))
            if first_of.get((row, column), (row, column)) == (row, column)
        )
        for row in range(len(tops))
    )
    columns = zip(lefts, [*lefts[1:], table.bbox[2]], strict=True)
    return PageTable(tuple(columns), tuple(rows), table.bbox[1], table.bbox[3], ruled=True)


def _set_off(signs: list[Sign]) -> list[Sign]:
    """The signs of a cell, small digits among larger ones as the signs for raised or lowered ones: 20 with a small 1 behind it
    is no 201."""
    large = max(sign["size"] for sign in signs)
    middles = [_middle(sign)[1] for sign in signs if sign["size"] > large * _SMALL]
    return [
        {**sign, "text": (raised if min(middles, key=lambda one: abs(one - down)) > down else lowered)(sign["text"])}
        if sign["size"] <= large * _SMALL and sign["text"].isdigit()
        else sign
        for sign, down in ((sign, _middle(sign)[1]) for sign in signs)
    ]


def _places(found: Iterator[float]) -> list[float]:
    places: list[float] = []
    for one in sorted(set(found)):
        if not places or one - places[-1] > _SAME:
            places.append(one)
    return places


def _at(places: list[float], place: float) -> int:
    """The place that is meant, which is the nearest."""
    return min(range(len(places)), key=lambda index: abs(places[index] - place))


def _before(places: list[float], place: float) -> int:
    return sum(one < place - _SAME for one in places)


def _says_something(grids: list[Grid], text: str) -> bool:
    """Whether there is a sign that means something: signs of a font that tells no letters are no better than a picture."""
    cells = (value for grid in grids for row in grid.values for value in row if isinstance(value, str))
    return any(_UNMAPPED.sub("", one).strip() for one in (text, *cells))


def _scanned() -> Unreadable:
    return Unreadable(
        SCANNED,
        "这份 PDF 是扫描件或图片,里面没有文字,不从图片中读取数字。请同时发送填好的 .xlsx(扫描件会作为它的附件保存),或由 .docx、"
        ".xlsx 直接导出的 PDF。",
        "This PDF is a scan or a picture without text, and no figures are read from pictures. Send the filled-in .xlsx with it "
        "(the scan is then kept as its attachment), or a PDF exported directly from the .docx or .xlsx.",
    )
