"""The header of a return in a grid: whose it is, for when, who filled it in, checked and signed it.

Where the labels stand is part of a layout; the values are looked for in each document anew, since they differ in place
where one is left empty. Not here: what the values mean (`identity`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from disclosure_etl.intake.figures import figure
from disclosure_etl.intake.headings import Anchor
from disclosure_etl.intake.lexicon import WordKind
from schemas.documents import Grid

# What a signature block below the table may tell; which month it is, and whether there is nothing, stands above.
_BELOW = frozenset({"bureau", "bureau_code", "preparer", "checker", "signer", "filled_on", "telephone"})


class HeaderField(NamedTuple):
    """A field's label, its value where that stands behind the colon, and the column of the next label in the row."""

    name: str
    row: int
    column: int
    value: str | None
    until: int


def header_fields(anchors: Sequence[Anchor], below: int, rows: Collection[int]) -> tuple[HeaderField, ...]:
    """The labels of header fields: above row `below`, else beneath the rows of figures; the first that has a value tells."""
    above: list[HeaderField] = []
    beneath: list[HeaderField] = []
    for at, (row, column, word) in enumerate(anchors):
        names = word.codes(WordKind.HEADER)
        if not names or row in rows:
            continue
        following = anchors[at + 1] if at + 1 < len(anchors) else None
        until = following[1] if following is not None and following[0] == row else 1 << 30
        values = dict(word.fields)
        for name in names:
            if row <= below:
                above.append(HeaderField(name, row, column, values.get(name), until))
            elif name in _BELOW:
                beneath.append(HeaderField(name, row, column, values.get(name), until))
    return (*above, *beneath)


def header_places(grid: Grid, fields: Sequence[HeaderField]) -> dict[str, tuple[tuple[int, int], str | None]]:
    """Per field the place of its value, and the value where it stands behind a colon. The value is in the label's own cell,
    or in the next one to the right that is not empty; a field without one is not told."""
    found: dict[str, tuple[tuple[int, int], str | None]] = {}
    values = grid.values
    for name, row, column, inline, until in fields:
        if name in found:
            continue
        if inline:
            found[name] = ((row, column), inline)
            continue
        cells = values[row]
        for at in range(column + 1, min(until, len(cells))):
            if cells[at] not in (None, ""):
                found[name] = ((row, at), None)
                break
    return found


def text_at(grid: Grid, place: tuple[int, int]) -> str:
    """The text as displayed of any cell."""
    row, column = place
    cells = grid.values[row] if row < len(grid.values) else []
    value = cells[column] if column < len(cells) else None
    if isinstance(value, str):
        return value.strip()
    return figure(value, grid.formats.get(place), grid.displays.get(place), grid.oddities.get(place)).text
