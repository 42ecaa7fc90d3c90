"""Which row of a grid is which indicator: by its label, and by the block and table that the rows above have opened.

A label says an indicator by itself only if no other has it; an alias (其他, 信函) only among its own block's rows. What is
not understood is nobody's: a figure in a wrong place is worse than one that is listed as unread. Not here: columns
(`headings`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from disclosure_etl.intake.headings import Anchor, Heading
from disclosure_etl.intake.lexicon import Word, WordKind
from schemas.forms import Form

_LONG = 4  # signs; an alias this long opens the next block where a document has no block titles


@dataclass(frozen=True)
class Row:
    """An indicator's row: where its label stands, under which heading."""

    code: str
    row: int
    column: int
    word: Word
    heading: Heading


def indicator_rows(form: Form, rows: Mapping[int, Sequence[Anchor]], headings: Sequence[Heading]) -> list[Row]:
    """All rows of indicators, from above; one that is listed twice is in it twice."""
    return list(_Walk(form, rows, headings).rows())


@dataclass
class _Walk:
    form: Form
    anchors: Mapping[int, Sequence[Anchor]]
    headings: Sequence[Heading]
    table: str | None = None
    block: str | None = None
    by_title: bool = False  # the block was opened by its title, so its rows go on until the next title
    placed: dict[tuple[str, str], Heading] = field(default_factory=dict)  # (indicator, column), under which heading
    met: set[str] = field(default_factory=set)
    opened: bool = False  # a title was met since the last row

    def __post_init__(self) -> None:
        form = self.form
        self.table_of = {block.code: table.code for table in form.tables for block in table.blocks}
        self.order = {block.code: at for at, block in enumerate(form.blocks)}
        self.firsts = {block.indicators[0].code for block in form.blocks}
        self.times: Counter[Word] = Counter(word for row in self.anchors.values() for _, _, word in row)
        self.titled = {
            code
            for row in self.anchors.values()
            for _, _, word in row
            for code in word.codes(WordKind.BLOCK)
            if self._only_title(word, code)
        }

    def rows(self) -> Iterator[Row]:
        """The rows of indicators, in the order of the grid."""
        starts = {heading.first: heading for heading in self.headings}
        within = {row for heading in self.headings for row in range(heading.first, heading.last + 1)}
        heading: Heading | None = None
        following = dict(pairwise(self.anchors))
        for row, anchors in self.anchors.items():
            if row in starts:
                heading = starts[row]
                if not self.by_title and not self.opened:  # another table begins, whose rows may be called alike
                    self.block = self.table = None
            limit = heading.value_column if heading else None
            # The last label of a row is the row's own; what stands before it is what it belongs to.
            labels = [(column, word) for _, column, word in anchors if limit is None or column < limit]
            if row in within or heading is None:
                for _, word in labels:
                    if not word.has(WordKind.COLUMN):
                        self._open(word)
                continue
            own = next(((column, word) for column, word in reversed(labels) if _says_something(word)), None)
            if own is None or self._heads_group(own[1], following.get(row)):
                continue
            for column, word in labels:
                if column < own[0]:
                    self._open(word)
            if (code := self._meant(own[1], heading)) is not None:
                yield Row(code, row, own[0], own[1], heading)

    def _heads_group(self, word: Word, below: int | None) -> bool:
        """Whether a label heads a group, though an indicator may be called alike: the row below it is the group's first."""
        headed = set(word.codes(WordKind.HEADING))
        return bool(headed) and any(headed & {*_codes(first)} for _, _, first in self.anchors.get(below or -1, ()))

    def _open(self, word: Word) -> bool:
        """Open the block or table that a title names."""
        blocks = word.codes(WordKind.BLOCK)
        tables = word.codes(WordKind.TABLE)
        if not blocks and not tables:
            return False
        self.opened = True
        if self.table is not None and not tables:
            blocks = tuple(sorted(blocks, key=lambda code: self.table_of[code] != self.table))
        if blocks:
            self.block, self.table, self.by_title = blocks[0], self.table_of[blocks[0]], True
            self.met.add(blocks[0])
        else:
            self.table, self.by_title = tables[0], False
            if self.block is not None and self.table_of[self.block] != self.table:
                self.block = None
        return True

    def _only_title(self, word: Word, block: str) -> bool:
        """Whether the word is a title, though an indicator of that block is called alike: then it stands there twice."""
        alike = [code for code in _codes(word) if self.form.block_of[code] == block]
        return not alike or self.times[word] > 1

    def _meant(self, word: Word, heading: Heading) -> str | None:
        """The indicator that a row label means here, if any; a title opens its block and means none."""
        codes = [code for code in _codes(word) if self._table(code) in heading.tables]
        own = [code for code in codes if self.form.block_of[code] == self.block]
        blocks = word.codes(WordKind.BLOCK)
        if not own and (blocks or word.has(WordKind.TABLE)):
            opens = not blocks or any(self._only_title(word, block) for block in blocks)
            if opens and self._open(word):
                return None
        chosen = next((code for code in own if self._is_free(code, heading)), None)
        if chosen is None:
            stands = bool(own) and self._stands_here(own[0], heading)
            if not (stands and self.by_title):
                chosen = self._entering(word, heading, again=stands)
        if chosen is None:
            return own[0] if own else None  # listed twice, or nothing that is known here
        return self._take(chosen, heading)

    def _stands_here(self, code: str, heading: Heading) -> bool:
        """Whether the indicator has a row under this very heading."""
        return any(self.placed.get((code, column)) is heading for column in heading.tables[self._table(code)].figures)

    def _take(self, code: str, heading: Heading) -> str:
        table = self._table(code)
        self.opened = False
        for column in heading.tables[table].figures:
            self.placed.setdefault((code, column), heading)
        block = self.form.block_of[code]
        if block != self.block:
            self.block, self.by_title = block, False
        self.met.add(block)
        return code

    def _entering(self, word: Word, heading: Heading, again: bool) -> str | None:
        """The indicator by which a block is entered that has no title here. `again`: the label stands in this block already,
        so it either begins the next one or is listed twice."""
        full = self._narrowed(
            [code for code in word.codes(WordKind.INDICATOR) if self._may_enter(code, heading)], heading
        )
        if not again and len({self.form.block_of[code] for code in full}) == 1:
            return full[0]
        after = self.order.get(self.block or "", -1)
        for code in sorted(full, key=lambda code: self.order[self.form.block_of[code]]):
            block = self.form.block_of[code]
            if code in self.firsts and block not in self.met and self.order[block] > after:
                return code
        if again or full or self.by_title or word.length < _LONG:
            return None
        alias = self._narrowed([code for code in word.codes(WordKind.ALIAS) if self._may_enter(code, heading)], heading)
        following = next((block for block, at in self.order.items() if at > after and block not in self.met), None)
        return alias[0] if len(alias) == 1 and self.form.block_of[alias[0]] == following else None

    def _may_enter(self, code: str, heading: Heading) -> bool:
        block = self.form.block_of[code]
        return block not in self.titled and self._table(code) in heading.tables and self._is_free(code, heading)

    def _narrowed(self, codes: list[str], heading: Heading) -> list[str]:
        """Those of the table that a title has opened, else of those that the heading fits best, if there are any."""
        for tables in ({self.table} if self.table else set(), heading.best):
            if own := [code for code in codes if self._table(code) in tables]:
                return own
        return codes

    def _is_free(self, code: str, heading: Heading) -> bool:
        return any((code, column) not in self.placed for column in heading.tables[self._table(code)].figures)

    def _table(self, code: str) -> str:
        return self.table_of[self.form.block_of[code]]


def _codes(word: Word) -> tuple[str, ...]:
    return (*word.codes(WordKind.INDICATOR), *word.codes(WordKind.ALIAS))


def _says_something(word: Word) -> bool:
    return any(kind in (WordKind.INDICATOR, WordKind.ALIAS, WordKind.BLOCK, WordKind.TABLE) for kind, _ in word.senses)
