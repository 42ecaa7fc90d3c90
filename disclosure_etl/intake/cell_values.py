"""The content of a cell as the whole number that its place of the form keeps, or as what hinders that.

Not here: which cell is which place (`layout`), or what its content means by itself (`figures`).
"""

from __future__ import annotations

from disclosure_etl.intake.figures import figure
from disclosure_etl.intake.layout import Layout, Place
from schemas.documents import Grid
from schemas.errors import Message
from schemas.forms import Form
from schemas.records import NO_DECIMALS, Finding, Severity
from schemas.values import Figure, Meaning, Trouble

_LARGEST = 10**14  # of a cell's smallest unit: sums over 90,000 returns still fit the warehouse's 64-bit integers

CellKind = tuple[int, bool, bool]  # of a cell: its scale, whether it is a share, whether a blank there means zero
CellNumber = tuple[int, int, int, int, str]  # number, meaning, decimals, trouble, text
BLANK: CellNumber = (0, int(Meaning.BLANK), NO_DECIMALS, int(Trouble.NONE), "")


def scaled_figure(read: Figure, kind: CellKind, shared: bool) -> CellNumber:
    """A figure as the whole number of its cell, or as what hinders that."""
    scale, is_share, blank_is_zero = kind

    def without_number(trouble: Trouble) -> CellNumber:
        meaning = Meaning.TEXT if read.number is not None else read.meaning
        return 0, int(meaning), NO_DECIMALS, int(trouble), read.text

    if read.meaning is Meaning.BLANK and blank_is_zero and not is_share and not shared:
        return 0, int(Meaning.ZERO), 0, int(Trouble.NONE), read.text
    if is_share and read.trouble is Trouble.UNCALCULATED:
        return BLANK  # the form's own formula, which no program has calculated yet: nobody has claimed a share
    if read.number is None:
        return without_number(read.trouble)
    if shared:
        return without_number(Trouble.MERGED)
    if read.percent and not is_share:
        return without_number(Trouble.TEXT)
    scaled = read.number.scaleb(scale)
    if scaled != scaled.to_integral_value():
        return without_number(Trouble.TOO_FINE)
    if abs(scaled) > _LARGEST:
        return without_number(Trouble.TOO_LARGE)
    # A share is computed and shown rounded; what counts is what is shown, and that is nobody's slip.
    trouble = Trouble.NONE if is_share else read.trouble
    return int(scaled), int(read.meaning), min(read.decimals or 0, 254), int(trouble), read.text


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


def display_finding(form: Form, position: int, grid: Grid, place: Place) -> Finding | None:
    """What is told of a cell that shows another number than the file stores: both."""
    row, column = place
    read = figure(grid.values[row][column], grid.formats.get(place), grid.displays.get(place), grid.oddities.get(place))
    if read.stored is None:
        return None
    cell = form.cells[position]
    item, heading = form.indicators[cell.indicator], form.columns[cell.column].label
    locator = grid.locator(*place)
    return Finding(
        f"reading:{Trouble.DISPLAY_DIFFERS.code}",
        Message(
            f"「{item.label.zh}」{heading.zh}({locator})显示为 {read.text},文件中存的却是 {read.stored};按显示的取用。"
            "请填写实际数字,不要靠单元格格式取舍。",
            f"{item.label.en}, {heading.en} ({locator}) shows {read.text} while the file stores {read.stored}; what it "
            "shows is taken. Type the figure that is meant, and leave no rounding to the cell's format.",
        ),
        (locator,),
        (read.text,),
        read.stored,
        Severity.WARNING,
        cell.block,
        (cell.indicator,),
        cell.column,
    )
