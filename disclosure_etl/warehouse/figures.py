"""Consolidated figures: the sum over what counts, frozen as a version with the account of what went into it.

Not here: whose block counts (`loading`), or what a table of the figures looks like (`reports`).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime

from sqlalchemy import Connection, Integer, Row, case, cast, func, insert, select

from disclosure_etl.bureaus import Bureau
from disclosure_etl.warehouse.dimensions import period_id, sync_form
from disclosure_etl.warehouse.tables import (
    consolidated_figure,
    consolidation,
    consolidation_member,
    current_block,
    dim_cell,
    dim_form,
    dim_indicator,
    dim_period,
    document,
    fact_observation,
    failure,
    receipt,
    submission,
)
from schemas.consolidation import BureauState, ConsolidatedFigure, Consolidation, VersionStatus
from schemas.errors import ProgramError
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import Severity, Status


def freeze(
    connection: Connection,
    run: str,
    form: Form,
    period: Period,
    owing: Sequence[Bureau],
    due: date | None,
    at: datetime,
    others: int = 0,
) -> Consolidation:
    """Freeze the period's provisional version, unless nothing changed since the newest one: then that one is returned.

    A coarser period than the form's own is added up from the newest versions of its parts.

    Args:
        owing: the bureaus that owe a return; due: the day by which; others: files met that are of other periods.

    Raises:
        ProgramError: receipts are not accounted for one by one (conservation).
    """
    sync_form(connection, form)
    if period.frequency is form.frequency:
        figures = _figures(connection, form, period)
        account = _account(connection, form, period, owing, due, at, others)
        members = _members(connection, form.family, period)
    else:
        parts = [newest(connection, form.family, part) for part in period.parts(form.frequency)]
        figures = _rolled_up(form, parts)
        account = _rolled_up_account(parts, owing)
        members = []
    hashed = _content_hash(form, period, figures, members, account)
    last = newest(connection, form.family, period)
    if last is not None and last.content_hash == hashed:
        return last
    version = 1 if last is None else last.version + 1
    frozen = Consolidation(
        family=form.family,
        form=form.key,
        frequency=period.frequency.value,
        period=period.code,
        run=run,
        version=version,
        status=VersionStatus.PROVISIONAL,
        content_hash=hashed,
        frozen_at=at,
        figures=tuple(figures),
        **account,
    )
    if frozen.found != sum(frozen.counts.values()):
        raise ProgramError(f"{period}: {frozen.found} receipts found, {dict(frozen.counts)} accounted for")
    if frozen.cells_read != frozen.cells_loaded + frozen.cells_parked:
        raise ProgramError(f"{period}: cells read are not loaded + parked")
    store(connection, form, period, frozen, members)
    return frozen


def store(
    connection: Connection,
    form: Form,
    period: Period,
    frozen: Consolidation,
    members: Sequence[tuple[str, str, int, bool]],
) -> None:
    """Write a version down."""
    account = asdict(replace(frozen, figures=()))
    for name in (
        "figures",
        "family",
        "form",
        "period",
        "frequency",
        "version",
        "status",
        "run",
        "frozen_at",
        "content_hash",
    ):
        account.pop(name)
    account["counts"] = {status.value: count for status, count in frozen.counts.items()}
    for state in account["bureaus"]:
        state["received_at"] = state["received_at"].isoformat() if state["received_at"] else None
    key = connection.execute(
        insert(consolidation).values(
            family=frozen.family,
            form_id=sync_form(connection, form),
            period_id=period_id(connection, period),
            version=frozen.version,
            status=frozen.status.value,
            run_id=frozen.run,
            frozen_at=frozen.frozen_at,
            content_hash=frozen.content_hash,
            account=account,
        )
    ).inserted_primary_key[0]  # type: ignore[index]
    if frozen.figures:
        connection.execute(
            insert(consolidated_figure),
            [
                {
                    "consolidation_id": key, "indicator": one.indicator, "column_code": one.column, "measure": one.measure,
                    "value": one.value, "scale": one.scale, "validated": one.validated, "position": place,
                }
                for place, one in enumerate(frozen.figures)
            ],
        )  # fmt: skip
    if members:
        connection.execute(
            insert(consolidation_member),
            [
                {
                    "consolidation_id": key,
                    "bureau_code": bureau,
                    "block": block,
                    "submission_id": sent,
                    "accepted": accepted,
                }
                for bureau, block, sent, accepted in members
            ],
        )


def newest(connection: Connection, family: str, period: Period, version: int | None = None) -> Consolidation | None:
    """The newest frozen version of a period (or that of a number), as it was frozen."""
    statement = (
        select(consolidation, dim_period.c.code.label("period_code"), dim_period.c.frequency)
        .join(dim_period, dim_period.c.id == consolidation.c.period_id)
        .where(consolidation.c.family == family, dim_period.c.code == period.code)
        .order_by(consolidation.c.version.desc())
        .limit(1)
    )
    if version is not None:
        statement = statement.where(consolidation.c.version == version)
    row = connection.execute(statement).first()
    if row is None:
        return None
    figures = connection.execute(
        select(consolidated_figure)
        .where(consolidated_figure.c.consolidation_id == row.id)
        .order_by(consolidated_figure.c.position)
    )
    account = dict(row.account)
    account["counts"] = {Status(name): count for name, count in account["counts"].items()}
    for name in ("missing", "late"):
        account[name] = tuple(account[name])
    account["bureaus"] = tuple(_state(state) for state in account["bureaus"])
    form_key = account.pop("form_key", None)
    return Consolidation(
        family=family,
        form=form_key or _form_key(connection, row.form_id),
        frequency=row.frequency,
        period=row.period_code,
        run=row.run_id,
        version=row.version,
        status=VersionStatus(row.status),
        content_hash=row.content_hash,
        frozen_at=row.frozen_at,
        figures=tuple(
            ConsolidatedFigure(one.indicator, one.column_code, one.measure, one.value, one.scale, one.validated)
            for one in figures
        ),
        **account,
    )


def _form_key(connection: Connection, key: int) -> str:
    row = connection.execute(select(dim_form.c.family, dim_form.c.version).where(dim_form.c.id == key)).one()
    return f"{row.family}/{row.version}"


def _state(stored: dict) -> BureauState:
    received = datetime.fromisoformat(stored["received_at"]) if stored["received_at"] else None
    return BureauState(**{**stored, "received_at": received, "held_blocks": tuple(stored["held_blocks"])})


def _content_hash(
    form: Form, period: Period, figures: Iterable[ConsolidatedFigure], members: Iterable[tuple], account: dict
) -> str:
    """SHA-256 over what the version says: figures, what they were made of, and how every bureau stands."""
    content = {
        "form": form.digest,
        "period": period.code,
        "figures": [asdict(one) for one in figures],
        "members": sorted(map(list, members)),
        "missing": account["missing"],
        "late": account["late"],
        "counts": {status.value: account["counts"][status] for status in Status if status is not Status.OTHER_PERIOD},
        "bureaus": [
            [state.bureau, state.status, state.stale, state.held_blocks, state.errors, state.warnings, state.notices]
            for state in account["bureaus"]
        ],
    }
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


# -- figures ------------------------------------------------------------------------------------------------------------


def _sums(connection: Connection, family: str, period: Period) -> dict[tuple[str, str], tuple[int | None, bool]]:
    """Over all bureaus, by (indicator, column): the sum of what counts, and whether all of it was accepted."""
    rows = connection.execute(
        select(
            dim_indicator.c.code,
            dim_cell.c.column_code,
            cast(func.sum(fact_observation.c.value), type_=fact_observation.c.value.type),
            func.min(case((current_block.c.accepted, 1), else_=0)),
        )
        .select_from(current_block)
        .join(dim_period, dim_period.c.id == current_block.c.period_id)
        .join(fact_observation, fact_observation.c.submission_id == current_block.c.submission_id)
        .join(dim_cell, (dim_cell.c.id == fact_observation.c.cell_id) & (dim_cell.c.block == current_block.c.block))
        .join(dim_indicator, dim_indicator.c.id == dim_cell.c.indicator_id)
        .where(current_block.c.family == family, dim_period.c.code == period.code, dim_cell.c.measure != "share")
        .group_by(dim_indicator.c.code, dim_cell.c.column_code)
    )
    return {(row[0], row[1]): (row[2], bool(row[3])) for row in rows}


def _figures(connection: Connection, form: Form, period: Period) -> list[ConsolidatedFigure]:
    """The period's figures. A cumulative is added up from the year's frozen periods; the reported one is only checked."""
    sums = _sums(connection, form.family, period)
    earlier: list[Consolidation] = []
    if any(column.cumulates for column in form.columns.values()):
        first = period.shifted(1 - period.ordinal)
        steps = (first.shifted(count) for count in range(period.ordinal - 1))
        earlier = [one for step in steps if (one := newest(connection, form.family, step)) is not None]
    figures = []
    for cell in form.cells:
        if cell.measure == "share":
            continue
        column = form.columns[cell.column]
        if column.cumulates is None:
            value, validated = sums.get((cell.indicator, cell.column), (None, True))
        else:
            own = sums.get((cell.indicator, column.cumulates), (None, True))
            value, validated = _cumulated(form, cell.indicator, column.cumulates, earlier, own)
        figures.append(ConsolidatedFigure(cell.indicator, cell.column, cell.measure, value, cell.scale, validated))
    return figures


def _cumulated(
    form: Form, indicator: str, column: str, earlier: Sequence[Consolidation], own: tuple[int | None, bool]
) -> tuple[int | None, bool]:
    """Flows add up over the year; an opening is the year's first, a closing the last period's own."""
    balance = form.indicators[indicator].balance
    role = balance.role if balance else None
    before = [
        (one.value, one.validated)
        for part in earlier
        for one in part.figures
        if (one.indicator, one.column) == (indicator, column)
    ]
    if role == "closing":
        return own
    if role == "opening":
        return before[0] if before else own
    values = [value for value, _ in (*before, own) if value is not None]
    return (sum(values) if values else None), all(validated for _, validated in (*before, own))


def _rolled_up(form: Form, parts: Sequence[Consolidation | None]) -> list[ConsolidatedFigure]:
    """A coarser period from its parts: only columns that are a part's own; cumulatives are theirs already."""
    there = [part for part in parts if part is not None]
    figures = []
    for cell in form.cells:
        if cell.measure == "share" or form.columns[cell.column].cumulates:
            continue
        found = [
            one
            for part in there
            for one in part.figures
            if (one.indicator, one.column) == (cell.indicator, cell.column)
        ]
        last = (found[-1].value, found[-1].validated) if found else (None, True)
        balance = form.indicators[cell.indicator].balance
        if balance is not None and balance.role == "closing":
            value, validated = last
        else:
            before = [replace(part, figures=part.figures) for part in there[:-1]]
            value, validated = _cumulated(form, cell.indicator, cell.column, before, last)
        figures.append(ConsolidatedFigure(cell.indicator, cell.column, cell.measure, value, cell.scale, validated))
    return figures


