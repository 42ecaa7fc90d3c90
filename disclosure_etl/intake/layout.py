"""Where the figures of a form stand in a grid, found by labels: rows by indicator, columns by heading.

Nothing depends on fixed places, so an inserted row, a shifted column or a renamed sheet still reads. Grids with the same
words in the same places share one layout. Not here: what the figures are (`interpreter`), nor what differs between grids
with the same words, such as the values of the header (`header`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from disclosure_etl.intake.header import HeaderField, header_fields
from disclosure_etl.intake.headings import Anchor, Heading, headings
from disclosure_etl.intake.lexicon import Lexicon, WordKind
from disclosure_etl.intake.rows import Row, indicator_rows
from disclosure_etl.intake.units import Told, UnitCell, carries_scale
from schemas.documents import Grid
from schemas.forms import Form

Place = tuple[int, int]  # zero-based row, column


@dataclass(frozen=True)
class Scan:
    """One pass over a grid: the known words, and the places of everything else that is not empty."""

    anchors: tuple[Anchor, ...]
    others: tuple[Place, ...]


@dataclass(frozen=True)
class Layout:
    """Places in one grid.

    `slots` has one entry a cell of the form, None where the grid lacks it; `labels` is where the label of its row
    stands, `locators` names the slots; `again` are further places of cells, where an indicator is listed twice.
    `aside` are columns, from the row of their heading on, and `aside_rows` rows in which nothing is a figure. `rows` are
    the rows in which slots lie. `units` are units that labels tell, `unit_cells` where others stand.
    """

    slots: tuple[Place | None, ...]
    labels: tuple[Place | None, ...]
    locators: tuple[str, ...]
    again: tuple[tuple[int, Place], ...]
    fields: tuple[HeaderField, ...]
    aside: dict[int, tuple[tuple[int, int], ...]]  # column → from its heading's row to before the next heading's
    aside_rows: frozenset[int]
    consumed: frozenset[Place]
    rows: frozenset[int]
    units: tuple[Told, ...]
    unit_cells: tuple[UnitCell, ...]
    found: int  # how many cells of the form the grid has
    tables: frozenset[str]  # the tables that it has any of

    def is_aside(self, row: int, column: int) -> bool:
        """Whether the place stands in a row or column that holds no figures."""
        return row in self.aside_rows or any(first <= row < end for first, end in self.aside.get(column, ()))


def scan(grid: Grid, lexicon: Lexicon) -> Scan:
    """Look at every cell once."""
    anchors: list[Anchor] = []
    others: list[Place] = []
    word, known = lexicon.word, lexicon.known
    for row, cells in enumerate(grid.values):
        for column, value in enumerate(cells):
            if type(value) is not str:
                if value is not None:
                    others.append((row, column))
            elif value:
                found = known[value] if value in known else word(value)
                if found is not None:
                    anchors.append((row, column, found))
                else:
                    others.append((row, column))
    return Scan(tuple(anchors), tuple(others))


def lay_out(form: Form, grid: Grid, found: Scan) -> Layout:
    """Find the places of all cells of `form` and of the header fields."""
    lines: dict[int, list[Anchor]] = {}
    for anchor in found.anchors:
        lines.setdefault(anchor[0], []).append(anchor)
    heads = headings(form, lines)
    rows = indicator_rows(form, lines, heads)
    slots: list[Place | None] = [None] * len(form.cells)
    labels: list[Place | None] = [None] * len(form.cells)
    again: list[tuple[int, Place]] = []
    cells_of: dict[str, list] = {}
    for cell in form.cells:
        cells_of.setdefault(cell.indicator, []).append(cell)
    for row in rows:
        for cell in cells_of[row.code]:
            columns = row.heading.tables[cell.table]
            at = (columns.shares if cell.measure == "share" else columns.figures).get(cell.column)
            if at is None:
                continue
            if slots[cell.position] is None:
                slots[cell.position], labels[cell.position] = (row.row, at), (row.row, row.column)
            elif cell.measure != "share":
                again.append((cell.position, (row.row, at)))
    filled = [place for place in slots if place is not None]
    inside = frozenset(row for row, _ in filled)
    units, unit_cells = _units(form, rows, heads, found.anchors)
    return Layout(
        slots=tuple(slots),
        labels=tuple(labels),
        locators=tuple(grid.locator(*place) if place else "" for place in slots),
        again=tuple(again),
        fields=header_fields(found.anchors, heads[0].first if heads else len(grid.values) + 1, inside),
        aside=_aside(heads, len(grid.values) + 1),
        aside_rows=frozenset(row for row, _, word in found.anchors if word.has(WordKind.ASIDE_ROW)) - inside,
        consumed=frozenset(filled) | {place for _, place in again},
        rows=inside,
        units=units,
        unit_cells=unit_cells,
        found=len(filled),
        tables=frozenset(cell.table for cell in form.cells if slots[cell.position] is not None),
    )


def _aside(heads: Sequence[Heading], end_of_grid: int) -> dict[int, tuple[tuple[int, int], ...]]:
    aside: dict[int, tuple[tuple[int, int], ...]] = {}
    ends = [*(heading.first for heading in heads[1:]), end_of_grid]
    for heading, end in zip(heads, ends, strict=False):
        for kind in (WordKind.ASIDE, WordKind.UNIT):
            for column in heading.columns_with(kind):
                aside[column] = (*aside.get(column, ()), (heading.first, end))
    return aside


def _units(
    form: Form, rows: Sequence[Row], heads: Sequence[Heading], anchors: Iterable[Anchor]
) -> tuple[tuple[Told, ...], tuple[UnitCell, ...]]:
    """The units that labels, column headings and captions tell, and the cells of a column of units."""
    told: list[Told] = []
    cells: list[UnitCell] = []
    captions = [(row, column, word.unit) for row, column, word in anchors if word.has(WordKind.CAPTION)]
    for row in rows:
        item = form.indicators[row.code]
        if row.word.unit:
            told.append(Told(row.code, row.word.unit, (row.row, row.column)))
        column = next(iter(row.heading.columns_with(WordKind.UNIT)), None)
        if column is not None:
            cells.append(UnitCell(row.code, row.row, column, item.unit))
        # What stands for many rows at once says only of its own kind of unit that it is a multiple: 单位:万元.
        general = [
            (row.heading.last, column, word.unit)
            for column, word in row.heading.words
            if word.unit and word.has(WordKind.COLUMN)
        ] + [caption for caption in captions if caption[0] <= row.row][-1:]
        told += [Told(row.code, unit, (line, at)) for line, at, unit in general if carries_scale(unit, item.unit)]
    return tuple(told), tuple(cells)
