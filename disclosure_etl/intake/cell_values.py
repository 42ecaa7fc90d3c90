"""The content of a cell as the whole number that its place of the form keeps, or as what hinders that.

Not here: which cell is which place (`layout`), or what its content means by itself (`figures`).
"""

from __future__ import annotations

from typing import NamedTuple

from disclosure_etl.intake.layout import Layout, Place
from disclosure_etl.intake.units import in_unit
from schemas.documents import Grid
from schemas.records import NO_DECIMALS
from schemas.values import Figure, Meaning, Trouble

_LARGEST = 10**14  # of a cell's smallest unit: sums over 90,000 returns still fit the warehouse's 64-bit integers


class CellKind(NamedTuple):
    """What a cell's figure is measured by. `told` is the unit that the document tells of it where that is a multiple of the
    form's (万元 for 元)."""

    scale: int
    is_share: bool
    blank_is_zero: bool
    unit: str = ""
    told: str = ""


CellNumber = tuple[int, int, int, int, str]  # number, meaning, decimals, trouble, text
BLANK: CellNumber = (0, int(Meaning.BLANK), NO_DECIMALS, int(Trouble.NONE), "")


def scaled_figure(read: Figure, kind: CellKind, shared: bool) -> CellNumber:
    """A figure as the whole number of its cell, or as what hinders that."""
    is_share = kind.is_share

    def without_number(trouble: Trouble) -> CellNumber:
        meaning = Meaning.TEXT if read.number is not None else read.meaning
        return 0, int(meaning), NO_DECIMALS, int(trouble), read.text

    if read.meaning is Meaning.BLANK and kind.blank_is_zero and not is_share and not shared:
        return 0, int(Meaning.ZERO), 0, int(Trouble.NONE), read.text
    if is_share and read.trouble is Trouble.UNCALCULATED:
        return BLANK  # the form's own formula, which no program has calculated yet: nobody has claimed a share
    if read.number is None:
        return without_number(read.trouble)
    if shared:
        return without_number(Trouble.MERGED)
    if read.percent and not is_share:
        return without_number(Trouble.TEXT)
    shift = in_unit(read.unit, kind.unit, kind.told) if not is_share else 0 if read.unit is None else None
    if shift is None:
        return without_number(Trouble.OTHER_UNIT)
    scaled = read.number.scaleb(kind.scale + shift)
    if scaled != scaled.to_integral_value():
        return without_number(Trouble.TOO_FINE)
    if abs(scaled) > _LARGEST:
        return without_number(Trouble.TOO_LARGE)
    # A share is computed and shown rounded; what counts is what is shown, and that is nobody's slip.
    trouble = Trouble.NONE if is_share else read.trouble
    if trouble is Trouble.NONE and (read.interpreted or read.unit not in (None, kind.unit)):
        trouble = Trouble.INTERPRETED
    decimals = min(max((read.decimals or 0) - shift, 0), 254)
    return int(scaled), int(read.meaning), decimals, int(trouble), read.text


def shared_places(grid: Grid, layout: Layout) -> frozenset[Place]:
    """Places of figures that one merged range covers together: which of them its number belongs to, nobody knows."""
    shared: set[Place] = set()
    for merge in grid.merges:
        if not any(row in layout.rows for row in range(merge.top, min(merge.bottom, merge.top + 1000) + 1)):
            continue
        inside = [
            place
            for place in layout.slots
            if place is not None and merge.top <= place[0] <= merge.bottom and merge.left <= place[1] <= merge.right
        ]
        if len(inside) > 1:
            shared.update(place for place in inside if place == (merge.top, merge.left))
    return frozenset(shared)
