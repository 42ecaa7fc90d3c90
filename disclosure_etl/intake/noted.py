"""Cells whose number is taken although they do not plainly say it: each is told with what stands there and what was taken.

Not here: cells whose content is no figure (the rules of `quality` tell those).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from disclosure_etl.intake.cell_values import CellNumber
from disclosure_etl.intake.figures import figure
from disclosure_etl.intake.layout import Place
from disclosure_etl.intake.sheets import Reading, Sources
from schemas.documents import Grid
from schemas.errors import Message
from schemas.forms import Cell, Form
from schemas.records import Finding, Severity
from schemas.values import Trouble, figure_text

ONLY_TOLD = frozenset(int(trouble) for trouble in Trouble if trouble.is_only_told)


def noted_findings(
    form: Form, readings: Sequence[Reading], taken: Sources, values: Sequence[CellNumber]
) -> Iterator[Finding]:
    """What is told of the cells of a return with such a trouble."""
    for reading, tables in zip(readings, taken.gives, strict=True):
        for position, place in enumerate(reading.layout.slots):
            trouble, cell = values[position][3], form.cells[position]
            if place is None or trouble not in ONLY_TOLD or cell.table not in tables:
                continue
            if trouble == Trouble.INTERPRETED:
                yield _interpreted(form, cell, reading.grid.locator(*place), values[position])
            elif finding := _display_differs(form, cell, reading.grid, place):
                yield finding


def _finding(
    form: Form,
    cell: Cell,
    locator: str,
    trouble: Trouble,
    severity: Severity,
    message: Message,
    seen: str,
    expected: str,
) -> Finding:
    item, heading = form.indicators[cell.indicator], form.columns[cell.column].label
    return Finding(
        f"reading:{trouble.code}",
        Message(
            f"「{item.label.zh}」{heading.zh}({locator}){message.zh}",
            f"{item.label.en}, {heading.en} ({locator}) {message.en}",
        ),
        (locator,),
        (seen,),
        expected,
        severity,
        cell.block,
        (cell.indicator,),
        cell.column,
    )


def _interpreted(form: Form, cell: Cell, locator: str, value: CellNumber) -> Finding:
    number, text = figure_text(value[0], cell.scale), value[4]
    unit = form.indicators[cell.indicator].unit
    message = Message(f"写作「{text}」,按 {number}({unit})取用。", f"says '{text}'; {number} ({unit}) is taken.")
    return _finding(form, cell, locator, Trouble.INTERPRETED, Severity.NOTICE, message, text, number)


def _display_differs(form: Form, cell: Cell, grid: Grid, place: Place) -> Finding | None:
    """A cell that shows another number than the file stores: both."""
    row, column = place
    read = figure(grid.values[row][column], grid.formats.get(place), grid.displays.get(place), grid.oddities.get(place))
    if read.stored is None:
        return None
    message = Message(
        f"显示为 {read.text},文件中存的却是 {read.stored};按显示的取用。请填写实际数字,不要靠单元格格式取舍。",
        f"shows {read.text} while the file stores {read.stored}; what it shows is taken. Type the figure that is meant, and "
        "leave no rounding to the cell's format.",
    )
    return _finding(
        form, cell, grid.locator(*place), Trouble.DISPLAY_DIFFERS, Severity.WARNING, message, read.text, read.stored
    )
