"""The account of a period: every receipt under one status, every owing bureau with how it stands, every cell read.

Not here: the figures themselves (`figures`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Integer, Row, cast, func, select

from disclosure_etl.bureaus import Bureau, Duty
from disclosure_etl.warehouse.arrivals import concerns
from disclosure_etl.warehouse.counting import Member
from disclosure_etl.warehouse.dimension_tables import dim_bureau, dim_cell, dim_period
from disclosure_etl.warehouse.return_decisions import UNDECIDED, standing_of
from disclosure_etl.warehouse.tables import (
    attachment,
    current_block,
    document,
    fact_observation,
    failure,
    receipt,
    submission,
)
from schemas.consolidation import BureauState, Consolidation
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import Severity, Status
from schemas.states import OUT


class _Named(NamedTuple):
    """A bureau as the warehouse knows it."""

    code: str
    name_zh: str
    name_en: str


def _of_period(family: str, period: Period) -> ColumnElement[bool]:
    """Receipts of a period's documents. The documents are looked for first: there are as many receipts as ever came."""
    return receipt.c.digest.in_(select(document.c.digest).where(concerns(family, period)))


def _counts(connection: Connection, family: str, period: Period) -> Counter[Status]:
    """Every receipt of the period under exactly one status."""
    of_period = _of_period(family, period)
    first = (
        select(receipt.c.digest, func.min(receipt.c.id).label("id"))
        .where(of_period)
        .group_by(receipt.c.digest)
        .subquery()
    )
    is_first = receipt.c.id == first.c.id
    rows = connection.execute(
        select(
            document.c.status, submission.c.status, cast(is_first, type_=Integer), receipt.c.replaced, receipt.c.gone,
            func.count(),
        )
        .select_from(receipt)
        .join(document, document.c.digest == receipt.c.digest)
        .join(first, first.c.digest == receipt.c.digest)
        .outerjoin(submission, submission.c.digest == receipt.c.digest)
        .where(of_period)
        .group_by(document.c.status, submission.c.status, is_first, receipt.c.replaced, receipt.c.gone)
    )  # fmt: skip
    counts: Counter[Status] = Counter()
    for read, status, first_time, replaced, gone, number in rows:
        if read != "read":
            counts[Status.SUPERSEDED if replaced or gone else Status(read)] += number
        elif status is None:  # read, and never judged: a rerun for other bureaus passed it by
            counts[Status.SUPERSEDED if replaced else Status.HELD] += number
        else:
            again = not first_time and status not in OUT
            counts[Status.DUPLICATE if again else Status(status)] += number
    return counts


def _found(connection: Connection, family: str, period: Period) -> int:
    """All receipts of the period, counted apart from their statuses, so that the two can be held against each other."""
    counted = select(func.count()).select_from(receipt).where(_of_period(family, period))
    return connection.execute(counted).scalar_one()


def period_account(
    connection: Connection,
    form: Form,
    period: Period,
    duty: Duty,
    others: int,
    members: Sequence[Member],
) -> dict:
    """The account that is frozen with a version, as JSON: counts by status, coverage, missing, late, each bureau's state.

    Args:
        duty: who owes a return, and by when.
        others: files seen beside these that are of other periods.
        members: the blocks that the version is made of.
    """
    counts = _counts(connection, form.family, period)
    counts[Status.OTHER_PERIOD] = others
    owed = {bureau.code for bureau in duty.owing}
    reported = {bureau for bureau, *_ in members}
    listed: list[Bureau | _Named] = [*duty.owing, *_known(connection, period, reported - owed)]
    states = _states(connection, form.family, period, listed, duty)
    missing = tuple(state.bureau for state in states if state.status == "missing")
    read, loaded = _cells(connection, form.family, period)
    return {
        "found": _found(connection, form.family, period) + others,
        "counts": {status: counts[status] for status in Status},
        "missing": missing,
        "late": tuple(state.bureau for state in states if state.late),
        "failures": sum(state.errors + state.warnings + state.notices for state in states)
        + _failures_of_others(connection, form.family, period, {bureau.code for bureau in listed}),
        "not_assessable": sum(state.not_assessable for state in states),
        "coverage": round(len(owed & reported) / len(owed), 4) if owed else 1.0,
        "cells_read": read,
        "cells_loaded": loaded,
        "cells_parked": read - loaded,
        "bureaus": tuple(states),
    }


