"""Text documents (.docx): tables with their merged cells, and running text in its order.

Straight from the XML: a content control, a tracked insertion or a text box is text like any other; a tracked deletion, a comment
and what is hidden are none. Nothing outside of the file that it refers to is opened. Not here: the old binary .doc.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from disclosure_etl.intake.docx_plain import plain_content
from disclosure_etl.intake.docx_styles import Styles
from disclosure_etl.intake.laid_out import SpanningCell, Tables
from disclosure_etl.intake.markup import attribute_of, children, name_of, xml_tree
from disclosure_etl.intake.packages import Package, truncated
from disclosure_etl.intake.page_numbers import is_page_number
from disclosure_etl.settings import ReadLimits
from schemas.documents import Grid

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_OPEN = frozenset({
    "sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag", "hyperlink", "fldSimple", "r", "body",
    "txbxContent", "dir", "bdo", "ruby", "rubyBase", "AlternateContent", "Choice",
})  # fmt: skip


def read_docx(package: Package, limits: ReadLimits) -> tuple[tuple[Grid, ...], str]:
    """The tables of a document, and its paragraphs outside of them, one a line; after them the notes, and what is printed above
    and below every page.

    Raises:
        Unreadable: damaged (truncated), declaring entities (unknown_format), or over a limit (too_large).
    """
    parts = _Parts(package)
    body = next(children(parts.main, "body"), None)
    if body is None:
        raise truncated()
    tables = Tables(limits)
    notes = [
        note for kind in ("footnote", "endnote") for part in parts.related(f"{kind}s") for note in children(part, kind)
    ]
    around = [part for kind in ("header", "footer") for part in parts.related(kind)]
    if not notes and not around and (plain := plain_content(body, tables)) is not None:
        return plain
    reading = _Reading(tables, next((Styles.of(part) for part in parts.related("styles")), Styles()))
    lines = reading.blocks(body)
    for note in notes:
        if attribute_of(note, "type") in (None, "normal"):  # the others are the line between text and notes
            lines += reading.blocks(note)
    lines += dict.fromkeys(line for part in around for line in reading.lines_in(part) if not is_page_number(line))
    grids = sorted(reading.grids, key=lambda grid: grid.table or 0)
    return tuple(grids), "\n".join(lines)


class _Parts:
    """The main part of a document and those that it refers to inside the package."""

    def __init__(self, package: Package) -> None:
        self._package = package
        name = next((target for kind, target in self._targets("") if kind == "officeDocument"), "word/document.xml")
        self.main = xml_tree(package.read(name))
        self._related = self._targets(name)

    def related(self, kind: str) -> Iterator[Element]:
        """The parts of this kind."""
        for own, name in self._related:
            if own == kind and (part := self._package.read(name, optional=True)):
                yield xml_tree(part)

    def _targets(self, source: str) -> Iterable[tuple[str, str]]:
        """What a part refers to: kinds and names."""
        folder, name = posixpath.split(source)
        return _relations(folder, self._package.read(posixpath.join(folder, "_rels", f"{name}.rels"), optional=True))


@lru_cache(maxsize=256)
def _relations(folder: str, part: bytes) -> tuple[tuple[str, str], ...]:
    """What documents of one template refer to, which is alike in all of them."""
    return tuple(
        (
            (one.get("Type") or "").rpartition("/")[2],
            posixpath.normpath(posixpath.join("/", folder, one.get("Target") or "")).lstrip("/"),
        )
        for one in (children(xml_tree(part), "Relationship") if part else ())
    )


class _Reading:
    def __init__(self, tables: Tables, styles: Styles) -> None:
        self.tables = tables
        self.styles = styles
        self.grids: list[Grid] = []

    def blocks(self, around: Element) -> list[str]:
        """The paragraphs of a body or cell; its tables become grids."""
        lines: list[str] = []
        for child in _opened(around):
            name = name_of(child)
            if name == "p":
                lines += [line for line in self._paragraph(child).split("\n") if line.strip()]
            elif name == "tbl":
                self._table(child)
        return lines

    def lines_in(self, part: Element) -> list[str]:
        """All paragraphs of a header or footer, for which a table is no more than a way to set text left and right."""
        found = (self._paragraph(one) for one in part.iter() if name_of(one) == "p")
        return [line for text in found for line in text.split("\n") if line.strip()]

    def _paragraph(self, paragraph: Element) -> str:
        parts: list[str] = []
        for one in _opened(paragraph):
            name, run = name_of(one), next(one.iterancestors("{*}r"), None)
            if run is not None and self.styles.hides(run):
                continue
            if name == "t":
                parts.append(self.styles.shown(run, one.text or "") if run is not None else one.text or "")
            elif name in ("tab", "ptab"):
                parts.append("\t")
            elif name in ("br", "cr"):
                parts.append("\n")
            elif name == "noBreakHyphen":
                parts.append("-")
            elif name in ("drawing", "pict"):
                for box in one.iter():
                    if name_of(box) == "txbxContent":
                        parts += ["\n", *(f"{line}\n" for line in self.blocks(box))]
        return "".join(parts)

    def _table(self, table: Element) -> None:
        number = self.tables.number()
        rows = [_Row(self, row) for row in _opened(table) if name_of(row) == "tr" and not _deleted(row)]
        self.grids.append(self.tables.grid(number, [_cells(rows, at) for at in range(len(rows))]))


class _Row:
    """The cells of a row by the grid column in which they begin: how wide, whether they go on from above, their text."""

    def __init__(self, reading: _Reading, row: Element) -> None:
        self.cells: dict[int, tuple[int, bool, str]] = {}
        self.before = _number(row, "trPr", "gridBefore", 0)
        column = self.before
        for cell in _opened(row):
            if name_of(cell) != "tc":
                continue
            wide = max(_number(cell, "tcPr", "gridSpan", 1), 1)
            merge = next((one for inner in children(cell, "tcPr") for one in children(inner, "vMerge")), None)
            goes_on = merge is not None and attribute_of(merge, "val") in (None, "continue")
            self.cells[column] = (wide, goes_on, "\n".join(reading.blocks(cell)))
            column += wide


def _deleted(row: Element) -> bool:
    return any(True for properties in children(row, "trPr") for _ in children(properties, "del"))


def _number(element: Element, properties: str, name: str, otherwise: int) -> int:
    for inner in children(element, properties):
        for one in children(inner, name):
            written = attribute_of(one, "val") or ""
            return (
                min(int(written), 1000) if written.isascii() and written.isdigit() and len(written) < 7 else otherwise
            )
    return otherwise


def _cells(rows: list[_Row], at: int) -> Iterator[SpanningCell]:
    if at == 0 or rows[at].before:
        yield from (SpanningCell("") for _ in range(rows[at].before))
    for column, (wide, goes_on, text) in rows[at].cells.items():
        if goes_on and at and column in rows[at - 1].cells:
            continue  # laid out with the cell in which it begins
        tall = 1
        while at + tall < len(rows) and (below := rows[at + tall].cells.get(column)) and below[1] and below[0] == wide:
            tall += 1
        yield SpanningCell(text, wide, tall)


def _opened(element: Element) -> Iterator[Element]:
    """The children of an element, with what stands in mere wrappers in their place."""
    for child in element:
        if name_of(child) in _OPEN:
            yield from _opened(child)
        elif name_of(child):
            yield child