# -- the account --------------------------------------------------------------------------------------------------------


def _members(connection: Connection, family: str, period: Period) -> list[tuple[str, str, int, bool]]:
    rows = connection.execute(
        select(
            current_block.c.bureau_code, current_block.c.block, current_block.c.submission_id, current_block.c.accepted
        )
        .join(dim_period, dim_period.c.id == current_block.c.period_id)
        .where(current_block.c.family == family, dim_period.c.code == period.code)
    )
    return [tuple(row) for row in rows]  # type: ignore[misc]


def _counts(connection: Connection, family: str, period: Period) -> Counter[Status]:
    """Every receipt of the period under exactly one status."""
    concerned = (document.c.claimed_period == period.code) | (document.c.named_period == period.code)
    unnamed = (
        document.c.claimed_period.is_(None) & document.c.named_period.is_(None) & (document.c.seen_for == period.code)
    )
    first = select(receipt.c.digest, func.min(receipt.c.id).label("id")).group_by(receipt.c.digest).subquery()
    rows = connection.execute(
        select(
            document.c.status, submission.c.status, cast(receipt.c.id == first.c.id, type_=Integer), func.count(),
        )
        .select_from(receipt)
        .join(document, document.c.digest == receipt.c.digest)
        .join(first, first.c.digest == receipt.c.digest)
        .outerjoin(submission, (submission.c.digest == receipt.c.digest) & (submission.c.family == family))
        .where(concerned | unnamed)
        .group_by(document.c.status, submission.c.status, receipt.c.id == first.c.id)
    )  # fmt: skip
    counts: Counter[Status] = Counter()
    for read, status, is_first, number in rows:
        if read == "unreadable":
            counts[Status.UNREADABLE] += number
        elif read == "failed":
            counts[Status.FAILED] += number
        elif status is not None:
            counts[Status(status) if is_first else Status.DUPLICATE] += number
    return counts