def _cells(connection: Connection, family: str, period: Period) -> tuple[int, int]:
    """Cells read of the period's submissions, and of them those in blocks that were accepted and count."""
    in_period = (submission.c.family == family, dim_period.c.code == period.code)
    read = connection.execute(
        select(func.count())
        .select_from(fact_observation)
        .join(submission, submission.c.id == fact_observation.c.submission_id)
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(*in_period, submission.c.status.not_in(OUT))
    ).scalar_one()
    blocks = (
        select(submission.c.form_id, current_block.c.block, func.count().label("times"))
        .select_from(current_block)
        .join(dim_period, dim_period.c.id == current_block.c.period_id)
        .join(submission, submission.c.id == current_block.c.submission_id)
        .where(current_block.c.family == family, dim_period.c.code == period.code, current_block.c.accepted)
        .group_by(submission.c.form_id, current_block.c.block)
        .subquery()
    )
    loaded = connection.execute(
        select(cast(func.coalesce(func.sum(blocks.c.times), 0), type_=Integer))
        .select_from(blocks)
        .join(dim_cell, (dim_cell.c.form_id == blocks.c.form_id) & (dim_cell.c.block == blocks.c.block))
    ).scalar_one()
    return read, loaded


def _known(connection: Connection, period: Period, codes: Collection[str]) -> list[_Named]:
    """Bureaus whose figures count although, as the office is configured now, they owe none: nobody counts unseen."""
    rows = connection.execute(
        select(dim_bureau.c.code, dim_bureau.c.name_zh, dim_bureau.c.name_en)
        .where(dim_bureau.c.code.in_(sorted(codes)), dim_bureau.c.valid_from <= period.end)
        .order_by(dim_bureau.c.code, dim_bureau.c.valid_from)
    )
    return list({row.code: _Named(*row) for row in rows}.values())


def _failures_of_others(connection: Connection, family: str, period: Period, listed: Collection[str]) -> int:
    """Failures of submissions of no listed bureau: counted all the same."""
    rows = connection.execute(
        select(submission.c.bureau_code, func.count())
        .join(failure, failure.c.submission_id == submission.c.id)
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(submission.c.family == family, dim_period.c.code == period.code)
        .where(submission.c.status.not_in(OUT), failure.c.waiver.is_(None))
        .group_by(submission.c.bureau_code)
    )
    return sum(number for bureau, number in rows if bureau not in listed)


def _states(
    connection: Connection,
    family: str,
    period: Period,
    listed: Sequence[Bureau | _Named],
    duty: Duty,
) -> list[BureauState]:
    in_period = (submission.c.family == family, dim_period.c.code == period.code)
    sent = connection.execute(
        select(
            submission.c.id, submission.c.bureau_code, submission.c.status, submission.c.revision, submission.c.received_at,
            submission.c.arrival, func.json_array_length(submission.c.not_assessable).label("not_assessable"),
        )
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(*in_period)
    ).all()  # fmt: skip
    this = select(dim_period.c.id).where(dim_period.c.code == period.code).scalar_subquery()
    decided = standing_of(connection, (submission.c.family == family, submission.c.period_id == this))
    sent = sorted(sent, key=lambda one: decided.get(one.id, UNDECIDED).rank(one))
    severities = connection.execute(
        select(submission.c.bureau_code, failure.c.severity, func.count())
        .join(failure, failure.c.submission_id == submission.c.id)
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(*in_period, submission.c.status.not_in(OUT), failure.c.waiver.is_(None))
        .group_by(submission.c.bureau_code, failure.c.severity)
    )
    failures = {(row[0], row[1]): row[2] for row in severities}
    blocks = connection.execute(
        select(current_block.c.bureau_code, current_block.c.block, current_block.c.accepted, current_block.c.stale)
        .join(dim_period, dim_period.c.id == current_block.c.period_id)
        .where(current_block.c.family == family, dim_period.c.code == period.code)
        .order_by(current_block.c.block)
    )
    attached = connection.execute(
        select(submission.c.bureau_code, attachment.c.file)
        .join(submission, submission.c.id == attachment.c.submission_id)
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(*in_period)
        .order_by(attachment.c.file)
    )
    found = _Found(failures)
    for bureau, file in attached:
        found.attachments.setdefault(bureau, []).append(file)
    for bureau, block, accepted, is_stale in blocks:
        if not accepted:
            found.held.setdefault(bureau, []).append(block)
        if is_stale:
            found.stale.add(bureau)
    for one in sent:
        if one.status not in OUT:
            found.newest[one.bureau_code] = one
        moment = found.first.get(one.bureau_code)
        found.first[one.bureau_code] = one.received_at if moment is None else min(moment, one.received_at)
    return [_bureau_state(bureau, found, duty) for bureau in listed]


