"""Where the figures of a form stand in a grid, found by labels: rows by indicator, columns by heading.

Nothing depends on fixed places, so an inserted row, a shifted column or a renamed sheet still reads. Grids with the same
labels in the same places share one layout. Not here: what the figures are (`interpreter`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from disclosure_etl.intake.lexicon import Lexicon, Word, WordKind
from schemas.documents import Grid
from schemas.forms import Form

Place = tuple[int, int]  # zero-based row, column
Anchor = tuple[int, int, Word]


@dataclass(frozen=True)
class Scan:
    """One pass over a grid: the known words, and the places of everything else that is not empty."""

    anchors: tuple[Anchor, ...]
    others: tuple[Place, ...]


@dataclass(frozen=True)
class Layout:
    """Places in one grid.

    `slots` has one entry a cell of the form, None where the grid lacks it; `labels` is where the label of its row
    stands, `locators` names the slots. `header` has, per header field, the place
    of its value (or its label's own place, where the value stands behind a colon). `aside` are columns, from the row
    of their heading on, in which nothing is a figure. `rows` are the rows in which slots lie.
    """

    slots: tuple[Place | None, ...]
    labels: tuple[Place | None, ...]
    locators: tuple[str, ...]
    header: dict[str, Place]
    inline: dict[str, str]
    aside: dict[int, tuple[tuple[int, int], ...]]  # column → from its heading's row to before the next heading's
    consumed: frozenset[Place]
    rows: frozenset[int]

    @property
    def found(self) -> int:
        """How many cells of the form the grid has."""
        return sum(place is not None for place in self.slots)

    def is_aside(self, row: int, column: int) -> bool:
        """Whether the place stands in a column that holds no figures."""
        return any(first <= row < end for first, end in self.aside.get(column, ()))


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


@dataclass
class _Heading:
    """A row of column headings and what stands under it until the next."""

    row: int
    columns: dict[str, int]
    share_columns: dict[str, int]
    aside: list[int]


def _headings(form: Form, anchors: Iterable[Anchor]) -> list[_Heading]:
    rows: dict[int, list[Anchor]] = {}
    for anchor in anchors:
        rows.setdefault(anchor[0], []).append(anchor)
    shared = {
        code for item in form.indicators.values() for b in item.breakdowns if b.shares for code in b.shares.columns
    }
    headings = []
    for row, found in sorted(rows.items()):
        if not any(word.has(WordKind.COLUMN) for _, _, word in found):
            continue
        if any(word.has(WordKind.HEADER) for _, _, word in found):
            continue
        heading = _Heading(row, {}, {}, [])
        last_shared: str | None = None
        for _, column, word in found:
            for code in word.codes(WordKind.COLUMN):
                if code not in heading.columns:
                    heading.columns[code] = column
                    last_shared = code if code in shared else last_shared
                    break
            else:
                if word.has(WordKind.SHARE):
                    # A share column belongs to the nearest column before it that has shares, else to the only one.
                    owner = last_shared or (next(iter(shared)) if len(shared) == 1 else None)
                    if owner and owner not in heading.share_columns:
                        heading.share_columns[owner] = column
                elif word.has(WordKind.ASIDE):
                    heading.aside.append(column)
        headings.append(heading)
    return headings


def _indicator_rows(form: Form, anchors: Iterable[Anchor], first_value_column: int) -> dict[str, tuple[int, int]]:
    """The row and label column of each indicator. A label that several blocks have is the current block's."""
    current: str | None = None
    placed: dict[str, tuple[int, int]] = {}
    taken: set[int] = set()
    for row, column, word in anchors:
        if column >= first_value_column or row in taken:
            continue
        candidates = word.codes(WordKind.INDICATOR)
        blocks = word.codes(WordKind.BLOCK)
        free = [code for code in candidates if code not in placed]
        own = [code for code in free if form.block_of[code] == current]
        chosen = own[0] if own else free[0] if len(candidates) == 1 and free else None
        if chosen is not None:
            placed[chosen] = (row, column)
            taken.add(row)
            current = form.block_of[chosen]
        elif blocks:
            current = blocks[0]
    return placed


def _header(grid: Grid, anchors: Iterable[Anchor], below: int) -> tuple[dict[str, Place], dict[str, str]]:
    """The places of header values: in the label's own cell behind a colon, or the next cell to the right that is not
    a label. An empty cell is an empty value, unless the row goes on with one before the next label."""
    places: dict[str, Place] = {}
    inline: dict[str, str] = {}
    labels = {(row, column) for row, column, _ in anchors}
    for row, column, word in anchors:
        for name in word.codes(WordKind.HEADER):
            if name in places or name in inline or row > below:
                continue
            if word.value is not None:
                inline[name] = word.value
                places[name] = (row, column)
                continue
            cells = grid.values[row]
            for at in range(column + 1, len(cells)):
                if (row, at) in labels:
                    break
                if cells[at] not in (None, ""):
                    places[name] = (row, at)
                    break
    return places, inline


def lay_out(form: Form, grid: Grid, found: Scan) -> Layout:
    """Find the places of all cells of `form` and of the header fields."""
    headings = _headings(form, found.anchors)
    slots: list[Place | None] = [None] * len(form.cells)
    labels: list[Place | None] = [None] * len(form.cells)
    aside: dict[int, tuple[tuple[int, int], ...]] = {}
    end_of_grid = len(grid.values) + 1
    placed: set[str] = set()
    ends = [*(heading.row for heading in headings[1:]), end_of_grid]
    for heading, end in zip(headings, ends, strict=False):
        for column in heading.aside:
            aside[column] = (*aside.get(column, ()), (heading.row, end))
        below = [anchor for anchor in found.anchors if heading.row < anchor[0] < end]
        rows = _indicator_rows(form, below, min([*heading.columns.values(), *heading.share_columns.values()]))
        for cell in form.cells:
            columns = heading.share_columns if cell.measure == "share" else heading.columns
            if cell.indicator in rows and cell.indicator not in placed and cell.column in columns:
                slots[cell.position] = (rows[cell.indicator][0], columns[cell.column])
                labels[cell.position] = rows[cell.indicator]
        placed |= rows.keys()
    header, inline = _header(grid, found.anchors, headings[0].row if headings else end_of_grid)
    consumed = frozenset([place for place in slots if place is not None] + list(header.values()))
    lines = frozenset(place[0] for place in slots if place is not None)
    locators = tuple(grid.locator(*place) if place else "" for place in slots)
    return Layout(tuple(slots), tuple(labels), locators, header, inline, aside, consumed, lines)