def _account(
    connection: Connection,
    form: Form,
    period: Period,
    owing: Sequence[Bureau],
    due: date | None,
    at: datetime,
    others: int,
) -> dict:
    counts = _counts(connection, form.family, period)
    counts[Status.OTHER_PERIOD] = others
    states = _states(connection, form.family, period, owing, due, at)
    missing = tuple(state.bureau for state in states if state.status == "missing")
    read, loaded = _cells(connection, form.family, period)
    reported = {bureau for bureau, *_ in _members(connection, form.family, period)}
    owed = {bureau.code for bureau in owing}
    return {
        "found": sum(counts.values()),
        "counts": {status: counts[status] for status in Status},
        "missing": missing,
        "late": tuple(state.bureau for state in states if state.late),
        "failures": sum(state.errors + state.warnings + state.notices for state in states)
        + _failures_without_bureau(connection, form.family, period, owed),
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
        .where(*in_period)
    ).scalar_one()
    loaded = connection.execute(
        select(func.count())
        .select_from(current_block)
        .join(dim_period, dim_period.c.id == current_block.c.period_id)
        .join(submission, submission.c.id == current_block.c.submission_id)
        .join(dim_cell, (dim_cell.c.form_id == submission.c.form_id) & (dim_cell.c.block == current_block.c.block))
        .where(current_block.c.family == family, dim_period.c.code == period.code, current_block.c.accepted)
    ).scalar_one()
    return read, loaded


