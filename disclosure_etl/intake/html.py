"""Web pages, also those saved under a workbook's name: tables with their spans, and running text. Nothing is fetched or run.

Text stays text: 5,604 is kept as it is written. Not here: bytes to text (`decoding`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from disclosure_etl.intake.laid_out import SpanningCell, Tables
from disclosure_etl.intake.markup import html_tree, name_of
from disclosure_etl.intake.raised_text import lowered, raised
from disclosure_etl.settings import ReadLimits
from schemas.documents import Grid

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

# Not shown, or struck out: a clerk strikes 5 and writes 7 behind it.
_DROPPED = frozenset({
    "head", "script", "style", "noscript", "template", "object", "iframe", "svg", "select", "textarea", "xml",
    "s", "strike", "del",
})  # fmt: skip
_BLOCKS = frozenset({
    "p", "div", "br", "li", "ul", "ol", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "pre",
    "section", "article", "header", "footer", "main", "aside", "blockquote", "center", "address", "form",
    "fieldset", "figure", "figcaption", "caption", "tr", "td", "th", "table", "body",
})  # fmt: skip
_SET_OFF = {"sup": raised, "sub": lowered}  # 20 with a small 1 behind it is no 201
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|font-size\s*:\s*0", re.IGNORECASE)
_MOST_SPANNED = 1000  # columns; what browsers take, too


def read_html(text: str, limits: ReadLimits) -> tuple[tuple[Grid, ...], str]:
    """The tables of a page, and its text outside of them, a block a line.

    Raises:
        Unreadable: the tables have more cells than the limit (too_large).
    """
    root = html_tree(text)
    if root is None:
        return (), ""
    page = _Page(Tables(limits))
    page.walk(root, hidden=False)
    grids = sorted(page.grids, key=lambda grid: grid.table or 0)
    return tuple(grids), page.text()


class _Page:
    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.grids: list[Grid] = []
        self.lines: list[str] = [""]

    def text(self) -> str:
        """The lines so far that say something."""
        return "\n".join(line for line in (" ".join(one.split()) for one in self.lines) if line)

    def walk(self, element: Element, *, hidden: bool) -> None:
        """Take in an element: its tables as grids, everything else as text. The parser bounds how deep elements lie."""
        name = name_of(element)
        if name in _DROPPED or not name:
            return
        hidden = hidden or _is_hidden(element)
        if name == "table":
            self.lines.append("")
            self._table(element, hidden)
            return
        if name in _SET_OFF:
            if not hidden:
                inner = _Page(self.tables)
                inner.lines[-1] = element.text or ""
                for child in element:
                    inner.walk(child, hidden=False)
                    inner.lines[-1] += child.tail or ""
                self.lines[-1] += _SET_OFF[name](inner.text())
            return
        if name in _BLOCKS:
            self.lines.append("")
        if not hidden:
            self.lines[-1] += element.text or ""
        for child in element:
            self.walk(child, hidden=hidden)
            if not hidden:
                self.lines[-1] += child.tail or ""
        if name in _BLOCKS:
            self.lines.append("")

    def _table(self, table: Element, hidden: bool) -> None:
        number = self.tables.number()
        rows: list[list[SpanningCell]] = []
        for child in table:
            name = name_of(child)
            if name == "caption":
                self.walk(child, hidden=hidden)
            for row in [child] if name == "tr" else child if name in ("thead", "tbody", "tfoot") else ():
                if name_of(row) == "tr":
                    unseen = hidden or _is_hidden(child) or _is_hidden(row)
                    cells = [cell for cell in row if name_of(cell) in ("td", "th")]
                    rows.append([self._cell(cell, unseen or _is_hidden(cell)) for cell in cells])
        self.grids.append(self.tables.grid(number, rows, hidden=hidden))

    def _cell(self, cell: Element, hidden: bool) -> SpanningCell:
        inner = _Page(self.tables)
        inner.lines[-1] = "" if hidden else cell.text or ""
        for child in cell:
            inner.walk(child, hidden=hidden)
            inner.lines[-1] += "" if hidden else child.tail or ""
        self.grids += inner.grids
        return SpanningCell(inner.text(), _span(cell, "colspan") or 1, _span(cell, "rowspan"))


def _is_hidden(element: Element) -> bool:
    return "hidden" in element.attrib or bool(_HIDDEN.search(element.get("style") or ""))


def _span(cell: Element, name: str) -> int:
    written = (cell.get(name) or "1").strip()
    return min(int(written), _MOST_SPANNED) if written.isascii() and written.isdigit() and len(written) < 7 else 1
