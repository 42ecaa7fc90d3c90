"""Spreadsheets of the OpenDocument format (.ods): values and displayed texts from content.xml.

Cells tell value and text, from which the number format follows (`shown_formats`). Not here: text documents of that format.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from math import isfinite
from typing import TYPE_CHECKING

from disclosure_etl.intake.limits import refused
from disclosure_etl.intake.markup import attribute_of, children, name_of, xml_tree
from disclosure_etl.intake.packages import Package, encrypted, truncated
from disclosure_etl.intake.raised_text import lowered, raised
from disclosure_etl.intake.shown_formats import format_shown
from disclosure_etl.settings import ReadLimits
from schemas.documents import CellValue, Grid, Merge, Oddity

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_ROW_GROUPS = ("table-row-group", "table-header-rows", "table-rows")
_RAISED_BY = re.compile(r"[1-9]\d*%")  # a share of the height; a negative one lowers
_NOT_TEXT = frozenset(
    {"annotation", "ruby-text", "hidden-text", "hidden-paragraph", "tracked-changes", "frame", "custom-shape"}
)


def read_ods(package: Package, limits: ReadLimits) -> tuple[Grid, ...]:
    """The sheets of a spreadsheet, in order.

    Raises:
        Unreadable: damaged (truncated), with a password (encrypted), declaring entities (unknown_format), or over a limit.
    """
    if _is_encrypted(package):
        raise encrypted()
    root = xml_tree(package.read("content.xml"))
    body = next((inner for one in children(root, "body") for inner in children(one, "spreadsheet")), None)
    if body is None:
        raise truncated()
    _set_off(root)
    hidden = _hidden_styles(root)
    grids: list[Grid] = []
    cells = 0
    for table in children(body, "table"):
        _check_repeated(table, limits)
        grid, area = _grid(table, attribute_of(table, "style-name") in hidden, limits.max_cells - cells)
        cells += area
        if cells > limits.max_cells:
            raise refused("max_cells", cells, limits.max_cells)
        grids.append(grid)
    return tuple(grids)


def _is_encrypted(package: Package) -> bool:
    return b"encryption-data" in package.read("META-INF/manifest.xml", optional=True)


def _hidden_styles(root: Element) -> frozenset[str | None]:
    found = set()
    for styles in children(root, "automatic-styles"):
        for style in children(styles, "style"):
            if any(attribute_of(one, "display") == "false" for one in children(style, "table-properties")):
                found.add(attribute_of(style, "name"))
    return frozenset(found)


def _nothing(_: str) -> str:
    """What is hidden or struck out says nothing: a clerk strikes 5 and writes 7 behind it."""
    return ""


def _set_off(root: Element) -> None:
    """Put the signs for raised and lowered ones where a style makes them so: 20 with a small 1 behind it is no 201."""
    how: dict[str | None, Callable[[str], str]] = {}
    for styles in children(root, "automatic-styles"):
        for style in children(styles, "style"):
            for one in children(style, "text-properties"):
                if attribute_of(one, "display") == "none" or attribute_of(one, "text-line-through-style") not in (
                    None,
                    "none",
                ):
                    how[attribute_of(style, "name")] = _nothing
                    continue
                position = attribute_of(one, "text-position") or ""
                if position.startswith(("super", "sub", "-")) or _RAISED_BY.match(position):
                    how[attribute_of(style, "name")] = lowered if position.startswith(("sub", "-")) else raised
    for span in root.iter("{*}span") if how else ():
        if turned := how.get(attribute_of(span, "style-name")):
            span.text = turned(span.text or "")


def _repeated(element: Element, name: str) -> int:
    text = attribute_of(element, name) or "1"
    return max(int(text), 1) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def _rows(table: Element) -> Iterator[Element]:
    for child in table:
        name = name_of(child)
        if name == "table-row":
            yield child
        elif name in _ROW_GROUPS:
            yield from _rows(child)


_REPEATED_FREELY = 50_000  # cells; a form of zeros is written as few


def _check_repeated(table: Element, limits: ReadLimits) -> None:
    """A cell that is said to stand a million times unpacks as a bomb does, and counts like one."""
    written = repeated = 0
    for row in _rows(table):
        times = _repeated(row, "number-rows-repeated")
        cells = _cells(row)
        written += len(cells)
        repeated += times * sum(count for _, count, _ in cells)
    if _REPEATED_FREELY < repeated <= limits.max_cells and repeated > written * limits.max_ratio:
        raise refused("max_ratio", repeated // written, limits.max_ratio)


def _grid(table: Element, hidden: bool, left: int) -> tuple[Grid, int]:
    """A sheet, and the area that it takes. Repeated cells are laid out only where something stands in them or behind them,
    and nothing is laid out beyond `left` cells: then the area says so."""
    formats: dict[tuple[int, int], str] = {}
    merges: list[Merge] = []
    grid = Grid(attribute_of(table, "name") or "", [], formats, hidden=hidden)
    row, area, widest = 0, 0, 0
    for element in _rows(table):
        times = _repeated(element, "number-rows-repeated")
        cells = _cells(element)
        width = cells[-1][0] + cells[-1][1] if cells else 0
        if width:
            widest = max(widest, width)
            area = max(area, (row + times) * widest)
            if area > left:
                return grid, area
            grid.values.extend([] for _ in range(len(grid.values), row))
            for line in range(row, row + times):
                grid.values.append([None] * width)
                for column, count, cell in cells:
                    for at in range(column, column + count):
                        _take(grid, formats, (line, at), cell)
                    _merge(merges, (line, column), cell)
        row += times
    return Grid(grid.name, grid.values, formats, grid.displays, grid.oddities, tuple(merges), hidden), area


def _cells(row: Element) -> list[tuple[int, int, Element]]:
    """The cells of a row in which something stands: column, how often it is repeated, element."""
    found, column = [], 0
    for cell in children(row, "table-cell", "covered-table-cell"):
        count = _repeated(cell, "number-columns-repeated")
        if len(cell) or attribute_of(cell, "value-type") or attribute_of(cell, "formula"):
            found.append((column, count, cell))
        column += count
    return found


def _merge(merges: list[Merge], place: tuple[int, int], cell: Element) -> None:
    right, down = _repeated(cell, "number-columns-spanned"), _repeated(cell, "number-rows-spanned")
    if right > 1 or down > 1:
        merges.append(Merge(*place, place[0] + down - 1, place[1] + right - 1))


def _take(grid: Grid, formats: dict[tuple[int, int], str], place: tuple[int, int], cell: Element) -> None:
    row, column = place
    if name_of(cell) == "covered-table-cell":  # what was there before the cells were merged is not to be seen
        return
    kinds = {str(value) for key, value in cell.attrib.items() if str(key).endswith("}value-type")}
    text = "\n".join(_text(paragraph) for paragraph in children(cell, "p")).strip("\n")
    if "error" in kinds:
        grid.displays[place], grid.oddities[place] = text or "#ERROR", Oddity.ERROR_VALUE
    elif kinds & {"float", "percentage", "currency"}:
        _take_number(grid, formats, place, attribute_of(cell, "value") or "", text)
    elif "date" in kinds:
        grid.values[row][column] = _day(attribute_of(cell, "date-value") or "") or text or None
        if text:
            grid.displays[place] = text
    elif "boolean" in kinds:
        grid.values[row][column] = attribute_of(cell, "boolean-value") == "true"
    elif text.strip():
        grid.values[row][column] = text
    elif attribute_of(cell, "formula") and not kinds:
        grid.oddities[place] = Oddity.UNCALCULATED


def _take_number(
    grid: Grid, formats: dict[tuple[int, int], str], place: tuple[int, int], written: str, text: str
) -> None:
    try:
        value = float(written)
    except ValueError:
        value = float("nan")
    if not isfinite(value) or "_" in written:
        grid.values[place[0]][place[1]] = text or written or None
        return
    grid.values[place[0]][place[1]] = value
    if not text:
        return
    code = format_shown(value, text)
    if code is None:
        grid.displays[place], grid.oddities[place] = text, Oddity.DISPLAY_DIFFERS
    elif code != "General":
        formats[place] = code


def _day(written: str) -> CellValue:
    try:
        return datetime.fromisoformat(written) if "T" in written else date.fromisoformat(written)
    except ValueError:
        return None


def _text(paragraph: Element) -> str:
    """The text of a paragraph as it is seen: without remarks, with the spaces and breaks that have elements of their own."""
    parts = [paragraph.text or ""]
    for child in paragraph:
        name = name_of(child)
        if name == "s":
            parts.append(" " * min(_repeated(child, "c"), 1000))
        elif name in ("tab", "line-break"):
            parts.append("\t" if name == "tab" else "\n")
        elif name not in _NOT_TEXT:
            parts.append(_text(child))
        parts.append(child.tail or "")
    return "".join(parts)