def _failures_without_bureau(connection: Connection, family: str, period: Period, owed: Collection[str]) -> int:
    """Failures of submissions that belong to no owing bureau: counted all the same."""
    rows = connection.execute(
        select(submission.c.bureau_code, func.count())
        .join(failure, failure.c.submission_id == submission.c.id)
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(submission.c.family == family, dim_period.c.code == period.code)
        .where(submission.c.status != Status.SUPERSEDED.value)
        .group_by(submission.c.bureau_code)
    )
    return sum(number for bureau, number in rows if bureau not in owed)


def _states(
    connection: Connection, family: str, period: Period, owing: Sequence[Bureau], due: date | None, at: datetime
) -> list[BureauState]:
    in_period = (submission.c.family == family, dim_period.c.code == period.code)
    sent = connection.execute(
        select(
            submission.c.id, submission.c.bureau_code, submission.c.status, submission.c.revision, submission.c.received_at,
            submission.c.not_assessable,
        )
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(*in_period)
        .order_by(submission.c.revision, submission.c.received_at, submission.c.id)
    ).all()  # fmt: skip
    severities = connection.execute(
        select(submission.c.bureau_code, failure.c.severity, func.count())
        .join(failure, failure.c.submission_id == submission.c.id)
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(*in_period, submission.c.status != Status.SUPERSEDED.value)
        .group_by(submission.c.bureau_code, failure.c.severity)
    )
    failures = {(row[0], row[1]): row[2] for row in severities}
    blocks = connection.execute(
        select(current_block.c.bureau_code, current_block.c.block, current_block.c.accepted, current_block.c.stale)
        .join(dim_period, dim_period.c.id == current_block.c.period_id)
        .where(current_block.c.family == family, dim_period.c.code == period.code)
        .order_by(current_block.c.block)
    )
    held: dict[str, list[str]] = {}
    stale = set()
    for bureau, block, accepted, is_stale in blocks:
        if not accepted:
            held.setdefault(bureau, []).append(block)
        if is_stale:
            stale.add(bureau)
    newest_of: dict[str | None, Row] = {}
    first_of: dict[str | None, datetime] = {}
    for one in sent:
        if one.status != Status.SUPERSEDED.value:
            newest_of[one.bureau_code] = one
        moment = first_of.get(one.bureau_code)
        first_of[one.bureau_code] = one.received_at if moment is None else min(moment, one.received_at)
    return [
        _bureau_state(bureau, newest_of.get(bureau.code), first_of.get(bureau.code), held, stale, failures, due, at)
        for bureau in owing
    ]


def _bureau_state(
    bureau: Bureau, one, first: datetime | None, held: dict, stale: set, failures: dict, due: date | None, at: datetime
) -> BureauState:  # one: the newest submission's row, or None
    def number(severity: Severity) -> int:
        return failures.get((bureau.code, severity.value), 0)

    late = first is not None and due is not None and first.astimezone(at.tzinfo).date() > due
    return BureauState(
        bureau=bureau.code,
        name_zh=bureau.name_zh,
        name_en=bureau.name_en,
        status=one.status if one is not None else "missing",
        late=late,
        stale=bureau.code in stale,
        held_blocks=tuple(held.get(bureau.code, ())),
        revision=one.revision if one is not None else None,
        received_at=one.received_at if one is not None else None,
        errors=number(Severity.ERROR),
        warnings=number(Severity.WARNING),
        notices=number(Severity.NOTICE),
        not_assessable=len(one.not_assessable) if one is not None else 0,
    )


def _rolled_up_account(parts: Sequence[Consolidation | None], owing: Sequence[Bureau]) -> dict:
    """The account of a coarser period: its parts' accounts together; a bureau is missing if it is so in any part."""
    there = [part for part in parts if part is not None]
    counts: Counter[Status] = Counter()
    for part in there:
        counts.update({status: count for status, count in part.counts.items() if status is not Status.OTHER_PERIOD})
    codes = [bureau.code for bureau in owing]
    absent = {code for part in there for code in part.missing} | (set(codes) if len(there) < len(parts) else set())
    late = {code for part in there for code in part.late}
    return {
        "found": sum(counts.values()),
        "counts": {status: counts[status] for status in Status},
        "missing": tuple(code for code in codes if code in absent),
        "late": tuple(code for code in codes if code in late),
        "failures": sum(part.failures for part in there),
        "not_assessable": sum(part.not_assessable for part in there),
        "coverage": round(sum(part.coverage for part in there) / len(parts), 4),
        "cells_read": sum(part.cells_read for part in there),
        "cells_loaded": sum(part.cells_loaded for part in there),
        "cells_parked": sum(part.cells_parked for part in there),
        "bureaus": (),
    }
