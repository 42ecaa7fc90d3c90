"""What the desk's pages show of many returns at once: counted and cut by the database, so that a page costs what it shows.

Not here: what single answers are made of (`queries`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from disclosure_etl.warehouse.desk_tables import case_assignment, case_comment
from disclosure_etl.warehouse.dimension_tables import dim_cell, dim_indicator, dim_period
from disclosure_etl.warehouse.queries import StoredFailure, stored_failure, told_in_order
from disclosure_etl.warehouse.tables import current_block, fact_observation, failure, submission
from schemas.periods import Period
from schemas.records import Severity
from schemas.states import OUT, State


@dataclass(frozen=True, slots=True)
class BlockStanding:
    """How a block of a bureau stands: whether its figures count as accepted, no longer follow, and how many cases stand against it.
    A `block` of '' is the return as a whole: what is wrong with it and with no block of it."""

    bureau: str
    block: str
    accepted: bool
    stale: bool
    errors: int = 0
    warnings: int = 0
    waived: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which failures of a period a list shows. `state`: open, returned (the bureau was asked to
    correct it, and has not yet), waived, or '' for all; `owner`: a person's key, or 0 for
    nobody's; `text` is looked for in rules and messages."""

    bureau: str = ""
    block: str = ""
    severity: str = ""
    rule: str = ""
    state: str = ""
    owner: int | None = None
    text: str = ""
    cases_only: bool = True


@dataclass(frozen=True, slots=True)
class Listed:
    """A failure in a list: whose it is to deal with, how many others have its cause, how many comments there are, and whether its
    return was sent back."""

    stored: StoredFailure
    owner: int | None
    attached: int
    comments: int
    returned: bool


def block_standings(
    connection: Connection, family: str, period: Period, bureaus: Collection[str]
) -> list[BlockStanding]:
    """How each block of these bureaus stands that was sent in a period."""
    in_period = (dim_period.c.code == period.code, dim_period.c.id == submission.c.period_id)
    counted = connection.execute(
        select(
            submission.c.bureau_code, failure.c.block,
            func.sum(case((failure.c.waiver.is_not(None), 0), (failure.c.severity == Severity.ERROR.value, 1), else_=0)),
            func.sum(case((failure.c.waiver.is_not(None), 0), (failure.c.severity == Severity.WARNING.value, 1), else_=0)),
            func.sum(case((failure.c.waiver.is_not(None), 1), else_=0)),
        )
        .join(failure, failure.c.submission_id == submission.c.id)
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(submission.c.family == family, *in_period, submission.c.status.not_in(OUT), _is_case())
        .where(submission.c.bureau_code.in_(bureaus))
        .group_by(submission.c.bureau_code, failure.c.block)
    )  # fmt: skip
    against = {(row[0], row[1] or ""): (int(row[2]), int(row[3]), int(row[4])) for row in counted}
    rows = connection.execute(
        select(current_block.c.bureau_code, current_block.c.block, current_block.c.accepted, current_block.c.stale)
        .join(dim_period, dim_period.c.id == current_block.c.period_id)
        .where(current_block.c.family == family, dim_period.c.code == period.code)
        .where(current_block.c.bureau_code.in_(bureaus))
    )
    whole = [BlockStanding(*place, True, False, *counts) for place, counts in against.items() if not place[1]]
    return [*whole, *(BlockStanding(*row, *against.get((row[0], row[1]), (0, 0, 0))) for row in rows)]


def open_by_severity(connection: Connection, family: str, periods: Collection[Period]) -> dict[tuple[str, str], int]:
    """How many cases of these periods are open, by period and severity."""
    columns = (dim_period.c.code, failure.c.severity)
    statement = _of(select(*columns, func.count()), family, periods, Wanted(state="open")).group_by(*columns)
    return {(row[0], row[1]): row[2] for row in connection.execute(statement)}


def _is_case() -> ColumnElement[bool]:
    """Whether a failure is a case by itself, as `schemas.cases.cases_among` has it."""
    cause = failure.alias()
    holds = (
        select(cause.c.failure_id)
        .where(cause.c.submission_id == failure.c.submission_id, cause.c.failure_id == failure.c.case_id)
        .where(cause.c.waiver.is_(None))
        .exists()
    )
    return failure.c.case_id.is_(None) | (failure.c.waiver.is_(None) & ~holds)


