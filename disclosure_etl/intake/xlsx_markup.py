"""What the XML of a sheet tells of its cells beside calamine's values, found in one pass.

That is: number formats, hence text as displayed and printed decimals; error cells; formulas that were never calculated;
merged ranges. Where the two disagree, what the sheet shows counts. Not here: the package around the sheet (`xlsx`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from html import unescape
from math import isfinite
from xml.parsers import expat

from disclosure_etl.intake.displayed import displayed
from disclosure_etl.intake.raised_text import has_marks
from schemas.documents import CellValue, Grid, Merge, Oddity, column_letters

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
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d+):([A-Z]{1,3})(\d+)"')


def attribute(name: str, attributes: bytes) -> str | None:
    """The value of an XML attribute, whatever its prefix; None where there is none."""
    found = re.search(rb'(?:^|\s)(?:\w+:)?%s="([^"]*)"' % name.encode(), attributes)
    return unescape(found[1].decode("utf-8", "replace")) if found else None


Place = tuple[int, int]  # zero-based row, column
# What a cell holds, but for errors, which are told by it alone; and no sheet comes to have a content that it had not.
_CONTENT = re.compile(rb"<v>[^<#]+")
_MOST_SHAPES, _LARGEST_SHAPE = 64, 500_000


@dataclass(slots=True)
class _Shape:
    """What sheets with the same cells have in common. `formats` is None until such a sheet was read in which every cell
    that says it holds a number does (`numbers`); then there is nothing else to note."""

    extent: int
    merges: tuple[Merge, ...]
    has_marks: bool
    formats: Mapping[Place, str] | None = None
    numbers: Sequence[Place] = ()


class Styles:
    """The number format of each cell style. One template's workbooks share it, and what it remembers."""

    def __init__(self, styles: bytes) -> None:
        custom: dict[int, str] = {}
        for found in _NUM_FMT.finditer(styles):
            identity, code = attribute("numFmtId", found[1]), attribute("formatCode", found[1])
            if identity and code is not None:
                custom[int(identity)] = code
        section = _CELL_XFS.search(styles)
        self._codes: list[str | None] = []
        for found in _XF.finditer(section[0] if section else b""):
            number = int(attribute("numFmtId", found[1]) or 0)
            code = custom.get(number) or _BUILTIN.get(number)
            self._codes.append(None if code in (None, "General", "@") else code)
        self.seen: dict[bytes, tuple[bytes, str | None]] = {}
        self.shapes: dict[bytes, _Shape] = {}

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


@lru_cache(maxsize=20_000)
def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


# Rows and cells that tell their places as nearly every program writes them; and so near the corner that little lies between.
_PLACED = re.compile(rb"[<:](?:row|c)[\s/>]")
_PLAINLY_PLACED = re.compile(rb'<(?:row r="[1-9]\d{0,6}"|c r="[A-Z]{1,3}[1-9]\d{0,6}")[\s/>]')
_PLACED_NEAR = re.compile(rb'<(?:row r="[1-9]\d{0,3}"|c r="[A-Z]{1,2}[1-9]\d{0,3}")[\s/>]')
_ENDS_IN_VALUE = re.compile(rb'="[^"<>]*>')
_FILLED_AT = re.compile(rb'<c r="([A-Z]{1,3})(\d{1,7})"[^>]*(?<!/)>')
_ANY_REFERENCE = re.compile(r"([A-Za-z]{1,3})(\d{1,7})", re.ASCII)
_MOST_ROWS, _MOST_COLUMNS = 1_048_576, 16_384  # that a sheet has


def _extent(xml: bytes) -> int:
    """The area between the first and the last filled cell, 0 where they lie close together.

    Raises:
        ValueError: a row or cell beyond the end of every sheet, or at no place. calamine would count on from there.
    """
    placed = len(_PLACED.findall(xml))
    if len(_PLACED_NEAR.findall(xml)) == placed:
        return 0
    if len(_PLAINLY_PLACED.findall(xml)) == placed and _ENDS_IN_VALUE.search(xml) is None:
        places = [(int(row), _column(letters)) for letters, row in _FILLED_AT.findall(xml)]
    else:
        places = _places(xml)
    if not places:
        return 0
    rows, columns = zip(*places, strict=True)
    if max(rows) > _MOST_ROWS or max(columns) >= _MOST_COLUMNS:
        raise ValueError("a cell beyond the end of every sheet")
    return (max(rows) - min(rows) + 1) * (max(columns) - min(columns) + 1)


