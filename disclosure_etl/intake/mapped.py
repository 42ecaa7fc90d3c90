"""Documents laid out as a file in `config/layouts` tells: recognised, turned where they must be, cells put where it says.

Not here: the file (`schemas.layoutfile`), or the words that it adds (`lexicon`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest

from disclosure_etl.intake.header import HeaderField
from disclosure_etl.intake.layout import Layout, Place
from schemas.documents import Document, Grid, Merge
from schemas.forms import Form
from schemas.layoutfile import SHARE, LayoutMapping


def recognised(document: Document, mappings: Sequence[LayoutMapping]) -> LayoutMapping | None:
    """The layout of a document: of those whose texts all stand in it, the one that asks for most."""
    if not mappings:
        return None
    texts = [_plain(text) for text in _texts(document)]
    fitting = [
        one for one in mappings if all(any(_plain(wanted) in text for text in texts) for wanted in one.file.recognise)
    ]
    return max(fitting, key=lambda one: len(one.file.recognise), default=None)


def _texts(document: Document) -> Iterator[str]:
    yield document.name
    yield document.text
    for grid in document.grids:
        if not grid.hidden:
            for row in grid.values:
                yield from (value for value in row if type(value) is str)


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def turned(document: Document) -> Document:
    """The document with rows and columns of its grids exchanged; places are called as they were."""
    return replace(document, grids=tuple(map(_turned, document.grids)))


def _turned(grid: Grid) -> Grid:
    def swapped(cells):
        return {(column, row): value for (row, column), value in cells.items()}

    return replace(
        grid,
        values=[list(column) for column in zip_longest(*grid.values)],
        formats=swapped(grid.formats),
        displays=swapped(grid.displays),
        oddities=swapped(grid.oddities),
        merges=tuple(Merge(one.left, one.top, one.right, one.bottom) for one in grid.merges),
        places=swapped(grid.places),
        turned=not grid.turned,
    )


def placed(layout: Layout, mapping: LayoutMapping, form: Form, grid: Grid, *, is_first: bool) -> Layout:
    """A grid's layout with the cells in it that the file tells the places of."""
    own: dict[str, Place] = {}
    for what, address in mapping.addresses.items():
        if address.sheet == grid.name or (address.sheet is None and is_first):
            own[what] = (address.column, address.row) if grid.turned else (address.row, address.column)
    if not own:
        return layout
    slots, locators = list(layout.slots), list(layout.locators)
    for cell in form.cells:
        name = f"{cell.indicator}/{cell.column}" + (f"/{SHARE}" if cell.measure == SHARE else "")
        if name in own:
            slots[cell.position], locators[cell.position] = own[name], grid.locator(*own[name])
    fields = [
        HeaderField(what, row, column - 1, None, column + 1) for what, (row, column) in own.items() if "/" not in what
    ]
    filled = {place for place in slots if place is not None}
    return replace(
        layout,
        slots=tuple(slots),
        locators=tuple(locators),
        fields=(*fields, *layout.fields),
        consumed=layout.consumed | filled,
        rows=layout.rows | {row for row, _ in filled},
        found=len([place for place in slots if place is not None]),
        tables=frozenset(cell.table for cell in form.cells if slots[cell.position] is not None),
    )