def _owner() -> ColumnElement[int]:
    """Whose a failure is: what was said last."""
    own = case_assignment.alias()
    newest = (
        select(own.c.person_id)
        .where(own.c.family == submission.c.family, own.c.period == dim_period.c.code)
        .where(own.c.failure_id == failure.c.failure_id)
        .order_by(own.c.id.desc())
        .limit(1)
    )
    return newest.scalar_subquery()


def _of(statement: Select, family: str, period: Period | Collection[Period], wanted: Wanted) -> Select:
    periods = (period,) if isinstance(period, Period) else period
    chosen: list[ColumnElement[bool]] = []
    if wanted.bureau:
        chosen.append(submission.c.bureau_code == wanted.bureau)
    if wanted.block:
        chosen.append(failure.c.block == wanted.block)
    if wanted.severity:
        chosen.append(failure.c.severity == wanted.severity)
    if wanted.rule:
        chosen.append(failure.c.rule == wanted.rule)
    if wanted.state:
        back = submission.c.status == State.RETURNED.value
        chosen.append(
            {
                "open": failure.c.waiver.is_(None) & ~back,
                "returned": failure.c.waiver.is_(None) & back,
                "waived": failure.c.waiver.is_not(None),
            }[wanted.state]
        )
    if wanted.cases_only:
        chosen.append(_is_case())
    if wanted.owner is not None:
        chosen.append(func.coalesce(_owner(), 0) == wanted.owner)
    if wanted.text:
        told = (failure.c.rule, failure.c.message_zh, failure.c.message_en)
        chosen.append(or_(*(column.contains(wanted.text, autoescape=True) for column in told)))
    return (
        statement.join(submission, submission.c.id == failure.c.submission_id)
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(
            submission.c.family == family,
            dim_period.c.code.in_([one.code for one in periods]),
            submission.c.status.not_in(OUT),
            *chosen,
        )
    )


def listed_failures(
    connection: Connection, family: str, period: Period, wanted: Wanted, skip: int, most: int
) -> tuple[list[Listed], int]:
    """A page of a period's failures, errors first, then by impact; and how many there are in all."""
    counted = _of(select(func.count()).select_from(failure), family, period, wanted)
    number = connection.execute(counted).scalar_one()
    other = failure.alias()
    attached = (
        select(func.count())
        .select_from(other)
        .where(other.c.submission_id == failure.c.submission_id, other.c.case_id == failure.c.failure_id)
        .scalar_subquery()
    )
    said = (
        select(func.count())
        .select_from(case_comment)
        .where(case_comment.c.family == submission.c.family, case_comment.c.period == dim_period.c.code)
        .where(case_comment.c.failure_id == failure.c.failure_id)
        .scalar_subquery()
    )
    columns = (failure, submission.c.bureau_code, submission.c.bureau_written, submission.c.file)
    stands = submission.c.status.label("stands")
    statement = _of(
        select(*columns, stands, _owner().label("owner"), attached.label("attached"), said.label("comments")),
        family,
        period,
        wanted,
    )
    rows = connection.execute(statement.order_by(*told_in_order(failure)).offset(skip).limit(most))
    return [
        Listed(stored_failure(row, period), row.owner, row.attached, row.comments, row.stands == State.RETURNED.value)
        for row in rows
    ], number


def open_cases(connection: Connection, family: str, period: Period) -> list[str]:
    """The ids of a period's open cases that a person has to decide, in the order of the list."""
    statement = _of(select(failure.c.failure_id), family, period, Wanted(state="open"))
    statement = statement.where(failure.c.severity != Severity.NOTICE.value)
    return list(dict.fromkeys(connection.execute(statement.order_by(*told_in_order(failure))).scalars()))


def rules_failing(connection: Connection, family: str, period: Period, state: str) -> list[tuple[str, int]]:
    """The rules that have failures of a state in a period, with how many cases each; most first."""
    statement = _of(select(failure.c.rule, func.count().label("cases")), family, period, Wanted(state=state))
    rows = connection.execute(statement.group_by(failure.c.rule).order_by(func.count().desc(), failure.c.rule))
    return [(row[0], row[1]) for row in rows]


