"""A nil return (本月无数据 ticked) as the figures it stands for: flows zero, balances as they were.

Not here: whether the tick contradicts typed figures (`returns`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from schemas.constraints import Source
from schemas.forms import Cell, Form
from schemas.records import NO_DECIMALS, Batch, History, Submission
from schemas.values import UNKNOWN, Meaning

_NOWHERE = ""  # a source that no history has
_OPEN = (Meaning.BLANK, Meaning.NIL, Meaning.NOT_APPLICABLE)


def nil_source(form: Form, cell: Cell, opens_year: bool) -> str | None:
    """The preceding cell that a nil return repeats there; None where it is zero (a flow), or nothing (a share).

    opening = closing = the preceding closing (or, where nobody knows that, the opening that is typed: `_closings`); a cumulative stays what it was, and begins at zero with the year, where
    an opening is the month's own. No accepted figure tells what a column of openings stands at: its own name of the
    period before is another moment's.
    """
    indicator, column = form.indicators[cell.indicator], form.columns[cell.column]
    if column.stock is not None and column.stock.moment == "opening":
        return _NOWHERE
    if column.stock is not None:
        return cell.name
    if not indicator.is_stock:
        return cell.name if column.cumulates and not opens_year else None
    assert indicator.balance is not None
    if column.cumulates and indicator.balance.role == "opening" and not opens_year:
        return cell.name
    for other in form.indicators.values():
        if other.balance and other.balance.account == indicator.balance.account and other.balance.role == "closing":
            source = form.figure_cell(other.code, column.cumulates or column.code)
            return source.name if source else None
    return cell.name


def fill_nil(batch: Batch, history: History, opens_year: bool) -> Batch:
    """The batch with the open cells of nil returns filled in; typed figures stay, whatever they are.

    Where the preceding figure is not accepted yet, the cell stays without a number, with the meaning nil, and is filled
    when the batch is judged again.
    """
    if not any(submission.nil for submission in batch.submissions):
        return batch
    figures = [cell for cell in batch.form.cells if cell.measure != "share"]
    sources = [(cell.position, nil_source(batch.form, cell, opens_year)) for cell in figures if cell.moment != "total"]
    closings = _closings(batch.form)
    totals = [
        (cell.position, [part.position for part in batch.form.parts_of(cell)])
        for cell in figures
        if cell.moment == "total"
    ]
    filled = tuple(
        _filled(submission, row, _Places(sources, closings, totals), history) if submission.nil else submission
        for row, submission in enumerate(batch.submissions)
    )
    return replace(batch, submissions=filled)


def nil_cells(form: Form, opens_year: bool) -> tuple[Cell, ...]:
    """The preceding figures that nil returns ask for, beside those of the rules."""
    figures = [cell for cell in form.cells if cell.measure != "share" and cell.moment != "total"]
    sources = {nil_source(form, cell, opens_year) for cell in figures}
    return tuple(cell for cell in form.cells if cell.name in sources)


class _Places(NamedTuple):
    """Positions of cells: with the preceding cell that each repeats, with the opening that a closing stays at, with the parts
    of a total."""

    sources: list[tuple[int, str | None]]
    closings: list[tuple[int, int]]
    totals: list[tuple[int, list[int]]]


def _closings(form: Form) -> list[tuple[int, int]]:
    """Each closing with the opening of its account in the period: where nothing happened they are one. After a split no
    preceding closing tells either, and the opening is typed."""
    openings = {
        item.balance.account: item.code
        for item in form.indicators.values()
        if item.balance is not None and item.balance.role == "opening"
    }
    found = []
    for cell in form.cells:
        balance = form.indicators[cell.indicator].balance
        if cell.measure == "share" or balance is None or balance.role != "closing" or balance.account not in openings:
            continue
        own = form.columns[cell.column].cumulates or cell.column
        if (opening := form.figure_cell(openings[balance.account], own)) is not None:
            found.append((cell.position, opening.position))
    return found


def _filled(submission: Submission, row: int, places: _Places, history: History) -> Submission:
    numbers, meanings = list(submission.numbers), bytearray(submission.meanings)
    decimals = bytearray(submission.decimals)
    for position, source in places.sources:
        if meanings[position] not in _OPEN:
            continue
        meanings[position] = Meaning.NIL
        if source is None:
            numbers[position], decimals[position] = 0, 0
            continue
        before = history.figures.get(Source.PREVIOUS + source)
        if before is not None and before[row] != UNKNOWN:
            numbers[position], decimals[position] = int(before[row]), 0
        else:
            numbers[position], decimals[position] = 0, NO_DECIMALS
    for position, opening in places.closings:
        typed = submission.meanings[opening] not in _OPEN and decimals[opening] != NO_DECIMALS
        if submission.meanings[position] in _OPEN and decimals[position] == NO_DECIMALS and typed:
            numbers[position], decimals[position] = numbers[opening], 0
    for (
        position,
        parts,
    ) in places.totals:  # of what was carried over as well, so after it, and unknown as long as that is
        if meanings[position] not in _OPEN:
            continue
        known = all(decimals[part] != NO_DECIMALS for part in parts)
        meanings[position] = Meaning.NIL
        numbers[position] = sum(numbers[part] for part in parts) if known else 0
        decimals[position] = 0 if known else NO_DECIMALS
    return replace(submission, numbers=tuple(numbers), meanings=bytes(meanings), decimals=bytes(decimals))
