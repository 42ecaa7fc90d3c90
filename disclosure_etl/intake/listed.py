"""The lists of a form in a document: a sheet whose headings carry a list's key and another of its columns, row by row.

Not here: the tables of figures (`layout`), or whether the items are right (`quality.lists`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from disclosure_etl.bureaus import Bureaus
from disclosure_etl.intake.figures import figure
from disclosure_etl.intake.lexicon import normalised
from schemas.documents import CellValue, Document, Grid
from schemas.forms import Form
from schemas.itemlists import ItemList
from schemas.records import Entry, Item

_DAY = re.compile(r"(\d{4})(?:年|-|/|\.)(\d{1,2})(?:月|-|/|\.)(\d{1,2})日?|(\d{4})(\d{2})(\d{2})")
_BRACKETS = str.maketrans("[【(〈<]】)〉>", "〔〔〔〔〔〕〕〕〕〕")


@dataclass(frozen=True)
class Listed:
    """The items of a document, and the rows that are a list's, by sheet: what stands there is no figure."""

    items: tuple[Item, ...]
    rows: Mapping[str, range]

    def covers(self, locator: str) -> bool:
        """Whether a cell stands in a list."""
        sheet, _, cell = locator.rpartition("!")
        row = re.sub(r"\D", "", cell)
        return sheet in self.rows and row != "" and int(row) - 1 in self.rows[sheet]


def read_lists(form: Form, document: Document, bureaus: Bureaus | None, day: date | None) -> Listed:
    """The items of all visible sheets that are lists of `form`; blank rows are passed over.

    Args:
        day: at which bureaus are looked up by their names; None where the period is not known.
    """
    items: list[Item] = []
    rows: dict[str, range] = {}
    for grid in document.grids:
        if grid.hidden or (found := _heading(form, grid)) is None:
            continue
        heading, one, places = found
        rows[grid.name] = range(heading, len(grid.values))
        items += _items(grid, heading, one, places, bureaus, day)
    return Listed(tuple(items), rows)


def _heading(form: Form, grid: Grid) -> tuple[int, ItemList, dict[str, int]] | None:
    """The row of headings, its list, and where its columns stand; of two lists the one with more of its columns."""
    words = [(one, {normalised(word): column.code for column in one.columns
                    for word in (column.label.zh, column.label.en, *column.aliases)}) for one in form.lists]  # fmt: skip
    for row, cells in enumerate(grid.values):
        best: tuple[int, ItemList, dict[str, int]] | None = None
        for one, codes in words:
            places: dict[str, int] = {}
            for at, value in enumerate(cells):
                if type(value) is str and (code := codes.get(normalised(value))) is not None:
                    places.setdefault(code, at)
            if one.key.code in places and len(places) > max(1, len(best[2]) if best else 1):
                best = (row, one, places)
        if best is not None:
            return best
    return None


def _items(
    grid: Grid, heading: int, one: ItemList, places: Mapping[str, int], bureaus: Bureaus | None, day: date | None
) -> Iterator[Item]:
    days = {column.code for column in one.dates}
    for row in range(heading + 1, len(grid.values)):
        entries = {}
        for code, at in places.items():
            value = grid.values[row][at] if at < len(grid.values[row]) else None
            text = _text(grid, row, at, value)
            entries[code] = Entry(text, grid.locator(row, at), _day(value, text) if code in days else None)
        if not any(entry.text for entry in entries.values()):
            continue
        key = entries.pop(one.key.code)
        named = entries[one.bureau.code].text if one.bureau is not None and one.bureau.code in entries else ""
        bureau = bureaus.find(named, day) if bureaus is not None and named else None
        yield Item(one.code, _key(key.text), bureau.code if bureau else None, entries, key.cell)


def _text(grid: Grid, row: int, column: int, value: CellValue) -> str:
    if isinstance(value, str):
        return value.strip()
    place = (row, column)
    return figure(value, grid.formats.get(place), grid.displays.get(place), grid.oddities.get(place)).text


def _key(text: str) -> str:
    """A number of a document without what varies in writing: width, spaces, the kind of brackets."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).translate(_BRACKETS)


def _day(value: CellValue, text: str) -> date | None:
    """The day that a cell means: a real date, or one as people write it."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    found = _DAY.fullmatch(re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)))
    if found is None:
        return None
    try:
        return date(*(int(part) for part in found.groups() if part is not None))
    except ValueError:
        return None
