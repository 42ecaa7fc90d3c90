"""Tables of a page that have no ruled lines, or only level ones: figures that stand below each other, and what stands beside them.

A column is where figures and labels of several lines stand with nothing across. A heading belongs to the column that it stands
over, or to as many as it stands in the middle of. Not here: ruled tables (`pdf`), what goes on over a page (`pdf_pages`).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from disclosure_etl.intake.pdf_lines import Line, Piece

_FIGURE = re.compile(r"[(（]?[-−+]?[\d][\d,，.]*[%％‰]?[\u4e00-\u9fff]{0,2}[)）]?|[-—–−/／]+|无|零")
_FAR = 4  # of the height of a line: what stands further apart is of two tables
_NEAR = 1.6  # of the height of a line, or of the hole between two rows: a heading is not further away
_LEAST_ROWS = 2
_LEAST_HEADINGS = 3
_MOST_HEADING_LINES = 6
_MOST_COLUMNS = 64  # headings are compared with columns, and those with each other: no paper is that wide
_OVERLAP = 0.25  # of the height of a line: lines that share more are of one row
_UNMATCHED = 1e6

Span = tuple[float, float]  # left, right


@dataclass(frozen=True)
class Placed:
    """A piece of text in a table: its first column and row, and over how many of them it goes."""

    pieces: tuple[Piece, ...]
    column: int
    columns: int = 1
    rows: int = 1


@dataclass(frozen=True)
class AlignedTable:
    """A table without lines: its columns, its rows of what stands in them, and the lines that it is made of."""

    columns: tuple[Span, ...]
    rows: tuple[tuple[Placed, ...], ...]
    lines: tuple[Line, ...]

    @property
    def figure_rows(self) -> int:
        """How many of its lines have a figure beside something else."""
        return sum(map(_is_row, self.lines))


def aligned_tables(lines: Sequence[Line], *, goes_on: bool = False) -> list[AlignedTable]:
    """The tables among the lines of a page, from above: two rows or more with a figure beside something else. One is enough for
    the first where a table of the page before may go on."""
    found: list[AlignedTable] = []
    for block in _blocks(lines):
        for part in _with_headings_of_their_own(block):
            table = _table(part, 1 if goes_on and not found else _LEAST_ROWS)
            if table is not None:
                found.append(table)
    return found


def is_figure(text: str) -> bool:
    """Whether a text is a figure, or what is written for none."""
    return bool(_FIGURE.fullmatch(text.strip()))


def _blocks(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Lines that follow each other closely."""
    block: list[Line] = []
    for line in lines:
        if block and line.top - block[-1].bottom > max(line.size, block[-1].size) * _FAR:
            yield block
            block = []
        block.append(line)
    if block:
        yield block


def _with_headings_of_their_own(block: Sequence[Line]) -> Iterator[Sequence[Line]]:
    """The parts of a block, each with its own headings: what stands above them (whose return it is, in which revision) has
    columns of its own."""
    rows = [at for at, line in enumerate(block) if _is_row(line)]
    start = 0
    for above, below in itertools.pairwise(rows):
        widest = max(len(block[at].pieces) for at in rows if at >= below)
        between = block[above + 1 : below]
        if any(len(line.pieces) >= max(_LEAST_HEADINGS, widest - 1) and not _has_figure(line) for line in between):
            yield block[start : above + 1]
            start = above + 1
    yield block[start:]


def _has_figure(line: Line) -> bool:
    return any(is_figure(piece.text) for piece in line.pieces)


def _is_row(line: Line) -> bool:
    return len(line.pieces) > 1 and any(is_figure(one.text) for one in line.pieces[1:])


def _table(block: Sequence[Line], least_rows: int) -> AlignedTable | None:
    rows = [at for at, line in enumerate(block) if _is_row(line)]
    if any(len(line.pieces) > _MOST_COLUMNS for line in block):
        return None
    if len(rows) < least_rows:
        return None
    columns = _columns([block[at] for at in rows])
    if len(columns) < 2 or not _has_figures_below_each_other([block[at] for at in rows], columns, least_rows):
        return None
    near = _near([block[at] for at in rows])
    first, last = _first_heading(block, rows[0], columns, near), _last_row(block, rows[-1], near)
    heads, body = block[first : rows[0]], block[rows[0] : last + 1]
    # A line that is level with the first row's, its label in two lines, is no heading.
    while heads and _shares(heads[-1], body[0]) and not _is_row(heads[-1]):
        heads, body = heads[:-1], [heads[-1], *body]
    columns, headings = _headed(heads, _joined(columns, heads, body))
    if any(_runs_together(line, columns) for line in body):
        return None
    found = [*headings, *_body(body, columns)]
    return AlignedTable(tuple(columns), tuple(found), tuple(block[first : last + 1]))


