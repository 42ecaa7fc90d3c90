"""Workbooks of the binary format (.xls, .et): values, number formats and merged ranges through xlrd.

Not here: macros, which nobody runs; and formulas, of which the file tells nothing but their last result.
"""

from __future__ import annotations

import io
from datetime import datetime
from itertools import pairwise

import xlrd
from xlrd import compdoc
from xlrd.biffh import XL_CELL_BOOLEAN, XL_CELL_DATE, XL_CELL_ERROR, XL_CELL_NUMBER, XL_CELL_TEXT, error_text_from_code

from disclosure_etl.intake.displayed import displayed
from disclosure_etl.intake.limits import refused
from disclosure_etl.intake.packages import encrypted, truncated
from disclosure_etl.intake.raised_text import lowered, raised
from disclosure_etl.settings import ReadLimits
from schemas.documents import CellValue, Grid, Merge, Oddity, Unreadable


def read_xls(data: bytes, limits: ReadLimits) -> tuple[Grid, ...]:
    """The sheets of a workbook, in order.

    Raises:
        Unreadable: damaged (truncated), with a password (encrypted), or over a limit (too_large).
    """
    try:
        _check_chains(data)
        book = xlrd.open_workbook(file_contents=data, formatting_info=True, on_demand=True, ragged_rows=True,
                                  logfile=io.StringIO())  # fmt: skip
        grids: list[Grid] = []
        cells = 0
        for index in range(book.nsheets):
            sheet = book.sheet_by_index(index)
            cells += sum(sheet.row_len(row) for row in range(sheet.nrows))
            if cells > limits.max_cells:
                raise refused("max_cells", cells, limits.max_cells)
            grids.append(_grid(book, sheet))
            book.unload_sheet(index)
    except Unreadable:
        raise
    except xlrd.XLRDError as error:
        if "encrypted" in str(error).lower():
            raise encrypted() from error
        raise truncated() from error
    except MemoryError as error:
        raise refused("max_cells", limits.max_cells + 1, limits.max_cells) from error
    except Exception as error:  # xlrd takes a file at its word: on a damaged one anything may be raised inside it
        raise truncated() from error
    return tuple(grids)


def _check_chains(data: bytes) -> None:
    """A chain of short sectors that bites its tail would be followed for ever."""
    if not data.startswith(compdoc.SIGNATURE):
        return
    following = compdoc.CompDoc(data, logfile=io.StringIO()).SSAT
    seen_from = [-1] * len(following)  # the start from which a sector was first reached
    for start in range(len(following)):
        at = start
        while 0 <= at < len(following) and seen_from[at] < 0:
            seen_from[at] = start
            at = following[at]
        if 0 <= at < len(following) and seen_from[at] == start:
            raise truncated()


def _grid(book: xlrd.Book, sheet: xlrd.sheet.Sheet) -> Grid:
    formats: dict[tuple[int, int], str] = {}
    displays: dict[tuple[int, int], str] = {}
    oddities: dict[tuple[int, int], Oddity] = {}
    values: list[list[CellValue]] = []
    for row in range(sheet.nrows):
        cells: list[CellValue] = []
        for column in range(sheet.row_len(row)):
            place, kind, value = (row, column), sheet.cell_type(row, column), sheet.cell_value(row, column)
            taken: CellValue = None
            if kind == XL_CELL_TEXT:
                taken = _set_off(book, sheet, place, value) or None
            elif kind in (XL_CELL_NUMBER, XL_CELL_DATE):
                code = _format(book, sheet.cell_xf_index(row, column))
                if displayed(value, code) is None:
                    taken = day = _day(book, value)
                    displays[place] = f"{day:%Y-%m-%d}" if day else f"{value:g}"
                else:
                    taken = value
                    if code is not None:
                        formats[place] = code
            elif kind == XL_CELL_BOOLEAN:
                taken = bool(value)
            elif kind == XL_CELL_ERROR:
                displays[place], oddities[place] = error_text_from_code.get(value, "#ERROR"), Oddity.ERROR_VALUE
            cells.append(taken)
        values.append(cells)
    merges = tuple(Merge(top, left, bottom - 1, right - 1) for top, bottom, left, right in sheet.merged_cells)
    return Grid(sheet.name, values, formats, displays, oddities, merges, sheet.visibility != 0)


def _set_off(book: xlrd.Book, sheet: xlrd.sheet.Sheet, place: tuple[int, int], text: str) -> str:
    """A text with the signs for raised and lowered parts: 20 with a small 1 behind it is no 201."""
    starts = [(0, None), *sheet.rich_text_runlist_map.get(place, ()), (len(text), None)]
    parts = []
    for (start, font), (end, _) in pairwise(starts):
        how = 0 if font is None else book.font_list[font].escapement
        parts.append({1: raised, 2: lowered}.get(how, str)(text[start:end]))
    return "".join(parts)


def _format(book: xlrd.Book, style: int | None) -> str | None:
    if style is None:
        return None
    found = book.format_map.get(book.xf_list[style].format_key)
    code = found.format_str if found else None
    return None if code in (None, "", "General", "@", "GENERAL") else code


def _day(book: xlrd.Book, value: float) -> datetime | None:
    try:
        return xlrd.xldate_as_datetime(value, book.datemode)
    except (ValueError, OverflowError, xlrd.xldate.XLDateError):
        return None
