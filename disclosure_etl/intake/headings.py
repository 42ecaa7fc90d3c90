"""The rows of column headings in a grid, and which column of which table each heading means.

Not here: the rows under them (`rows`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from disclosure_etl.intake.lexicon import Word, WordKind
from schemas.forms import Form, Table

Anchor = tuple[int, int, Word]
_TITLES = (WordKind.INDICATOR, WordKind.ALIAS, WordKind.HEADING, WordKind.BLOCK, WordKind.TABLE)


@dataclass(frozen=True)
class Columns:
    """Where the columns of one table stand: its figures, and the shares beside them."""

    figures: Mapping[str, int]
    shares: Mapping[str, int]


@dataclass
class Heading:
    """One or several rows of column headings above the same figures. `words` are (column, word), by column."""

    form: Form
    first: int
    last: int
    words: list[tuple[int, Word]]

    @cached_property
    def value_column(self) -> int:
        """The first column of figures; labels stand left of it."""
        return min(column for column, word in self.words if word.has(WordKind.COLUMN) or word.has(WordKind.SHARE))

    def columns_with(self, kind: WordKind) -> list[int]:
        """The columns whose heading is of `kind`."""
        return [column for column, word in self.words if word.has(kind)]

    @cached_property
    def tables(self) -> dict[str, Columns]:
        """The columns of each table that has any here."""
        found = {table.code: self._columns_of(table) for table in self.form.tables}
        return {code: columns for code, columns in found.items() if columns.figures}

    @cached_property
    def best(self) -> frozenset[str]:
        """The tables that the heading fits best: most columns told, fewest missing."""
        fit = {
            table.code: (len(self.tables[table.code].figures), -len(table.columns))
            for table in self.form.tables
            if table.code in self.tables
        }
        return frozenset(code for code, one in fit.items() if one == max(fit.values()))

    def _columns_of(self, table: Table) -> Columns:
        own = {column.code for column in table.columns}
        shared = {
            code for block in table.blocks for item in block.indicators for b in item.breakdowns if b.shares
            for code in b.shares.columns
        }  # fmt: skip
        figures: dict[str, int] = {}
        shares: dict[str, int] = {}
        last_shared: str | None = None
        for column, word in self.words:
            code = next((one for one in word.codes(WordKind.COLUMN) if one in own and one not in figures), None)
            if code is not None:
                figures[code] = column
                last_shared = code if code in shared else last_shared
            elif word.has(WordKind.SHARE):
                # A share column belongs to the nearest column before it that has shares, else to the only one.
                owner = last_shared or (next(iter(shared)) if len(shared) == 1 else None)
                if owner and owner not in shares:
                    shares[owner] = column
        return Columns(figures, shares)


def headings(form: Form, rows: Mapping[int, Sequence[Anchor]]) -> list[Heading]:
    """The headings of a grid, from above. `rows` are its known words by row."""
    found: list[Heading] = []
    labels = [column for row in rows.values() for _, column, word in row if word.has(WordKind.INDICATOR)]
    limit = min(labels, default=0) + 1
    for row, anchors in rows.items():
        if not _is_heading(anchors, limit):
            continue
        words = [(column, word) for _, column, word in anchors]
        above = found[-1] if found else None
        if above is not None and _is_continued(above, row, words, rows):
            above.last, above.words = row, sorted([*above.words, *words], key=lambda one: one[0])
            limit = min([limit, *(column for column, word in words if word.has(WordKind.COLUMN))])
            continue
        first, beside = _headed_above(row, words, rows, above, limit)
        heading = Heading(form, first, row, sorted([*words, *beside], key=lambda one: one[0]))
        found.append(heading)
        limit = min(column for column, word in words if word.has(WordKind.COLUMN))
    return found


def _is_heading(anchors: Sequence[Anchor], limit: int) -> bool:
    """Whether a row heads columns. A row label may be called like a column (总计, 其他): left of `limit`, where labels
    stand, it heads nothing."""
    columns = [(column, word) for _, column, word in anchors if word.has(WordKind.COLUMN)]
    if not columns or any(word.has(WordKind.HEADER) for _, _, word in anchors):
        return False
    if any(word.has(WordKind.UNIT) or word.has(WordKind.ASIDE) or word.has(WordKind.SHARE) for _, _, word in anchors):
        return True
    return any(column >= limit or not any(word.has(kind) for kind in _TITLES) for column, word in columns)


def _headed_above(
    row: int,
    words: Sequence[tuple[int, Word]],
    rows: Mapping[int, Sequence[Anchor]],
    above: Heading | None,
    limit: int,
) -> tuple[int, list[tuple[int, Word]]]:
    """The first row of a heading, and the words in the row above that head the other columns: 占比 over two rows, beside 数量
    over 本月 and 累计. A word left of `limit` is no unit's heading, but what a label says."""
    taken = {column for column, _ in words}
    upper = rows.get(row - 1, ()) if above is None or above.last < row - 1 else ()
    if any(word.has(WordKind.HEADER) or any(word.has(kind) for kind in _TITLES) for _, _, word in upper):
        return row, []
    beside = [
        (column, word)
        for _, column, word in upper
        if column not in taken
        and (word.has(WordKind.SHARE) or word.has(WordKind.ASIDE) or (word.has(WordKind.UNIT) and column >= limit))
    ]
    return (row - 1 if beside else row), beside


def _is_continued(
    above: Heading, row: int, words: Sequence[tuple[int, Word]], rows: Mapping[int, Sequence[Anchor]]
) -> bool:
    """Whether a heading goes on in the next row: nothing that is known stands between, and no column is told twice."""
    if any(above.last < at < row for at in rows) or row > above.last + 2:
        return False
    taken = {column for column, word in above.words if word.has(WordKind.COLUMN)}
    return not taken & {column for column, word in words if word.has(WordKind.COLUMN)}