def _columns(lines: Sequence[Line]) -> list[Span]:
    """Where the pieces of lines stand one below the other."""
    columns: list[Span] = []
    for left, right in sorted((piece.left, piece.right) for line in lines for piece in line.pieces):
        if columns and left < columns[-1][1]:
            columns[-1] = (columns[-1][0], max(columns[-1][1], right))
        else:
            columns.append((left, right))
    return columns


def _has_figures_below_each_other(lines: Sequence[Line], columns: Sequence[Span], least: int) -> bool:
    for column in columns[1:]:
        inside = [piece.text for line in lines for piece in line.pieces if _overlap(piece, column)]
        figures = sum(map(is_figure, inside))
        if figures >= least and figures * 2 > len(inside):
            return True
    return False


def _first_heading(block: Sequence[Line], first: int, columns: Sequence[Span], near: float) -> int:
    """The first line that belongs to the table: those above the figures that are divided as well, or stand over a column. Labels
    without a figure may stand between."""
    found = at = first
    while at > 0 and first - at < _MOST_HEADING_LINES:
        line, below = block[at - 1], block[at]
        if below.top - line.bottom > near:
            break
        at -= 1
        one = line.pieces[0]
        label = len(line.pieces) == 1 and one.right < columns[1][0]
        beside = one.left >= columns[0][1] and line.pieces[-1].right <= columns[-1][1] + line.size
        if _is_divided(line) or (beside and not label) or _shares(line, below):
            found = at
        elif not label:
            break
    return found


def _last_row(block: Sequence[Line], last: int, near: float) -> int:
    """The last line that belongs to the table: divided ones right below the last figure, or what goes on in its row."""
    while last + 1 < len(block) and (
        _shares(block[last], block[last + 1])
        or (_is_divided(block[last + 1]) and block[last + 1].top - block[last].bottom < near)
    ):
        last += 1
    return last


