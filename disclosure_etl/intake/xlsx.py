"""Workbooks (.xlsx): calamine gives the values, one pass over the sheets' XML what calamine does not tell.

That is: number formats, hence text as displayed and printed decimals; error cells; formulas that were never calculated.
Where the two disagree, what the sheet shows counts.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from datetime import date, datetime
from functools import lru_cache
from html import unescape
from math import isfinite
from xml.etree.ElementTree import ParseError, canonicalize

from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

from disclosure_etl.intake.displayed import displayed
from disclosure_etl.intake.limits import refused
from disclosure_etl.settings import ReadLimits
from schemas.documents import CellValue, Grid, Merge, Oddity, Unreadable, column_letters

_BUILTIN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??",
    5: '"¥"#,##0;"¥"-#,##0', 6: '"¥"#,##0;"¥"-#,##0', 7: '"¥"#,##0.00;"¥"-#,##0.00', 8: '"¥"#,##0.00;"¥"-#,##0.00',
    37: "#,##0;-#,##0", 38: "#,##0;-#,##0", 39: "#,##0.00;-#,##0.00", 40: "#,##0.00;-#,##0.00", 48: "##0.0E+0", 49: "@",
    41: '_ * #,##0_ ;_ * -#,##0_ ;_ * "-"_ ;_ @_ ', 42: '_ "¥"* #,##0_ ;_ "¥"* -#,##0_ ;_ "¥"* "-"_ ;_ @_ ',
    43: '_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * "-"??_ ;_ @_ ', 44: '_ "¥"* #,##0.00_ ;_ "¥"* -#,##0.00_ ;_ "¥"* "-"??_ ;_ @_ ',
    **dict.fromkeys((14, 15, 16, 17, 18, 19, 20, 21, 22, *range(27, 37), 45, 46, 47, *range(50, 59)), "yyyy-mm-dd"),
}  # fmt: skip
_ROW_OR_CELL = re.compile(
    rb"<(?:\w+:)?(?:(?P<row>row)\b(?P<row_attributes>[^>]*)>|c(?=[\s/>])(?P<attributes>[^>]*?)"
    rb"(?:/>|>(?P<formula><(?:\w+:)?f[\s/>])?(?P<content>.*?)</(?:\w+:)?c>))",
    re.DOTALL,
)
_UNUSUAL_CELL = re.compile(rb'<c(?! r=")[\s/>]')
_ROW_NUMBER = re.compile(rb'\br="(\d{1,7})"')
# The same as nearly every program writes it: the reference first, no prefix. Cells with shared text, and empty ones, have
# nothing to tell and are passed over by the match itself.
_PLAIN_CELL = re.compile(
    rb'<c r="([A-Z]{1,3})(\d{1,7})"((?: (?!t="s")\w+="[^"]*")*)>'
    rb"(<f(?:/>|[^>]*>(?:[^<]*</f>)?))?(<v>([^<]*)</v>|<v/>)?"
)
_REFERENCE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_STYLE = re.compile(rb'\bs="(\d+)"')
_TYPE = re.compile(rb'\bt="(\w+)"')
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>(.*?)</(?:\w+:)?v>", re.DOTALL)
_EMPTY_VALUE = re.compile(rb"<(?:\w+:)?v\s*/>")
_NUM_FMT = re.compile(rb"<(?:\w+:)?numFmt\s([^>]*)>")
_CELL_XFS = re.compile(rb"<(?:\w+:)?cellXfs[\s>].*?</(?:\w+:)?cellXfs>", re.DOTALL)
_XF = re.compile(rb"<(?:\w+:)?xf\s([^>]*)>")
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s([^>]*)>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s([^>]*)>")
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d+):([A-Z]{1,3})(\d+)"')


def _attribute(name: str, attributes: bytes) -> str | None:
    found = re.search(rb'(?:^|\s)(?:\w+:)?%s="([^"]*)"' % name.encode(), attributes)
    return unescape(found[1].decode("utf-8", "replace")) if found else None


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
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        hidden = {meta.name for meta in book.sheets_metadata if meta.visible is not SheetVisibleEnum.Visible}
        return tuple(_grid(book, name, xml, styles, name in hidden, limits) for name, xml in sheets)
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
        identity, target = _attribute("Id", found[1]), _attribute("Target", found[1])
        if identity and target:
            targets[identity] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    listed = []
    for found in _SHEET.finditer(workbook):
        name, identity = _attribute("name", found[1]), _attribute("id", found[1])
        if name and identity in targets and "worksheets/" in targets[identity]:
            listed.append((name, targets[identity]))
    return tuple(listed)


class _Styles:
    """The number format of each cell style. One template's workbooks share it, and what it remembers."""

    def __init__(self, styles: bytes) -> None:
        custom: dict[int, str] = {}
        for found in _NUM_FMT.finditer(styles):
            identity, code = _attribute("numFmtId", found[1]), _attribute("formatCode", found[1])
            if identity and code is not None:
                custom[int(identity)] = code
        section = _CELL_XFS.search(styles)
        self._codes: list[str | None] = []
        for found in _XF.finditer(section[0] if section else b""):
            number = int(_attribute("numFmtId", found[1]) or 0)
            code = custom.get(number) or _BUILTIN.get(number)
            self._codes.append(None if code in (None, "General", "@") else code)
        self.seen: dict[bytes, tuple[bytes, str | None]] = {}

    def kind_and_format(self, attributes: bytes) -> tuple[bytes, str | None]:
        """A cell's type, and its number format (None for General)."""
        known = self.seen.get(attributes)
        if known is None:
            kind, style = _TYPE.search(attributes), _STYLE.search(attributes)
            number = int(style[1]) if style else 0
            known = (kind[1] if kind else b"n", self._codes[number] if number < len(self._codes) else None)
            if len(self.seen) < 10_000:
                self.seen[attributes] = known
        return known


