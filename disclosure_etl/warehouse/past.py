"""What checks look back on: accepted figures of the periods before, of finer periods, and the course of a bureau over time.

Cells are matched by name, so another version of a family answers as well, as long as it keeps the cell in the same scale.
Not here: which figures are asked for (`quality`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from sqlalchemy import Connection, func, select

from disclosure_etl.warehouse.dimension_tables import dim_cell, dim_form, dim_period
from disclosure_etl.warehouse.standings import standing
from disclosure_etl.warehouse.tables import baseline, consolidation, current_block, fact_observation
from schemas.consolidation import VersionStatus
from schemas.constraints import Source
from schemas.forms import Cell, Form
from schemas.periods import Frequency, Period
from schemas.records import History, LooksBack
from schemas.trends import RECENT
from schemas.values import UNKNOWN

_ALL_AT_ONCE = 300  # bureaus; of more than this a query asks for everybody's figures
Rows = Mapping[str, Sequence[int]]  # bureau → its rows of the batch


def history(
    connection: Connection,
    form: Form,
    period: Period,
    bureaus: Sequence[str | None],
    looks: LooksBack,
    finer: Frequency | None = None,
) -> History:
    """What the accepted returns of earlier (and finer) periods say, one entry for each of `bureaus`.

    Args:
        finer: how often the returns come that this form's are the sum of (`Form.adds_up`); None where there are none.
    """
    rows: dict[str, list[int]] = {}
    for row, code in enumerate(bureaus):
        if code is not None:
            rows.setdefault(code, []).append(row)
    count = len(bureaus)
    figures = {Source.PREVIOUS + cell.name: np.full(count, UNKNOWN) for cell in looks.previous}
    figures |= {Source.PERIODS + cell.name: np.full(count, UNKNOWN) for cell in looks.periods}
    if rows and looks.previous:
        _previous(connection, form, period.preceding, rows, looks.previous, figures)
    are_final = False
    if rows and looks.periods and form.adds_up is not None and finer is not None:
        _periods(connection, form, period, rows, looks, finer, figures)
        are_final = _are_final(connection, form.adds_up.family, period.parts(finer))
    past = _past(connection, form, period, rows, count, looks.watched) if looks.watched else None
    return History(figures, past, periods_final=are_final)


def _accepted(
    connection: Connection, family: str, periods: Iterable[str], rows: Rows, cells: Mapping[int, tuple[Cell, int]]
) -> Iterable[tuple[str, str, int, int | None, bool]]:
    """(bureau, period, cell id, value, accepted) of everything that counts, by cells' ids."""
    statement = (
        select(
            current_block.c.bureau_code, dim_period.c.code, fact_observation.c.cell_id, fact_observation.c.value,
            current_block.c.accepted,
        )
        .join(dim_period, dim_period.c.id == current_block.c.period_id)
        .join(fact_observation, fact_observation.c.submission_id == current_block.c.submission_id)
        .join(dim_cell, (dim_cell.c.id == fact_observation.c.cell_id) & (dim_cell.c.block == current_block.c.block))
        .where(current_block.c.family == family, dim_period.c.code.in_(list(periods)), dim_cell.c.id.in_(list(cells)))
    )  # fmt: skip
    if len(rows) <= _ALL_AT_ONCE:
        statement = statement.where(current_block.c.bureau_code.in_(sorted(rows)))
    return (tuple(row) for row in connection.execute(statement) if row[0] in rows)  # type: ignore[misc]


def _cells_named(
    connection: Connection, family: str, cells: Mapping[str, Cell], of_form: Form | None = None
) -> dict[int, tuple[Cell, int]]:
    """By id, in every version of a family: the cells of these names, with the scale they are kept in there.

    Args:
        of_form: cumulatives only of its version, since on another they may have begun anew or counted something else.
    """
    found = connection.execute(
        select(dim_cell.c.id, dim_cell.c.name, dim_cell.c.scale, dim_form.c.version)
        .join(dim_form, dim_form.c.id == dim_cell.c.form_id)
        .where(dim_form.c.family == family, dim_cell.c.name.in_(list(cells)))
    )
    return {
        row.id: (cell, row.scale)
        for row in found
        if (cell := cells[row.name]) and (
            of_form is None or row.version == of_form.version or of_form.columns[cell.column].cumulates is None
        )
    }  # fmt: skip


