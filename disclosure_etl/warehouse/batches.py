"""Stored submissions as a batch again. Not here: what checks look back on beside them (`past`)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby
from operator import itemgetter

from sqlalchemy import ColumnElement, Connection, select

from disclosure_etl.warehouse.arrivals import in_parts
from disclosure_etl.warehouse.dimension_tables import dim_cell, dim_form, dim_period
from disclosure_etl.warehouse.dimensions import form_id
from disclosure_etl.warehouse.listed import items_of
from disclosure_etl.warehouse.return_decisions import UNDECIDED, Standing, standing_of
from disclosure_etl.warehouse.tables import fact_observation, submission
from schemas.errors import Message
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import NO_DECIMALS, Batch, Finding, Item, Severity, Submission
from schemas.states import OUT
from schemas.values import Meaning


def stored_batch(connection: Connection, form: Form, period: Period, bureaus: Collection[str] | None) -> Batch:
    """The period's submissions on this version of the form as they were read, without superseded ones; all bureaus where
    None.

    One that was read under an earlier definition of the version (a label was edited since) comes back by the names of
    its cells. A return that says it is of another period is not of this batch, whatever run stored it.
    """
    if bureaus is not None and not bureaus:
        return Batch(form, period, ())
    scope = in_batch(form, period)
    decided = standing_of(connection, sent_for(form, period))
    current = form_id(connection, form)
    places = places_of(connection, form)
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
        items = items_of(connection, by_submission) if form.lists else {}
        for row in rows:
            if row.id in by_submission:
                own = by_submission[row.id]
                placed = own if row.form_id == current else _placed(own, places, len(form.cells))
                standing = decided.get(row.id, UNDECIDED)
                found.append(_submission(row, form, period, placed, items.get(row.id, ()), standing))
    return Batch(form, period, tuple(found))


def in_batch(form: Form, period: Period) -> list[ColumnElement[bool]]:
    """Whether a submission, with its period and form, is of the period's batch."""
    return [
        *sent_for(form, period),
        submission.c.status.not_in(OUT),
        dim_period.c.code == period.code,
        dim_form.c.version == form.version,
    ]


def sent_for(form: Form, period: Period) -> list[ColumnElement[bool]]:
    """Whether a submission says that it is of the period, and is of the form's family."""
    return [submission.c.family == form.family, submission.c.claimed_period == period.code]


def places_of(connection: Connection, form: Form) -> dict[int, int]:
    """The position in `form` of the cells of every definition of its version."""
    positions = {cell.name: cell.position for cell in form.cells}
    rows = connection.execute(
        select(dim_cell.c.id, dim_cell.c.name)
        .join(dim_form, dim_form.c.id == dim_cell.c.form_id)
        .where(dim_form.c.family == form.family, dim_form.c.version == form.version)
    )
    return {row.id: positions[row.name] for row in rows if row.name in positions}


def _placed(facts: Sequence[Sequence], places: dict[int, int], count: int) -> list[Sequence]:
    """Facts in the order of the form; a cell that the earlier definition did not have was not asked for."""
    placed: list[Sequence] = [(0, 0, None, int(Meaning.NOT_ASKED), None, 0, "", "")] * count
    for fact in facts:
        if (position := places.get(fact[1])) is not None:
            placed[position] = fact
    return placed


def _submission(
    row, form: Form, period: Period, facts: Sequence[Sequence], items: tuple[Item, ...], standing: Standing
) -> Submission:  # row: of submission
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
        items=items,
        rank=standing.rank(row),
    )


def _finding(stored: dict) -> Finding:
    return Finding(
        stored["code"],
        Message(**stored["message"]),
        tuple(stored["cells"]),
        tuple(stored["seen"]),
        stored["expected"],
        Severity(stored["severity"]),
        stored.get("block"),
        tuple(stored.get("indicators", ())),
        stored.get("column"),
    )