def failures_named(connection: Connection, family: str, period: Period, wanted: Sequence[str]) -> list[StoredFailure]:
    """The failures of a period with these ids, and those that they are the cause of."""
    own = failure.alias()
    returns = select(own.c.submission_id).where(
        own.c.failure_id.in_(wanted)
    )  # few: the others of a cause are in the same return
    named = failure.c.submission_id.in_(returns) & or_(failure.c.failure_id.in_(wanted), failure.c.case_id.in_(wanted))
    statement = _of(
        select(failure, submission.c.bureau_code, submission.c.bureau_written, submission.c.file),
        family,
        period,
        Wanted(cases_only=False),
    ).where(named)
    return [stored_failure(row, period) for row in connection.execute(statement.order_by(*told_in_order(failure)))]


def failing_elsewhere(
    connection: Connection, family: str, bureau: str, rule: str, most: int
) -> list[tuple[str, str, str, int | None]]:
    """Where else a rule failed at a bureau: period, failure id, severity and waiver, the newest period first; superseded returns
    too, since they were what failed."""
    rows = connection.execute(
        select(dim_period.c.code, failure.c.failure_id, failure.c.severity, func.max(failure.c.waiver))
        .join(submission, submission.c.id == failure.c.submission_id)
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(and_(submission.c.family == family, submission.c.bureau_code == bureau, failure.c.rule == rule))
        .group_by(dim_period.c.code, dim_period.c.last_day, failure.c.failure_id, failure.c.severity)
        .order_by(dim_period.c.last_day.desc())
        .limit(most)
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


@dataclass(frozen=True, slots=True)
class Sent:
    """The return that a failure is of: where its bytes are, and where it stands."""

    key: int
    digest: str
    file: str
    status: str
    bureau: str | None
    revision: int


def sent_with(connection: Connection, family: str, period: Period, failure_id: str) -> Sent | None:
    """The newest return of a period that has a failure; None where none has."""
    one = submission.c
    row = connection.execute(
        select(one.id, one.digest, one.file, one.status, one.bureau_code, one.revision)
        .join(dim_period, dim_period.c.id == one.period_id)
        .where(one.id.in_(select(failure.c.submission_id).where(failure.c.failure_id == failure_id)))
        .where(one.family == family, dim_period.c.code == period.code, one.status.not_in(OUT))
        .order_by(one.id.desc())
        .limit(1)
    ).first()
    return Sent(*row) if row is not None else None


@dataclass(frozen=True, slots=True)
class Point:
    """A bureau's figure of a month as it counts, a whole number in the cell's scale; `accepted` is false while its block is held."""

    period: str
    indicator: str
    value: int | None
    scale: int
    accepted: bool


def course(
    connection: Connection, family: str, bureau: str, indicators: Collection[str], column: str, last: Period, most: int
) -> list[Point]:
    """What a bureau reported of these indicators in a column, up to a period and in so many of them before; oldest first."""
    codes = [last.shifted(-step).code for step in range(most)]
    periods = dict(
        connection.execute(select(dim_period.c.id, dim_period.c.code).where(dim_period.c.code.in_(codes))).all()
    )
    cells = {
        row.id: row
        for row in connection.execute(
            select(dim_cell.c.id, dim_cell.c.form_id, dim_cell.c.block, dim_cell.c.scale, dim_indicator.c.code)
            .join(dim_indicator, dim_indicator.c.id == dim_cell.c.indicator_id)
            .where(
                dim_indicator.c.code.in_(indicators), dim_cell.c.column_code == column, dim_cell.c.measure != "share"
            )
        )
    }
    if not periods or not cells:
        return []
    one = current_block.c
    rows = connection.execute(
        select(one.period_id, one.block, one.accepted, fact_observation.c.cell_id, fact_observation.c.value)
        .join(fact_observation, fact_observation.c.submission_id == one.submission_id)
        .where(one.family == family, one.period_id.in_(periods), one.bureau_code == bureau)
        .where(one.block.in_({row.block for row in cells.values()}), fact_observation.c.cell_id.in_(cells))
    )
    found = [
        Point(periods[row.period_id], cells[row.cell_id].code, row.value, cells[row.cell_id].scale, row.accepted)
        for row in rows
        if cells[row.cell_id].block == row.block
    ]
    return sorted(found, key=lambda point: (Period.parse(point.period).end, point.indicator))