def _previous(
    connection: Connection,
    form: Form,
    before: Period,
    rows: Rows,
    cells: Sequence[Cell],
    figures: Mapping[str, np.ndarray],
) -> None:
    """The preceding period's accepted figures; the baseline's where a bureau's block was never received."""
    wanted = {cell.name: cell for cell in cells}
    for code, name, figure in _baseline(connection, form, before.code):
        if name in wanted and code in rows:
            figures[Source.PREVIOUS + name][list(rows[code])] = figure
    ids = _cells_named(connection, form.family, wanted, form)
    received: set[tuple[str, str]] = set()
    answered: set[tuple[str, str]] = set()
    for code, _, cell_id, value, accepted in _accepted(connection, form.family, [before.code], rows, ids):
        cell, scale = ids[cell_id]
        if accepted and value is not None and scale == cell.scale:
            answered.add((code, cell.name))
            for row in rows[code]:
                figures[Source.PREVIOUS + cell.name][row] = value
        else:
            received.add((code, cell.name))
    for code, name in received - answered:  # received but not accepted: the baseline does not stand in for it
        figures[Source.PREVIOUS + name][list(rows[code])] = UNKNOWN


def _baseline(connection: Connection, form: Form, period_code: str) -> list[tuple[str, str, int]]:
    """Bureaus' own baseline figures of a period, as (bureau, cell name, value)."""
    rows = connection.execute(
        select(baseline)
        .join(dim_period, dim_period.c.id == baseline.c.period_id)
        .where(baseline.c.family == form.family, baseline.c.bureau_code != "", dim_period.c.code == period_code)
    )
    return [
        (row.bureau_code, cell.name, row.value)
        for row in rows
        if row.indicator in form.indicators and (cell := form.figure_cell(row.indicator, row.column_code)) is not None
    ]


def _periods(
    connection: Connection,
    form: Form,
    period: Period,
    rows: Rows,
    looks: LooksBack,
    finer: Frequency,
    figures: Mapping[str, np.ndarray],
) -> None:
    """Flows added up over the finer periods; an opening is the first one's, a closing the last one's. Unknown as soon as
    one of those that are needed is not accepted."""
    assert form.adds_up is not None
    theirs: dict[str, Cell] = {}
    for cell in looks.periods:
        column = form.adds_up.columns.get(cell.column, cell.column)
        theirs[f"{cell.indicator}|{column}|{cell.measure}"] = cell
    parts = [part.code for part in period.parts(finer)]
    ids = _cells_named(connection, form.adds_up.family, theirs)
    known: dict[tuple[str, str], dict[str, int]] = {}
    for code, part, cell_id, value, accepted in _accepted(connection, form.adds_up.family, parts, rows, ids):
        cell, scale = ids[cell_id]
        if accepted and value is not None and scale == cell.scale:
            known.setdefault((code, cell.name), {})[part] = value
    taken_over = {code for one in looks.whose.values() for code in one if code in rows}
    for cell in looks.periods:
        needed = {"opening": parts[:1], "closing": parts[-1:]}.get(cell.moment, parts)
        for code in {*taken_over, *(code for code, name in known if name == cell.name)}:
            whose = [(part, looks.whose.get(part, {}).get(code, (code,))) for part in needed]
            values = [known.get((one, cell.name), {}).get(part) for part, codes in whose for one in codes]
            if None not in values and all(codes for _, codes in whose):
                figures[Source.PERIODS + cell.name][list(rows[code])] = sum(values)  # type: ignore[arg-type]


def _are_final(connection: Connection, family: str, parts: Sequence[Period]) -> bool:
    """Whether the newest version of every one of these periods is final."""
    newest = (
        select(consolidation.c.period_id, func.max(consolidation.c.version).label("version"))
        .where(consolidation.c.family == family)
        .group_by(consolidation.c.period_id)
        .subquery()
    )
    firm = connection.execute(
        select(func.count())
        .select_from(consolidation)
        .join(newest, (newest.c.period_id == consolidation.c.period_id) & (newest.c.version == consolidation.c.version))
        .join(dim_period, dim_period.c.id == consolidation.c.period_id)
        .where(consolidation.c.family == family, dim_period.c.code.in_([part.code for part in parts]))
        .where(standing().in_([VersionStatus.FINAL.value, VersionStatus.LOCKED.value]))
    ).scalar_one()
    return firm == len(parts)


def _past(
    connection: Connection, form: Form, period: Period, rows: Rows, count: int, watched: Sequence[Cell]
) -> np.ndarray:
    """The watched figures of the periods before that a level needs, and of the one a year ago: periods × rows × figures.
    Those between that nobody asks for stay unknown; no periods at all where nothing was accepted."""
    per_year = 12 // form.frequency.months
    past = np.full((max(RECENT, per_year), count, len(watched)), UNKNOWN)
    found = False
    steps = {period.shifted(-1 - step).code: step for step in {*range(RECENT), per_year - 1}}
    place = {cell.name: at for at, cell in enumerate(watched)}
    ids = _cells_named(connection, form.family, {cell.name: cell for cell in watched})
    for code, part, cell_id, value, accepted in _accepted(connection, form.family, steps, rows, ids):
        cell, scale = ids[cell_id]
        if accepted and value is not None and scale == cell.scale:
            found = True
            for row in rows[code]:
                past[steps[part], row, place[cell.name]] = value
    return past if found else past[:0]
