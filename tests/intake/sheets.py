"""What the tests of intake build with: grids typed by hand, returns as rows, edits inside a workbook. No assertion in here."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

import openpyxl
import xlsxwriter

from disclosure_etl.bureaus import Bureaus, load_bureaus
from disclosure_etl.intake.interpreter import Interpretation, Interpreter
from disclosure_etl.intake.readers import read_document
from disclosure_etl.settings import default_config_dir
from schemas.documents import CellValue, Document, Grid
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import Submission
from tests.factories import Figures, default_form, return_bytes, some_figures

MAY = Period.parse("2014-05")
NAME = "东城分局_2014-05.xlsx"
Rows = list[list[CellValue]]


@lru_cache(maxsize=1)
def form() -> Form:
    """The default form."""
    return default_form()


@lru_cache(maxsize=1)
def bureaus() -> Bureaus:
    """The reference office's tree."""
    return load_bureaus(default_config_dir() / "bureaus.yaml")


@lru_cache(maxsize=1)
def good_return() -> bytes:
    """A consistent return of 东城分局 for May."""
    return return_bytes(form(), MAY, "dongcheng", "东城分局", some_figures(form(), 5))


def good_rows() -> Rows:
    """The grid of the good return, to be edited."""
    (grid,) = read_document(NAME, good_return()).grids
    return [[None if value == "" else value for value in row] for row in grid.values]


def document(*grids: Grid, name: str = NAME) -> Document:
    """A document of grids."""
    return Document(name, "0" * 64, "xlsx", grids)


def interpreted(found: Document) -> Interpretation:
    """A document read by the default form and the reference office's tree."""
    return Interpreter([form()], bureaus()).interpret(found)


def read_rows(rows: Rows, sheet: str = "统计表", name: str = NAME) -> Submission:
    """One grid read as a return."""
    return interpreted(document(Grid(sheet, rows), name=name)).submission


def read_bytes(data: bytes, name: str = NAME) -> Submission:
    """A file read as a return."""
    return interpreted(read_document(name, data)).submission


def figures_of(submission: Submission) -> Figures:
    """The figures by (indicator, column), without shares and without those that have no number."""
    found: Figures = {}
    for cell, number, meaning in zip(form().cells, submission.numbers, submission.meanings, strict=True):
        if cell.measure != "share" and meaning in (1, 2):
            found[(cell.indicator, cell.column)] = Decimal(number).scaleb(-cell.scale)
    return found


def taken(submission: Submission) -> tuple[object, ...]:
    """What was understood of each cell, wherever it stands."""
    parts = (submission.numbers, submission.meanings, submission.decimals, submission.troubles, submission.texts)
    return tuple(zip(*parts, strict=True))


def position(indicator: str, column: str = "month", measure: str | None = None) -> int:
    """The position of a cell of the form."""
    return next(
        cell.position
        for cell in form().cells
        if (cell.indicator, cell.column) == (indicator, column)
        and (cell.measure == measure if measure else cell.measure != "share")
    )


def row_of(rows: Rows, label: str) -> int:
    """The row that a label stands in."""
    return next(at for at, row in enumerate(rows) if label in row)


def written(fill: Callable[[Any, Any], None], **options: object) -> bytes:
    """A workbook as xlsxwriter makes it; `fill` gets the workbook and its sheet."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, **options})
    fill(book, book.add_worksheet("表"))
    book.close()
    return buffer.getvalue()


def edited(edit: Callable[[Any], None], data: bytes | None = None) -> bytes:
    """The good return after an edit with openpyxl, which drops the results of formulas."""
    book = openpyxl.load_workbook(io.BytesIO(data or good_return()))
    edit(book)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def package(parts: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of named parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as target:
        for name, content in parts.items():
            target.writestr(name, content)
    return buffer.getvalue()


def parts_of(data: bytes) -> dict[str, bytes]:
    """The parts of a package."""
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        return {name: source.read(name) for name in source.namelist()}


def with_cells(cells: bytes, styles: bytes | None = None, rest: bytes = b"") -> bytes:
    """A workbook whose first sheet has exactly these rows, written as XML."""
    parts = parts_of(written(lambda _book, _sheet: None))
    sheet = parts["xl/worksheets/sheet1.xml"]
    start = sheet.index(b"<sheetData")
    end = sheet.index(b"/>", start) + 2
    parts["xl/worksheets/sheet1.xml"] = sheet[:start] + b"<sheetData>" + cells + b"</sheetData>" + rest + sheet[end:]
    if styles is not None:
        parts["xl/styles.xml"] = styles
    return package(parts)
