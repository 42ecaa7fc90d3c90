"""Tables that go on over a page: which of two pages' tables are one, and that one.

They are where nothing stands between them but what is printed above and below every page, and their columns agree. Not here:
finding the tables of a page (`pdf`, `pdf_columns`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from disclosure_etl.intake.laid_out import SpanningCell
from disclosure_etl.intake.page_numbers import is_page_number
from disclosure_etl.intake.pdf_columns import Span, is_figure

_SAME_PLACE = 3.0  # points


@dataclass(frozen=True)
class TableCell:
    """One cell: its text, its first column, and over how many columns and rows it goes."""

    text: str
    column: int
    columns: int = 1
    rows: int = 1


@dataclass(frozen=True)
class PageTable:
    """A table on a page: where its columns and itself stand, and the cells of its rows."""

    columns: tuple[Span, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    top: float
    bottom: float
    ruled: bool

    def laid_out(self) -> list[list[SpanningCell]]:
        """Its rows in the way of tables without addresses."""
        return [
            list(_without_holes(row, above, len(self.columns)))
            for row, above in zip(self.rows, self._reached(), strict=True)
        ]

    def _reached(self) -> Iterator[frozenset[int]]:
        """For each row the columns that cells from above reach into."""
        below: dict[int, int] = {}
        for at, row in enumerate(self.rows):
            yield frozenset(column for column, end in below.items() if end > at)
            for cell in row:
                below.update(dict.fromkeys(range(cell.column, cell.column + cell.columns), at + cell.rows))


@dataclass(frozen=True)
class PrintedText:
    """A line outside of the tables."""

    text: str
    top: float


@dataclass(frozen=True)
class PrintedPage:
    """What a page shows: its tables and its other lines, from above."""

    tables: tuple[PageTable, ...]
    lines: tuple[PrintedText, ...]

    @cached_property
    def places(self) -> frozenset[tuple[str, int]]:
        """What its lines say, and at which height in points."""
        return frozenset((line.text, round(line.top)) for line in self.lines)


def tables_of(pages: Sequence[PrintedPage]) -> list[PageTable]:
    """The tables of a document, those that go on over pages as one."""
    found: list[PageTable] = []
    for at, page in enumerate(pages):
        for number, table in enumerate(page.tables):
            if number == 0 and at and goes_on(pages[at - 1], page):
                found[-1] = _with(found[-1], table)
            else:
                found.append(table)
    return found


def goes_on(before: PrintedPage, after: PrintedPage) -> bool:
    """Whether the last table of a page goes on in the first one of the next."""
    if not (before.tables and after.tables):
        return False
    first, second = before.tables[-1], after.tables[0]
    return (
        first.ruled == second.ruled
        and not _says_more(line for line in before.lines if line.top > first.bottom and not _repeated(line, after))
        and not _says_more(line for line in after.lines if line.top < second.top and not _repeated(line, before))
        and _agreeing(first, second) is not None
        and not _is_another(first, second)
    )


def _repeated(line: PrintedText, other: PrintedPage) -> bool:
    return any((line.text, round(line.top) + off) in other.places for off in (0, -1, 1))


def _says_more(lines: Iterator[PrintedText]) -> bool:
    return any(not is_page_number(line.text) for line in lines)


def _agreeing(first: PageTable, second: PageTable) -> list[int] | None:
    """For each column of the second the same one of the first; None where there is none, or the two are ruled otherwise."""
    if first.ruled:
        edges = zip(first.columns, second.columns, strict=False)
        same = all(abs(one - other) < _SAME_PLACE for pair in edges for one, other in zip(*pair, strict=True))
        return list(range(len(second.columns))) if same and len(first.columns) == len(second.columns) else None
    found: list[int] = []
    for left, right in second.columns:
        over = [at for at, (start, end) in enumerate(first.columns) if left < end and right > start]
        if len(over) != 1 or over[0] in found:
            return None
        found += over
    return found


def _is_another(first: PageTable, second: PageTable) -> bool:
    """Whether the second has a heading that the first has not, or nothing that the first has not."""
    repeated = _repeated_rows(first, second)
    if repeated:
        return repeated == len(second.rows)
    at = _agreeing(first, second) or []
    figures = _columns_of_figures(first)
    return any(
        cell.text and not is_figure(cell.text) and at[cell.column] in figures
        for cell in second.rows[0]
        if cell.columns == 1
    )


def _columns_of_figures(table: PageTable) -> set[int]:
    """The columns in which most of what stands is figures."""
    said = [
        (cell.column, is_figure(cell.text)) for row in table.rows for cell in row if cell.text and cell.columns == 1
    ]
    count, figures = Counter(column for column, _ in said), Counter(column for column, figure in said if figure)
    return {column for column in count if figures[column] * 2 > count[column]}


def _repeated_rows(first: PageTable, second: PageTable) -> int:
    """How many rows at the top of the second are the first's heading again, wherever above that a title stands."""
    if not second.rows:
        return 0
    shown = [_shown(row) for row in first.rows]
    begins = next((at for at, row in enumerate(shown) if row == _shown(second.rows[0])), None)
    count = 0
    while begins is not None and count < len(second.rows) and begins + count < len(shown):
        if shown[begins + count] != _shown(second.rows[count]):
            break
        count += 1
    return count


def _shown(row: Sequence[TableCell]) -> list[str]:
    return [cell.text for cell in row if cell.text]


def _with(first: PageTable, second: PageTable) -> PageTable:
    at = _agreeing(first, second) or []
    rows = second.rows[_repeated_rows(first, second) :]
    moved = tuple(tuple(replace(cell, column=at[cell.column]) for cell in row) for row in rows)
    return replace(first, rows=(*first.rows, *moved), bottom=second.bottom)


def _without_holes(row: Sequence[TableCell], above: frozenset[int], count: int) -> Iterator[SpanningCell]:
    cells = {cell.column: cell for cell in row}
    column = 0
    while column < count:
        cell = cells.get(column)
        if cell is not None:
            yield SpanningCell(cell.text, cell.columns, cell.rows)
        elif column not in above:
            yield SpanningCell("")
        column += cell.columns if cell else 1