@lru_cache(maxsize=256)
def _styles(styles: bytes) -> _Styles:
    return _Styles(styles)


@lru_cache(maxsize=20_000)
def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


_FAR = re.compile(rb'r="(?:[A-Z]{3}\d|[A-Z]+\d{5})')
_FILLED_AT = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})(\d{1,7})"[^>]*(?<!/)>')


def _check_extent(xml: bytes, limits: ReadLimits) -> None:
    """Refuse a sheet whose cells lie too far apart. calamine lays out everything between the first and the last, and a
    single sign in the far corner would end the process."""
    if _FAR.search(xml) is None:
        return
    places = [(int(row), _column(letters)) for letters, row in _FILLED_AT.findall(xml)]
    if places:
        rows, columns = zip(*places, strict=True)
        extent = (max(rows) - min(rows) + 1) * (max(columns) - min(columns) + 1)
        if extent > limits.max_cells:
            raise refused("max_cells", extent, limits.max_cells)


def _grid(book: CalamineWorkbook, name: str, xml: bytes, styles: _Styles, hidden: bool, limits: ReadLimits) -> Grid:
    _check_extent(xml, limits)
    sheet = book.get_sheet_by_name(name)
    if sheet.total_height * sheet.total_width > limits.max_cells:
        raise refused("max_cells", sheet.total_height * sheet.total_width, limits.max_cells)
    rows: list[list[CellValue]] = sheet.to_python(skip_empty_area=True)
    top, left = sheet.start or (0, 0)
    if left:
        rows = [[None] * left + row for row in rows]
    if top:
        rows = [[] for _ in range(top)] + rows
    grid = Grid(name, rows, hidden=hidden, merges=_merges(xml))
    _annotate(grid, xml, styles)
    return grid


