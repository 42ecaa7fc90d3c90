"""Workbooks (.xlsx): the package and its parts, read under limits; calamine gives the values of the sheets.

Not here: what the sheets' XML tells beside the values (`xlsx_markup`).
"""

from __future__ import annotations

import io
import re
from functools import lru_cache
from xml.etree.ElementTree import ParseError, canonicalize

from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

from disclosure_etl.intake.limits import refused
from disclosure_etl.intake.packages import FAULTS, Package, truncated
from disclosure_etl.intake.raised_text import raise_texts, raised_texts
from disclosure_etl.intake.xlsx_markup import SheetMarkup, Styles, attribute
from disclosure_etl.settings import ReadLimits
from schemas.documents import CellValue, Grid

_SHEET = re.compile(rb"<(?:\w+:)?sheet\s([^>]*)>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s([^>]*)>")


_FAULTS = (CalamineError, ParseError, *FAULTS)


def read_xlsx(package: Package, limits: ReadLimits) -> tuple[Grid, ...]:
    """The sheets of a workbook, in order.

    Raises:
        Unreadable: damaged (truncated), declaring entities (unknown_format), or over a limit (too_large).
    """
    try:
        workbook, relations = _part(package, "xl/workbook.xml"), _part(package, "xl/_rels/workbook.xml.rels")
        sheets = [(name, _part(package, path)) for name, path in _sheet_paths(workbook, relations)]
        styles = _styles(_part(package, "xl/styles.xml", optional=True))
        raised = raised_texts(_part(package, "xl/sharedStrings.xml", optional=True))
        book = CalamineWorkbook.from_filelike(io.BytesIO(package.data))
        hidden = {meta.name for meta in book.sheets_metadata if meta.visible is not SheetVisibleEnum.Visible}
        markups = [(name, SheetMarkup(xml, styles)) for name, xml in sheets]
        grids = tuple(_grid(book, name, markup, name in hidden, limits) for name, markup in markups)
        for grid, (_, markup) in zip(grids, markups, strict=True):
            if raised or markup.has_marks:
                raise_texts(grid.values, markup.xml, raised)
        return grids
    except _FAULTS as error:
        raise truncated() from error


def _part(package: Package, name: str, *, optional: bool = False) -> bytes:
    data = package.read(name, optional=optional)
    # What follows looks for attributes in double quotes, as nearly every program writes them.
    single = b"'" in data and b"='" in data
    return canonicalize(data.decode("utf-8", "replace")).encode() if single else data


@lru_cache(maxsize=256)
def _sheet_paths(workbook: bytes, relations: bytes) -> tuple[tuple[str, str], ...]:
    targets: dict[str, str] = {}
    for found in _RELATION.finditer(relations):
        identity, target = attribute("Id", found[1]), attribute("Target", found[1])
        if identity and target:
            targets[identity] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    listed = []
    for found in _SHEET.finditer(workbook):
        name, identity = attribute("name", found[1]), attribute("id", found[1])
        if name and identity in targets and "worksheets/" in targets[identity]:
            listed.append((name, targets[identity]))
    return tuple(listed)


@lru_cache(maxsize=256)
def _styles(styles: bytes) -> Styles:
    """One template's workbooks share them, and what was learnt of its sheets."""
    return Styles(styles)


def _grid(book: CalamineWorkbook, name: str, markup: SheetMarkup, hidden: bool, limits: ReadLimits) -> Grid:
    # calamine lays out everything between the first and the last cell: a single sign in the far corner would end the process.
    if markup.extent > limits.max_cells:
        raise refused("max_cells", markup.extent, limits.max_cells)
    sheet = book.get_sheet_by_name(name)
    if sheet.total_height * sheet.total_width > limits.max_cells:
        raise refused("max_cells", sheet.total_height * sheet.total_width, limits.max_cells)
    rows: list[list[CellValue]] = sheet.to_python(skip_empty_area=True)
    top, left = sheet.start or (0, 0)
    if left:
        rows = [[None] * left + row for row in rows]
    if top:
        rows = [[] for _ in range(top)] + rows
    return markup.grid(name, rows, hidden)