def _places(xml: bytes) -> list[tuple[int, int]]:
    """Row and column of each filled cell, in whatever notation it is written. References are optional: a row or cell without
    one follows the one before."""
    places: list[tuple[int, int]] = []
    row, column = 0, -1

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, column
        name, reference = name.rpartition(":")[2], attributes.get("r")
        if name == "row":
            row, column = (int(reference) if reference else row + 1), -1
            if not 1 <= row <= _MOST_ROWS:
                raise ValueError("a row beyond the end of every sheet")
        elif name == "c" and reference:
            found = _ANY_REFERENCE.fullmatch(reference)
            if found is None or int(found[2]) == 0:
                raise ValueError("a cell at no place")
            row, column = int(found[2]), _column(found[1].upper().encode())
        elif name == "c":
            column += 1
        elif name in ("v", "is"):
            places.append((row, column))

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise ValueError("not well-formed") from error
    return places


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


class SheetMarkup:
    """The XML of one sheet. Sheets of one template differ in nothing but what their cells hold; what follows from the rest is
    found once (a shape) and kept with the styles that they share."""

    def __init__(self, xml: bytes, styles: Styles) -> None:
        self.xml, self._styles = xml, styles
        key = _CONTENT.sub(b"<v>.", xml)
        shape = styles.shapes.get(key)
        if shape is None:
            shape = _Shape(_extent(xml), _merges(xml), has_marks(key))
            if len(styles.shapes) < _MOST_SHAPES and len(key) < _LARGEST_SHAPE:
                styles.shapes[key] = shape
        self._shape = shape

    @property
    def extent(self) -> int:
        """The area between the first and the last filled cell, if they lie far apart; 0 where they lie close together."""
        return self._shape.extent

    @property
    def has_marks(self) -> bool:
        """Whether anything written in the sheet itself may be raised, lowered or struck out."""
        return self._shape.has_marks

    def grid(self, name: str, values: list[list[CellValue]], hidden: bool) -> Grid:
        """The sheet's grid, from calamine's values of the whole sheet from A1 on."""
        shape = self._shape
        if shape.formats is not None and _all_numbers(values, shape.numbers):
            return Grid(name, values, shape.formats, merges=shape.merges, hidden=hidden)
        formats: dict[Place, str] = {}
        grid = Grid(name, values, formats, merges=shape.merges, hidden=hidden)
        numbers = self._annotate(grid, formats)
        if not grid.oddities and not grid.displays:
            shape.formats, shape.numbers = formats, numbers
        return grid

    def _annotate(self, grid: Grid, formats: dict[Place, str]) -> list[Place]:
        """Note what the XML says of cells; where there should be a number. Text and plain empty cells have nothing to say."""
        values, seen = grid.values, self._styles.seen
        numbers: list[Place] = []
        for letters, line, attributes, formula, result, content in _cells(self.xml):
            if not (result or formula):
                continue
            kind, code = seen.get(attributes) or self._styles.kind_and_format(attributes)
            if kind in _SPOKEN_FOR:
                continue
            row, column = place = int(line) - 1, _column(letters)
            if kind == b"e":
                grid.oddities[place] = Oddity.ERROR_VALUE
                grid.displays[place] = _text(content) or "#ERROR"
            elif not content:
                # A formula with an empty text for its result was calculated; one without any, or an empty number, never was.
                if formula and (not result or kind != b"str"):
                    grid.oddities[place] = Oddity.UNCALCULATED
            elif kind != b"str":
                if code is not None:
                    formats[place] = code
                numbers.append(place)
                if not (row < len(values) and column < len(values[row]) and type(values[row][column]) is float):
                    _reconcile(grid, place, _text(content), code)
        return numbers


def _all_numbers(values: list[list[CellValue]], places: Sequence[Place]) -> bool:
    try:
        return all(type(values[row][column]) is float for row, column in places)
    except IndexError:
        return False


def _text(content: bytes) -> str:
    return unescape(content.decode("utf-8", "replace")).strip()


def _reconcile(grid: Grid, place: Place, stored: str, code: str | None) -> None:
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