def _near(rows: Sequence[Line]) -> float:
    """How far apart lines of one table may be: a little more than its rows are."""
    holes = sorted(below.top - above.bottom for above, below in itertools.pairwise(rows))
    usual = holes[len(holes) // 2] if holes else 0.0
    return max(rows[0].size * _NEAR, usual * _NEAR)


def _is_divided(line: Line) -> bool:
    return len(line.pieces) > 1 and not _is_sentence(line)


def _is_sentence(line: Line) -> bool:
    return any(piece.text.endswith(("。", "；", "，")) for piece in line.pieces)


def _shares(above: Line, below: Line) -> bool:
    """Whether two lines are of one height in part."""
    return above.bottom - below.top > min(above.size, below.size) * _OVERLAP


def _runs_together(line: Line, columns: Sequence[Span]) -> bool:
    """Whether a figure would stand in one cell with what stands beside it: 12 and 3 are no 123."""
    cells = _cells(line.pieces, columns).values()
    return any(len(cell) > 1 and any(is_figure(piece.text) for piece in cell) for cell in cells)


def _overlap(piece: Piece, column: Span) -> bool:
    return piece.left < column[1] and piece.right > column[0]


def _joined(columns: Sequence[Span], heads: Sequence[Line], body: Sequence[Line]) -> list[Span]:
    """The columns, those put together over which one heading stands and of which no row has both: one line's figure is set to the
    left, another's to the right."""
    named = next((line.pieces for line in reversed(heads) if len(line.pieces) >= _LEAST_HEADINGS), ())
    if not named or len(named) >= len(columns):
        return list(columns)
    headed = {at for at in _matched(named, columns) if at is not None}
    filled = [
        {at for at, column in enumerate(columns) if any(_overlap(one, column) for one in line.pieces)} for line in body
    ]
    groups: list[list[int]] = []
    for at in range(len(columns)):
        group = groups[-1] if groups else []
        alone = not (at in headed and any(one in headed for one in group))
        if group and alone and not any(at in row and not row.isdisjoint(group) for row in filled):
            group.append(at)
        else:
            groups.append([at])
    return [(columns[group[0]][0], columns[group[-1]][1]) for group in groups]


def _headed(heads: Sequence[Line], columns: Sequence[Span]) -> tuple[list[Span], list[tuple[Placed, ...]]]:
    """The columns, with those that only a heading shows, and the rows of headings. What stands level between two lines goes over
    both."""
    between = {
        at for at in range(1, len(heads) - 1) if _shares(heads[at - 1], heads[at]) and _shares(heads[at], heads[at + 1])
    }
    lowest = max((at for at, line in enumerate(heads) if len(line.pieces) > 1 and at not in between), default=None)
    if lowest is None:
        return list(columns), [tuple(_over(line.pieces, columns)) for line in heads]
    tall = heads[lowest - 1].pieces if lowest - 1 in between else ()
    known = _with_columns_of(sorted((*heads[lowest].pieces, *tall), key=lambda one: one.left), columns)
    rows: list[tuple[Placed, ...]] = []
    for at, line in enumerate(heads):
        if at in between:
            continue
        over_both = (
            [Placed((one,), _nearest(one, known), 1, 2) for one in heads[at + 1].pieces] if at + 1 in between else []
        )
        taken = frozenset(one.column for one in over_both)
        here = (
            [Placed((one,), _nearest(one, known)) for one in line.pieces]
            if at == lowest
            else _over(line.pieces, known, taken)
        )
        rows.append(tuple(sorted((*here, *over_both), key=lambda one: one.column)))
    return known, rows


def _with_columns_of(pieces: Sequence[Piece], columns: Sequence[Span]) -> list[Span]:
    """The columns made as wide as the headings right above them; a heading that none is left for has one of its own."""
    at = _matched(pieces, columns)
    wide = list(columns)
    for piece, column in zip(pieces, at, strict=True):
        if column is not None:
            wide[column] = (min(wide[column][0], piece.left), max(wide[column][1], piece.right))
    alone = [(piece.left, piece.right) for piece, column in zip(pieces, at, strict=True) if column is None]
    return sorted([*wide, *(one for one in alone if not any(one[0] < right and one[1] > left for left, right in wide))])


def _matched(pieces: Sequence[Piece], columns: Sequence[Span]) -> list[int | None]:
    """For each piece its column, in order, so that as many as can be are matched and together are as near as can be."""
    best: dict[tuple[int, int], tuple[float, tuple[int | None, ...]]] = {}
    for piece in range(len(pieces), -1, -1):
        for column in range(len(columns), -1, -1):
            if piece == len(pieces):
                best[piece, column] = (0.0, ())
                continue
            without = best[piece + 1, column]
            ways = [(without[0] + _UNMATCHED, (None, *without[1]))]
            if column < len(columns):
                ways.append(best[piece, column + 1])
                after = best[piece + 1, column + 1]
                ways.append((after[0] + _distance(pieces[piece], columns[column]), (column, *after[1])))
            best[piece, column] = min(ways, key=lambda way: way[0])
    return list(best[0, 0][1])


def _distance(piece: Piece, column: Span) -> float:
    hole = max(column[0] - piece.right, piece.left - column[1], 0.0)
    return hole * 10 + abs(piece.middle - (column[0] + column[1]) / 2)


def _over(pieces: Sequence[Piece], columns: Sequence[Span], taken: frozenset[int] = frozenset()) -> Iterator[Placed]:
    """Headings over their columns: each over the one, or the several, whose middle is nearest to its own."""
    start = 0
    for number, piece in enumerate(pieces):
        later = pieces[number + 1].left if number + 1 < len(pieces) else float("inf")
        free = [at for at in range(start, len(columns)) if at not in taken and (at == start or columns[at][0] < later)]
        spans = [
            (first, last)
            for first in free
            for last in free
            if first == last or (first < last and columns[first][0] < piece.right and piece.left < columns[last][1])
            if taken.isdisjoint(range(first, last + 1))
        ]
        if not spans:
            return
        first, last = min(spans, key=lambda span: _off_middle(piece, columns, span))
        yield Placed((piece,), first, last - first + 1)
        start = last + 1


def _off_middle(piece: Piece, columns: Sequence[Span], span: tuple[int, int]) -> tuple[float, int]:
    left, right = columns[span[0]][0], columns[span[1]][1]
    outside = max(left - piece.left, 0.0) + max(piece.right - right, 0.0)
    edges = (
        min(abs(piece.left - left), abs(piece.right - right))
        if span[0] == span[1]
        else abs(piece.middle - (left + right) / 2)
    )
    return (min(edges, abs(piece.middle - (left + right) / 2)) + outside * 10, span[1] - span[0])


def _body(lines: Sequence[Line], columns: Sequence[Span]) -> Iterator[tuple[Placed, ...]]:
    """The rows below the headings. Lines of one height in part are one row, as a label in two lines with its figures between, unless
    two figures would be one then."""
    bands: list[list[Line]] = []
    for line in lines:
        if bands and _shares(bands[-1][-1], line):
            bands[-1].append(line)
        else:
            bands.append([line])
    for band in bands:
        whole = _cells([piece for line in band for piece in line.pieces], columns)
        if any(
            len(cell) > 1 and any(is_figure(piece.text) for piece in cell) for cell in whole.values()
        ):  # of several lines
            yield from (_row(_cells(line.pieces, columns)) for line in band)
        else:
            yield _row(whole)


def _cells(pieces: Sequence[Piece], columns: Sequence[Span]) -> dict[int, list[Piece]]:
    cells: dict[int, list[Piece]] = {}
    for piece in pieces:
        cells.setdefault(_nearest(piece, columns), []).append(piece)
    return cells


def _row(cells: dict[int, list[Piece]]) -> tuple[Placed, ...]:
    return tuple(Placed(tuple(cells[at]), at) for at in sorted(cells))


def _nearest(piece: Piece, columns: Sequence[Span]) -> int:
    return min(range(len(columns)), key=lambda at: (not _overlap(piece, columns[at]), _distance(piece, columns[at])))
