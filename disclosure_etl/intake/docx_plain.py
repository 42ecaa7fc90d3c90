"""Text documents (.docx) with nothing in them but paragraphs and tables of texts, as nearly all returns are: read in one pass.

What this makes of such a document is what `docx` makes of it, in a fraction of the time; of any other it makes nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from lxml import etree

from disclosure_etl.intake.laid_out import Tables
from schemas.documents import Grid

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

# What else than `t` says something, and what says something of a `t`, a cell or a row.
_SAYS_SOMETHING = (
    "gridSpan", "vMerge", "hMerge", "gridBefore", "vertAlign", "vanish", "specVanish", "strike", "dstrike", "rStyle", "pStyle", "del", "tab", "ptab", "br", "cr",
    "noBreakHyphen", "sym",
)  # fmt: skip
# Every text stands in a paragraph of the body or of a table's cell, no table in another, one paragraph in every cell.
_PLAIN = (
    "count(.//w:t) = count(w:p/w:r/w:t) + count(w:tbl/w:tr/w:tc/w:p/w:r/w:t)"
    " and count(.//w:tr) = count(w:tbl/w:tr) and count(.//w:tc) = count(w:tbl/w:tr/w:tc/w:p)"
)


class _Tags(NamedTuple):
    table: str
    row: str
    cell: str
    paragraph: str
    text: str
    telling: tuple[str, ...]
    is_plain: etree.XPath


@lru_cache(maxsize=4)
def _tags(space: str) -> _Tags:
    table, row, cell, paragraph, text = (f"{{{space}}}{name}" for name in ("tbl", "tr", "tc", "p", "t"))
    telling = tuple(f"{{{space}}}{name}" for name in _SAYS_SOMETHING)
    return _Tags(table, row, cell, paragraph, text, telling, etree.XPath(_PLAIN, namespaces={"w": space}))


def plain_content(body: Element, tables: Tables) -> tuple[tuple[Grid, ...], str] | None:
    """The tables and lines of a document; None where there is anything in it that this does not read.

    Raises:
        Unreadable: the tables have more cells than the limit (too_large).
    """
    tags = _tags(body.tag.rpartition("}")[0][1:])
    if next(body.iter(*tags.telling), None) is not None or not tags.is_plain(body):
        return None
    lines: list[str] = []
    found: list[list[list[str]]] = []
    for child in body.iterchildren(tags.paragraph, tags.table):
        if child.tag == tags.table:
            found.append(_rows(child, tags))
        elif (text := "".join(child.itertext(tags.text))) and not text.isspace():
            lines.append(text)
    return tuple(tables.plain_grid(tables.number(), rows) for rows in found), "\n".join(lines)


def _rows(table: Element, tags: _Tags) -> list[list[str]]:
    rows: list[list[str]] = []
    row: list[str] = []
    for one in table.iter(tags.row, tags.cell, tags.text):
        tag = one.tag
        if tag == tags.text:
            row[-1] += one.text or ""
        elif tag == tags.cell:
            row.append("")
        else:
            row = []
            rows.append(row)
    return rows