@dataclass
class _Found:
    """What the warehouse holds of a period, by bureau."""

    failures: dict[tuple[str, str], int]  # bureau and severity
    held: dict[str, list[str]] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)
    attachments: dict[str, list[str]] = field(default_factory=dict)
    newest: dict[str | None, Row] = field(
        default_factory=dict
    )  # of those that take part, the newest in the order in which they count
    first: dict[str | None, datetime] = field(default_factory=dict)  # when the first of them arrived


def _bureau_state(bureau: Bureau | _Named, found: _Found, duty: Duty) -> BureauState:
    def number(severity: Severity) -> int:
        return found.failures.get((bureau.code, severity.value), 0)

    one, first = found.newest.get(bureau.code), found.first.get(bureau.code)
    late = first is not None and duty.due is not None and first.astimezone(duty.at.tzinfo).date() > duty.due
    return BureauState(
        bureau=bureau.code,
        name_zh=bureau.name_zh,
        name_en=bureau.name_en,
        status=one.status if one is not None else "missing",
        late=late,
        stale=bureau.code in found.stale,
        held_blocks=tuple(found.held.get(bureau.code, ())),
        revision=one.revision if one is not None else None,
        received_at=one.received_at if one is not None else None,
        errors=number(Severity.ERROR),
        warnings=number(Severity.WARNING),
        notices=number(Severity.NOTICE),
        not_assessable=one.not_assessable if one is not None else 0,
        attachments=tuple(found.attachments.get(bureau.code, ())),
    )


_WORST_FIRST = ("missing", "failed", "held", "partly_held", "returned", "accepted")


def _rolled_up_states(parts: Sequence[Consolidation | None], owing: Sequence[Bureau]) -> list[BureauState]:
    """How each bureau stands over all parts: at its worst, with its counts added up. One that owed in some of them only
    is missing in those alone."""
    by_bureau: dict[str, list[BureauState]] = {}
    for part in parts:
        for state in part.bureaus if part is not None else ():
            by_bureau.setdefault(state.bureau, []).append(state)
    states = []
    owed = {bureau.code for bureau in owing}
    ended = [_Named(code, own[-1].name_zh, own[-1].name_en) for code, own in by_bureau.items() if code not in owed]
    listed: list[Bureau | _Named] = [*owing, *ended]
    for bureau in listed:
        own = by_bureau.get(bureau.code, [])
        statuses = [state.status for state in own] + ["missing"] * (not own or None in parts)
        states.append(
            BureauState(
                bureau=bureau.code,
                name_zh=bureau.name_zh,
                name_en=bureau.name_en,
                status=min(statuses, key=lambda one: _WORST_FIRST.index(one) if one in _WORST_FIRST else 0),
                late=any(state.late for state in own),
                stale=any(state.stale for state in own),
                held_blocks=tuple(dict.fromkeys(block for state in own for block in state.held_blocks)),
                revision=None,
                received_at=None,
                errors=sum(state.errors for state in own),
                warnings=sum(state.warnings for state in own),
                notices=sum(state.notices for state in own),
                not_assessable=sum(state.not_assessable for state in own),
                attachments=tuple(file for state in own for file in state.attachments),
            )
        )
    return states


def rolled_up_account(parts: Sequence[Consolidation | None], owing: Sequence[Bureau]) -> dict:
    """The account of a coarser period: its parts' accounts together; a bureau is missing if it is so in any part."""
    there = [part for part in parts if part is not None]
    counts: Counter[Status] = Counter()
    for part in there:
        counts.update({status: count for status, count in part.counts.items() if status is not Status.OTHER_PERIOD})
    states = _rolled_up_states(parts, owing)
    unknown = {bureau.code for bureau in owing} if len(there) < len(parts) else set()
    absent = {code for part in there for code in part.missing} | unknown
    late = {code for part in there for code in part.late}
    return {
        "found": sum(counts.values()),
        "counts": {status: counts[status] for status in Status},
        "missing": tuple(state.bureau for state in states if state.bureau in absent),
        "late": tuple(state.bureau for state in states if state.bureau in late),
        "failures": sum(part.failures for part in there),
        "not_assessable": sum(part.not_assessable for part in there),
        "coverage": round(sum(part.coverage for part in there) / len(parts), 4),
        "cells_read": sum(part.cells_read for part in there),
        "cells_loaded": sum(part.cells_loaded for part in there),
        "cells_parked": sum(part.cells_parked for part in there),
        "bureaus": tuple(states),
        "without_held": any(part.without_held for part in there),
        "parts": tuple((part.period, part.version, part.content_hash) for part in there),
    }