def _merges(xml: bytes) -> tuple[Merge, ...]:
    end = xml.rfind(b"mergeCells>")
    if end < 0:
        return ()
    start = xml.rfind(b"mergeCells", 0, end)
    return tuple(
        Merge(int(found[2]) - 1, _column(found[1]), int(found[4]) - 1, _column(found[3]))
        for found in _MERGE.finditer(xml, max(start, 0), end)
    )


_Cell = tuple[bytes, bytes, bytes, bytes, bytes, bytes]  # letters, row, attributes, formula, <v>, its content
_SPOKEN_FOR = frozenset({b"s", b"inlineStr", b"b"})  # text and truth values, of which calamine tells everything


def _cells(xml: bytes) -> list[_Cell]:
    """The cells of a sheet that may have something to tell."""
    start, end = xml.find(b"<sheetData"), xml.rfind(b"</sheetData>")
    if 0 <= start < end and _UNUSUAL_CELL.search(xml, start, end) is None:
        return _PLAIN_CELL.findall(xml, start, end)
    found: list[_Cell] = []
    line, column = 0, -1
    # References are optional: a row or cell without one follows the one before.
    for row, row_attributes, attributes, formula, content in _ROW_OR_CELL.findall(xml):
        if row:
            told = _ROW_NUMBER.search(row_attributes)
            line, column = int(told[1]) if told else line + 1, -1
            continue
        reference = _REFERENCE.search(attributes)
        column = _column(reference[1]) if reference else column + 1
        line = int(reference[2]) if reference else line
        value = _VALUE.search(content)
        result = b"<v/>" if value or _EMPTY_VALUE.search(content) else b""
        place = column_letters(column).encode(), str(line).encode()
        found.append((*place, attributes, formula, result, value[1] if value else b""))
    return found


def _annotate(grid: Grid, xml: bytes, styles: _Styles) -> None:
    """Note what the XML says of cells beside calamine's values. Text and plain empty cells have nothing to say."""
    values, codes, seen = grid.values, grid.formats, styles.seen
    for letters, line, attributes, formula, result, content in _cells(xml):
        if not (result or formula):
            continue
        kind, code = seen.get(attributes) or styles.kind_and_format(attributes)
        if kind in _SPOKEN_FOR:
            continue
        row, column = place = int(line) - 1, _column(letters)
        if kind == b"e":
            grid.oddities[place] = Oddity.ERROR_VALUE
            grid.displays[place] = _text(content) or "#ERROR"
        elif not content:
            # A formula with an empty result was calculated; one without any result never was.
            if formula and not result:
                grid.oddities[place] = Oddity.UNCALCULATED
        elif kind != b"str":
            if code is not None:
                codes[place] = code
            if not (row < len(values) and column < len(values[row]) and type(values[row][column]) is float):
                _reconcile(grid, place, _text(content), code)


def _text(content: bytes) -> str:
    return unescape(content.decode("utf-8", "replace")).strip()


def _reconcile(grid: Grid, place: tuple[int, int], stored: str, code: str | None) -> None:
    """A number in the XML that calamine gives as something else: what the sheet shows counts."""
    row, column = place
    cells = grid.values[row] if row < len(grid.values) else []
    value = cells[column] if column < len(cells) else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return
    if isinstance(value, datetime | date):
        shown = value.strftime("%Y-%m-%d") if isinstance(value, datetime) else value.isoformat()
        grid.displays[place] = shown
        grid.oddities[place] = Oddity.DISPLAY_DIFFERS
        return
    try:
        number = float(stored)
    except ValueError:
        return
    if not isfinite(number) or "_" in stored:
        return
    shown_number = displayed(number, code)
    grid.displays[place] = shown_number.text if shown_number else str(value)
    grid.oddities[place] = Oddity.DISPLAY_DIFFERS
    while len(grid.values) <= row:
        grid.values.append([])
    grid.values[row].extend([None] * (column + 1 - len(grid.values[row])))
    grid.values[row][column] = number
