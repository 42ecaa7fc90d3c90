"""Questions that people and reports ask of the warehouse. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, Connection, case, cast, func, select

from disclosure_etl.warehouse.arrivals import concerns, is_replaced
from disclosure_etl.warehouse.tables import (
    consolidation,
    consolidation_member,
    current_block,
    dim_cell,
    dim_indicator,
    dim_period,
    document,
    fact_observation,
    failure,
    receipt,
    submission,
    unread,
)
from schemas.consolidation import BureauFigure
from schemas.errors import Message
from schemas.periods import Period
from schemas.records import Failure, Severity, Status, Unread


@dataclass(frozen=True, slots=True)
class StoredFailure:
    """A failure with whose, which file's and which period's it is. `file` is '' where no file is at fault."""

    bureau: str | None
    file: str
    failure: Failure
    period: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that gave no figures. `status`: unreadable, misdirected, failed (the program did), or superseded (bytes
    of an earlier revision that came again after a later one counted)."""

    file: str
    digest: str
    status: str
    code: str
    message: Message
    bureau_written: str | None = None
    period: str = ""


_RANK = case({Severity.ERROR.value: 0, Severity.WARNING.value: 1}, value=failure.c.severity, else_=2)


def failures(connection: Connection, family: str, period: Period, bureau: str | None) -> list[StoredFailure]:
    """The period's failures of submissions that are not superseded: errors first, then by impact, then as told."""
    wanted: list[ColumnElement[bool]] = [submission.c.status != Status.SUPERSEDED.value]
    if bureau is not None:
        wanted.append(submission.c.bureau_code == bureau)
    return _failures(connection, family, period, wanted)


def version_failures(connection: Connection, family: str, period: Period, version: int) -> list[StoredFailure]:
    """The failures of the submissions that a frozen version is made of, in the same order."""
    return _failures(connection, family, period, [submission.c.id.in_(_members(family, period, version))])


def _failures(
    connection: Connection, family: str, period: Period, wanted: list[ColumnElement[bool]]
) -> list[StoredFailure]:
    statement = (
        select(failure, submission.c.bureau_code, submission.c.bureau_written, submission.c.file)
        .join(submission, submission.c.id == failure.c.submission_id)
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(submission.c.family == family, dim_period.c.code == period.code, *wanted)
        .order_by(
            _RANK, failure.c.impact.desc().nulls_last(), submission.c.bureau_code, submission.c.id, failure.c.position
        )
    )
    return [
        StoredFailure(
            row.bureau_code,
            row.file,
            Failure(
                row.failure_id, row.rule, row.kind, Severity(row.severity), row.block, tuple(row.indicators), row.column_code,
                tuple(row.cells), tuple(row.seen), row.expected, row.difference, row.diagnosis, row.impact, row.legal,
                Message(row.message_zh, row.message_en), row.implied_by,
                row.case_id, row.waiver,
            ),
            period.code,
        )
        for row in connection.execute(statement)
    ]  # fmt: skip


def _members(family: str, period: Period, version: int):
    """The submissions that a frozen version is made of, as a subquery."""
    return (
        select(consolidation_member.c.submission_id)
        .join(consolidation, consolidation.c.id == consolidation_member.c.consolidation_id)
        .join(dim_period, dim_period.c.id == consolidation.c.period_id)
        .where(consolidation.c.family == family, dim_period.c.code == period.code, consolidation.c.version == version)
    )


def version_figures(
    connection: Connection, family: str, period: Period, version: int, column: str
) -> list[BureauFigure]:
    """Every bureau's figures in one column that is a period's own, as they entered a frozen version of it."""
    rows = connection.execute(
        select(
            consolidation_member.c.bureau_code,
            dim_indicator.c.code,
            dim_cell.c.measure,
            dim_cell.c.scale,
            cast(func.sum(fact_observation.c.value), type_=BigInteger).label("value"),
            func.min(case((consolidation_member.c.accepted, 1), else_=0)).label("accepted"),
        )
        .select_from(consolidation_member)
        .join(consolidation, consolidation.c.id == consolidation_member.c.consolidation_id)
        .join(dim_period, dim_period.c.id == consolidation.c.period_id)
        .join(fact_observation, fact_observation.c.submission_id == consolidation_member.c.submission_id)
        .join(
            dim_cell, (dim_cell.c.id == fact_observation.c.cell_id) & (dim_cell.c.block == consolidation_member.c.block)
        )
        .join(dim_indicator, dim_indicator.c.id == dim_cell.c.indicator_id)
        .where(consolidation.c.family == family, dim_period.c.code == period.code, consolidation.c.version == version)
        .where(dim_cell.c.measure != "share", dim_cell.c.column_code == column)
        .group_by(consolidation_member.c.bureau_code, dim_indicator.c.code, dim_cell.c.measure, dim_cell.c.scale)
    )
    return [
        BureauFigure(row.bureau_code, row.code, column, row.measure, row.value, row.scale, bool(row.accepted))
        for row in rows
    ]


