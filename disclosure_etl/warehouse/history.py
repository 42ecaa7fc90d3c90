"""What checks look back on: stored submissions as a batch again, and what the preceding period accepted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np
from sqlalchemy import Connection, select

from disclosure_etl.warehouse.arrivals import in_parts
from disclosure_etl.warehouse.dimensions import form_id
from disclosure_etl.warehouse.tables import (
    baseline,
    current_block,
    dim_cell,
    dim_form,
    dim_period,
    fact_observation,
    submission,
)
from schemas.errors import Message
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import NO_DECIMALS, Batch, Finding, History, Severity, Status, Submission
from schemas.values import Meaning


def stored_batch(connection: Connection, form: Form, period: Period, bureaus: Collection[str] | None) -> Batch:
    """The period's submissions on this version of the form as they were read, without superseded ones; all bureaus where
    None.

    One that was read under an earlier definition of the version (a label was edited since) comes back by the names of
    its cells. A return that says it is of another period is not of this batch, whatever run stored it.
    """
    if bureaus is not None and not bureaus:
        return Batch(form, period, ())
    scope = [
        submission.c.family == form.family,
        submission.c.status != Status.SUPERSEDED.value,
        submission.c.claimed_period == period.code,
        dim_period.c.code == period.code,
        dim_form.c.version == form.version,
    ]
    current = form_id(connection, form)
    places = _places(connection, form)
    parts = [None] if bureaus is None else list(in_parts(sorted(bureaus)))
    found: list[Submission] = []
    for part in parts:
        where = scope if part is None else [*scope, submission.c.bureau_code.in_(part)]
        rows = connection.execute(
            select(submission)
            .join(dim_period, dim_period.c.id == submission.c.period_id)
            .join(dim_form, dim_form.c.id == submission.c.form_id)
            .where(*where)
            .order_by(submission.c.id)
        ).all()
        facts = connection.execute(
            select(
                fact_observation.c.submission_id, fact_observation.c.cell_id, fact_observation.c.value,
                fact_observation.c.meaning, fact_observation.c.decimals, fact_observation.c.trouble,
                fact_observation.c.text, fact_observation.c.locator,
            )
            .join(submission, submission.c.id == fact_observation.c.submission_id)
            .join(dim_period, dim_period.c.id == submission.c.period_id)
            .join(dim_form, dim_form.c.id == submission.c.form_id)
            .where(*where)
            .order_by(fact_observation.c.submission_id, fact_observation.c.cell_id)
        )  # fmt: skip
        by_submission = {key: list(group) for key, group in groupby(facts, key=itemgetter(0))}
        for row in rows:
            if row.id in by_submission:
                own = by_submission[row.id]
                placed = own if row.form_id == current else _placed(own, places, len(form.cells))
                found.append(_submission(row, form, period, placed))
    return Batch(form, period, tuple(found))


def _places(connection: Connection, form: Form) -> dict[int, int]:
    """The position in `form` of the cells of every definition of its version."""
    positions = {cell.name: cell.position for cell in form.cells}
    rows = connection.execute(
        select(dim_cell.c.id, dim_cell.c.name)
        .join(dim_form, dim_form.c.id == dim_cell.c.form_id)
        .where(dim_form.c.family == form.family, dim_form.c.version == form.version)
    )
    return {row.id: positions[row.name] for row in rows if row.name in positions}


def _placed(facts: Sequence[Sequence], places: dict[int, int], count: int) -> list[Sequence]:
    """Facts in the order of the form; a cell that the earlier definition did not have is blank."""
    placed: list[Sequence] = [(0, 0, None, int(Meaning.BLANK), None, 0, "", "")] * count
    for fact in facts:
        if (position := places.get(fact[1])) is not None:
            placed[position] = fact
    return placed


def _submission(row, form: Form, period: Period, facts: Sequence[Sequence]) -> Submission:  # row: of submission
    _, _, values, meanings, decimals, troubles, texts, locators = zip(*facts, strict=True)
    printed = zip(values, decimals, strict=True)
    return Submission(
        digest=row.digest,
        file=row.file,
        form=form.key,
        bureau=row.bureau_code,
        bureau_written=row.bureau_written,
        period=period.code,
        revision=row.revision,
        nil=row.nil,
        header=row.header,
        numbers=tuple(value or 0 for value in values),
        meanings=bytes(meanings),
        decimals=bytes(NO_DECIMALS if value is None or places is None else places for value, places in printed),
        troubles=bytes(troubles),
        texts=texts,
        locators=locators,
        findings=tuple(_finding(one) for one in row.findings),
    )


def _finding(stored: dict) -> Finding:
    return Finding(
        stored["code"],
        Message(**stored["message"]),
        tuple(stored["cells"]),
        tuple(stored["seen"]),
        stored["expected"],
        Severity(stored["severity"]),
    )


def history(
    connection: Connection, form: Form, period: Period, bureaus: Sequence[str | None], cells: Sequence[str]
) -> History:
    """The accepted figures of the period before `period`, by cell name, one entry for each of `bureaus`.

    Cells are matched by name, so another version of the family serves as well, as long as it keeps the cell in the same
    scale. Where a bureau's block was never
    received, the baseline answers.
    """
    rows_of: dict[str, list[int]] = {}
    for row, code in enumerate(bureaus):
        if code is not None:
            rows_of.setdefault(code, []).append(row)
    found = {name: (np.zeros(len(bureaus), np.int64), np.zeros(len(bureaus), bool)) for name in cells}
    if not rows_of or not cells:
        return History(found)
    before = period.preceding.code

    def note(code: str, name: str, value: int) -> None:
        for row in rows_of.get(code, ()):
            values, known = found[name]
            values[row], known[row] = value, True

    for code, name, value in _baseline(connection, form, before):
        if name in found:
            note(code, name, value)
    scales = {cell.name: cell.scale for cell in form.cells}
    names = _cells_named(connection, form.family, cells)
    received = set()
    statement = (
        select(
            current_block.c.bureau_code, fact_observation.c.cell_id, fact_observation.c.value, current_block.c.accepted
        )
        .join(dim_period, dim_period.c.id == current_block.c.period_id)
        .join(fact_observation, fact_observation.c.submission_id == current_block.c.submission_id)
        .join(dim_cell, (dim_cell.c.id == fact_observation.c.cell_id) & (dim_cell.c.block == current_block.c.block))
        .where(current_block.c.family == form.family, dim_period.c.code == before, dim_cell.c.id.in_(list(names)))
    )
    wanted = sorted(rows_of)
    if len(wanted) <= 300:
        statement = statement.where(current_block.c.bureau_code.in_(wanted))
    for code, cell, value, accepted in connection.execute(statement):
        if code not in rows_of:
            continue
        name, scale = names[cell]
        if accepted and value is not None and scale == scales[name]:
            note(code, name, value)
        else:
            received.add((code, name))
    for code, name in received:  # received but not accepted: the baseline does not stand in for it
        for row in rows_of[code]:
            found[name][1][row] = False
    return History(found)


def _cells_named(connection: Connection, family: str, names: Sequence[str]) -> dict[int, tuple[str, int]]:
    rows = connection.execute(
        select(dim_cell.c.id, dim_cell.c.name, dim_cell.c.scale)
        .join(dim_form, dim_form.c.id == dim_cell.c.form_id)
        .where(dim_form.c.family == family, dim_cell.c.name.in_(list(names)))
    )
    return {row.id: (row.name, row.scale) for row in rows}


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
