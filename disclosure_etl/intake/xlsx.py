"""Workbooks (.xlsx): the package and its parts, read under limits; calamine gives the values of the sheets.

Not here: what the sheets' XML tells beside the values (`xlsx_markup`).
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from functools import lru_cache
from xml.etree.ElementTree import ParseError, canonicalize

from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

from disclosure_etl.intake.limits import refused
from disclosure_etl.intake.raised_text import raise_texts, raised_texts
from disclosure_etl.intake.xlsx_markup import SheetMarkup, Styles, attribute
from disclosure_etl.settings import ReadLimits
from schemas.documents import CellValue, Grid, Unreadable

_SHEET = re.compile(rb"<(?:\w+:)?sheet\s([^>]*)>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s([^>]*)>")


def _truncated() -> Unreadable:
    return Unreadable(
        "truncated",
        "工作簿不完整或已损坏(多半是上传、拷贝中断)。请重新发送原文件。",
        "The workbook is incomplete or damaged (an upload or copy was probably cut off). Send the original again.",
    )


def read_xlsx(data: bytes, limits: ReadLimits) -> tuple[Grid, ...]:
    """The sheets of a workbook, in order.

    Raises:
        Unreadable: damaged (truncated), no workbook (unknown_format), or over a limit (too_large).
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts = _Parts(package, limits)
            sheets = [(name, parts.read(path)) for name, path in parts.sheets()]
            styles = _styles(parts.read("xl/styles.xml", optional=True))
            raised = raised_texts(parts.read("xl/sharedStrings.xml", optional=True))
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        hidden = {meta.name for meta in book.sheets_metadata if meta.visible is not SheetVisibleEnum.Visible}
        grids = tuple(_grid(book, name, SheetMarkup(xml, styles), name in hidden, limits) for name, xml in sheets)
        for grid, (_, xml) in zip(grids, sheets, strict=True):
            raise_texts(grid.values, xml, raised)
        return grids
    except Unreadable:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, KeyError, ValueError,
            OverflowError, CalamineError, ParseError) as error:  # fmt: skip
        raise _truncated() from error


class _Parts:
    """The files inside the package, read under the limits."""

    def __init__(self, package: zipfile.ZipFile, limits: ReadLimits) -> None:
        self._package = package
        infos = package.infolist()
        unpacked = sum(info.file_size for info in infos)
        if unpacked > limits.max_uncompressed_bytes:
            raise refused("max_uncompressed_bytes", unpacked, limits.max_uncompressed_bytes)
        packed = sum(info.compress_size for info in infos)
        if unpacked > 10_000_000 and unpacked > packed * limits.max_ratio:
            raise refused("max_ratio", unpacked // max(packed, 1), limits.max_ratio)
        self._names = {info.filename for info in infos}
        if "xl/workbook.xml" not in self._names:
            raise Unreadable(
                "unknown_format",
                "文件是压缩包,但不是 .xlsx 工作簿(例如 .zip、.docx)。请直接发送填好的 .xlsx。",
                "The file is a package, but no .xlsx workbook (a .zip or .docx, for instance). Send the filled-in .xlsx.",
            )

    def read(self, name: str, *, optional: bool = False) -> bytes:
        if name not in self._names:
            if optional:
                return b""
            raise _truncated()
        data = self._package.read(name)
        if b"<!DOCTYPE" in data[:4096]:  # no reader here resolves entities; a workbook that declares some is none
            raise Unreadable(
                "unknown_format",
                "工作簿内含 XML 实体声明,正常的电子表格没有这种内容,拒绝读取。请用电子表格软件另存为 .xlsx。",
                "The workbook declares XML entities, which no spreadsheet program writes; it is refused. Save it anew.",
            )
        # What follows looks for attributes in double quotes, as nearly every program writes them.
        return canonicalize(data.decode("utf-8", "replace")).encode() if b"='" in data else data

    def sheets(self) -> tuple[tuple[str, str], ...]:
        """Name and path of each worksheet."""
        return _sheet_paths(self.read("xl/workbook.xml"), self.read("xl/_rels/workbook.xml.rels"))


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
