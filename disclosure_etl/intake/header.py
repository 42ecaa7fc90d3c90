"""The header of a return in a grid: whose it is, for when, who filled it in, checked and signed it.

Where the labels stand is part of a layout; the values are looked for in each document anew, since they differ in place
where one is left empty. Not here: what the values mean (`identity`).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from disclosure_etl.intake.figures import figure
from disclosure_etl.intake.headings import Anchor
from disclosure_etl.intake.lexicon import Lexicon, WordKind
from schemas.documents import Grid

# What a signature block below the table may tell; which month it is, and whether there is nothing, stands above.
_BELOW = frozenset({"bureau", "bureau_code", "preparer", "checker", "signer", "filled_on", "telephone"})


_LONGEST_LINE = 200  # of a header; beyond that it is prose


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


def told_in_text(text: str, lexicon: Lexicon) -> dict[str, tuple[str, int, int]]:
    """The header's fields in running text, as it stands above or below a table: each with what is told and from where to
    where. A line tells some if it begins with a field's label: 「填报单位:东城分局 统计时期:2014-05」, or the same without colons."""
    found: dict[str, tuple[str, int, int]] = {}
    start = 0
    for line in text.split("\n"):
        if len(line) <= _LONGEST_LINE:
            for name, value in _fields_of(line, lexicon):
                at = line.find(value)
                if name == "nil" and not _VALUES[name].fullmatch(value):  # the form's own words say how to tick the box
                    continue
                if value and name not in found and at >= 0:
                    found[name] = (value, start + at, start + at + len(value))
        start += len(line) + 1
    return found


def _fields_of(line: str, lexicon: Lexicon) -> Iterator[tuple[str, str]]:
    word = lexicon.word(line.strip())
    if word is not None and word.fields:
        yield from word.fields
        return
    name, values = None, list[str]()
    for piece in itertools.chain.from_iterable(_parted(one, lexicon) for one in line.split()):
        known = lexicon.word(piece)
        names = known.codes(WordKind.HEADER) if known is not None else ()
        if names or (known is not None and known.fields):
            if name is not None:
                yield name, " ".join(values)
            name, values = (names[0], []) if names else (None, [])
            if known is not None and known.fields:
                yield from known.fields
        elif name is None:
            return  # a line that begins with something else tells of something else
        else:
            values.append(piece)
    if name is not None:
        yield name, " ".join(values)


_VALUES = {
    "bureau": re.compile(r"[\u4e00-\u9fff]{2,30}(?:局|委|办|部|处|科|所|院|校|政府|中心|街道|镇|乡)"),
    "bureau_code": re.compile("[A-Za-z][A-Za-z0-9_-]{1,40}|\\d{6,18}"),
    "period": re.compile(r"(?:19|20)\d\d[\dQH年月季度上下半第一二三四-]*"),
    "revision": re.compile(r"\d{1,3}"),
    "nil": re.compile("[√✓✔☑■]"),
    **dict.fromkeys(("preparer", "checker", "signer"), re.compile("[\u4e00-\u9fff·]{2,4}")),
    "telephone": re.compile(r"[\d+()-]{7,20}"),
    "filled_on": re.compile(r"(?:19|20)\d\d[\d年月日./-]*"),
}


def _parted(piece: str, lexicon: Lexicon) -> list[str]:
    """A label and what stands right behind it, as print sets them: 「修订号2」. Only what such a field can have is taken for it."""
    if lexicon.word(piece) is None:
        for end in range(len(piece) - 1, 1, -1):
            known = lexicon.word(piece[:end])
            for name in known.codes(WordKind.HEADER) if known is not None and not known.fields else ():
                if name in _VALUES and _VALUES[name].fullmatch(piece[end:]):
                    return [piece[:end], piece[end:]]
    return [piece]


def text_at(grid: Grid, place: tuple[int, int]) -> str:
    """The text as displayed of any cell."""
    row, column = place
    cells = grid.values[row] if row < len(grid.values) else []
    value = cells[column] if column < len(cells) else None
    if isinstance(value, str):
        return value.strip()
    return figure(value, grid.formats.get(place), grid.displays.get(place), grid.oddities.get(place)).text