def refused(connection: Connection, period: Period) -> list[Refused]:
    """Files of the period that gave no figures, with why."""
    rows = connection.execute(
        select(
            receipt.c.name,
            receipt.c.digest,
            document.c.status,
            document.c.problem_code,
            document.c.problem_zh,
            document.c.problem_en,
            document.c.bureau_written,
        )
        .join(document, document.c.digest == receipt.c.digest)
        .where(document.c.status != "read", concerns(period), ~is_replaced())
        .order_by(receipt.c.name)
    )
    return [
        Refused(
            row.name,
            row.digest,
            row.status,
            row.problem_code,
            Message(row.problem_zh, row.problem_en),
            row.bureau_written or None,
            period.code,
        )
        for row in rows
    ] + _come_again(connection, period)


def _come_again(connection: Connection, period: Period) -> list[Refused]:
    """Bytes of a superseded revision that arrived after the revision that counts now: somebody may mean to go back."""
    again, counting, counted = receipt.alias("again"), submission.alias("counting"), receipt.alias("counted")
    rows = connection.execute(
        select(again.c.name, again.c.digest, submission.c.revision, counting.c.revision.label("counts"))
        .join(submission, submission.c.digest == again.c.digest)
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .join(
            current_block,
            (current_block.c.family == submission.c.family)
            & (current_block.c.period_id == submission.c.period_id)
            & (current_block.c.bureau_code == submission.c.bureau_code),
        )
        .join(counting, counting.c.id == current_block.c.submission_id)
        .join(counted, counted.c.digest == counting.c.digest)
        .where(submission.c.status == Status.SUPERSEDED.value, dim_period.c.code == period.code)
        .where(again.c.id > counted.c.id)
        .distinct()
        .order_by(again.c.name)
    )
    return [
        Refused(
            row.name,
            row.digest,
            Status.SUPERSEDED.value,
            "come_again",
            Message(
                f"与已被取代的第 {row.revision} 次报送内容相同,现以第 {row.counts} 次报送为准,未予采用;"
                "如确需恢复,请以更大的修订号重报。",
                f"The same bytes as revision {row.revision}, which revision {row.counts} has replaced; not taken. To go "
                "back to it, send it again with a higher revision.",
            ),
            period=period.code,
        )
        for row in rows
    ]


def unread_places(connection: Connection, family: str, period: Period) -> list[tuple[str, Unread]]:
    """What looked like a figure and was not understood, by file."""
    rows = connection.execute(
        select(submission.c.file, unread.c.locator, unread.c.text)
        .join(submission, submission.c.id == unread.c.submission_id)
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(submission.c.family == family, dim_period.c.code == period.code)
        .where(submission.c.status != Status.SUPERSEDED.value)
        .order_by(unread.c.id)
    )
    return [(row.file, Unread(row.locator, row.text)) for row in rows]


def later_periods(connection: Connection, family: str, period: Period) -> tuple[Period, ...]:
    """Periods after `period`, of its frequency, that hold submissions, in order."""
    rows = connection.execute(
        select(dim_period.c.code)
        .join(submission, submission.c.period_id == dim_period.c.id)
        .where(submission.c.family == family, dim_period.c.frequency == period.frequency.value)
        .where(dim_period.c.first_day > period.start)
        .distinct()
        .order_by(dim_period.c.code)
    )
    return tuple(Period.parse(code) for code in rows.scalars())


def consolidated_periods(connection: Connection, family: str) -> tuple[Period, ...]:
    """All periods of any frequency that have a frozen version, by first day, of two that begin together the longer first."""
    rows = connection.execute(
        select(dim_period.c.code)
        .join(consolidation, consolidation.c.period_id == dim_period.c.id)
        .where(consolidation.c.family == family)
        .distinct()
    )
    return tuple(sorted(Period.parse(code) for code in rows.scalars()))


def periods(connection: Connection, family: str) -> tuple[Period, ...]:
    """All periods that hold submissions, in order."""
    rows = connection.execute(
        select(dim_period.c.code)
        .join(submission, submission.c.period_id == dim_period.c.id)
        .where(submission.c.family == family)
        .distinct()
        .order_by(dim_period.c.code)
    )
    return tuple(Period.parse(code) for code in rows.scalars())
