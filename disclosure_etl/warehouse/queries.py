"""Questions that people and reports ask of the warehouse. Reads only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Row, Table, case, exists, func, select

from disclosure_etl.warehouse.arrivals import concerns
from disclosure_etl.warehouse.dimension_tables import dim_period
from disclosure_etl.warehouse.return_decisions import reinstated
from disclosure_etl.warehouse.tables import (
    consolidation,
    current_block,
    document,
    failure,
    receipt,
    submission,
    unread,
)
from schemas.errors import Message
from schemas.periods import Period
from schemas.records import Failure, Severity, Status, Unread
from schemas.states import OUT


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


def told_in_order(table: Table) -> tuple:
    """The order in which failures are told: errors first, then by impact, then as their returns tell them."""
    rank = case({Severity.ERROR.value: 0, Severity.WARNING.value: 1}, value=table.c.severity, else_=2)
    return rank, table.c.impact.desc().nulls_last(), submission.c.bureau_code, submission.c.id, table.c.position


def failures(connection: Connection, family: str, period: Period, bureau: str | None) -> list[StoredFailure]:
    """The period's failures of submissions that are not superseded: errors first, then by impact, then as told."""
    wanted: list[ColumnElement[bool]] = [submission.c.status.not_in(OUT)]
    if bureau is not None:
        wanted.append(submission.c.bureau_code == bureau)
    return _failures(connection, family, period, wanted)


def _failures(
    connection: Connection, family: str, period: Period, wanted: list[ColumnElement[bool]]
) -> list[StoredFailure]:
    statement = (
        select(failure, submission.c.bureau_code, submission.c.bureau_written, submission.c.file)
        .join(submission, submission.c.id == failure.c.submission_id)
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(submission.c.family == family, dim_period.c.code == period.code, *wanted)
        .order_by(*told_in_order(failure))
    )
    return [stored_failure(row, period) for row in connection.execute(statement)]


def stored_failure(row: Row, period: Period) -> StoredFailure:
    """A row of failures with the bureau and file of its return."""
    return StoredFailure(
        row.bureau_code,
        row.file,
        Failure(
            row.failure_id, row.rule, row.kind, Severity(row.severity), row.block, tuple(row.indicators), row.column_code,
            tuple(row.cells), tuple(row.seen), row.expected, row.difference, row.diagnosis, row.impact, row.legal,
            Message(row.message_zh, row.message_en), row.implied_by,
            row.case_id, row.waiver,
        ),
        period.code,
    )  # fmt: skip


def refused(connection: Connection, family: str, period: Period) -> list[Refused]:
    """Files of the period that gave no figures, with why."""
    without_figures = select(document.c.digest).where(document.c.status != "read", concerns(family, period))
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
        .where(
            receipt.c.digest.in_(without_figures)
        )  # first the few documents: there are as many receipts as ever came
        .where(receipt.c.replaced.is_(False), receipt.c.gone.is_(False))
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
    ] + _not_taken(connection, family, period)


def _not_taken(connection: Connection, family: str, period: Period) -> list[Refused]:
    """What arrived after the revision that counts now, and was not taken: bytes of a superseded revision that came again,
    or a revision with a lower number. Somebody may mean to go back."""
    late, counting, again = receipt.alias("late"), submission.alias("counting"), reinstated()
    current = (
        select(
            current_block.c.bureau_code,
            func.max(counting.c.revision).label("revision"),
            func.max(func.coalesce(again.c.arrival, counting.c.arrival)).label("arrival"),
        )
        .join(dim_period, dim_period.c.id == current_block.c.period_id)
        .join(counting, counting.c.id == current_block.c.submission_id)
        .outerjoin(again, again.c.submission_id == counting.c.id)
        .where(current_block.c.family == family, dim_period.c.code == period.code)
        .group_by(current_block.c.bureau_code)
        .subquery()
    )
    rows = connection.execute(
        select(
            late.c.name, late.c.digest, submission.c.revision, current.c.revision.label("counts"),
            (late.c.id == submission.c.arrival).label("is_first"),
        )
        .join(submission, submission.c.digest == late.c.digest)
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .join(current, current.c.bureau_code == submission.c.bureau_code)
        .where(submission.c.status == Status.SUPERSEDED.value)
        .where(submission.c.family == family, dim_period.c.code == period.code)
        .where(late.c.id > current.c.arrival, late.c.replaced.is_(False))
        .order_by(late.c.name)
    )  # fmt: skip
    return [
        Refused(
            row.name,
            row.digest,
            Status.SUPERSEDED.value,
            *_why_not_taken(row.revision, row.counts, row.is_first),
            period=period.code,
        )
        for row in rows
    ]


def _why_not_taken(revision: int, counts: int, is_first: bool) -> tuple[str, Message]:
    if is_first:
        return "lower_revision", Message(
            f"修订号 {revision} 低于现行的 {counts},未予采用;如确应以此为准,请以更大的修订号重报。",
            f"Revision {revision} is lower than {counts}, which counts now; not taken. If it should count, send it again "
            "with a higher revision.",
        )
    return "come_again", Message(
        f"与已被取代的第 {revision} 次报送内容相同,现以第 {counts} 次报送为准,未予采用;如确需恢复,请用 returns reinstate,或以更大的修订号重报。",
        f"The same bytes as revision {revision}, which revision {counts} has replaced; not taken. To go back to it, reinstate "
        "it ('returns reinstate'), or send it again with a higher revision.",
    )


def rule_versions(connection: Connection, family: str, period: Period) -> dict[str, str]:
    """By the digest of each of the period's returns: the version of the rules by which it was judged."""
    rows = connection.execute(
        select(submission.c.digest, submission.c.rule_set)
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(submission.c.family == family, dim_period.c.code == period.code, submission.c.rule_set.is_not(None))
        .order_by(submission.c.id)
    )
    return {row.digest: row.rule_set for row in rows}


@dataclass(frozen=True, slots=True)
class RuleHealth:
    """How a rule fared: how often it fired (returns × places), how many of those were waived, how many led to a correction
    (a later revision in which it no longer fails), and how many returns it could not be assessed in."""

    rule: str
    fired: int
    waived: int
    corrected: int
    not_assessable: int


def rule_health(connection: Connection, family: str, first: Period | None, last: Period | None) -> list[RuleHealth]:
    """How every rule fared over time, those that fire most first; superseded returns count, since they were what fired."""
    scope = [submission.c.family == family]
    if first is not None:
        scope.append(dim_period.c.first_day >= first.start)
    if last is not None:
        scope.append(dim_period.c.last_day <= last.end)
    later, again = submission.alias("later"), failure.alias("again")
    newer = (
        (later.c.family == submission.c.family)
        & (later.c.period_id == submission.c.period_id)
        & (later.c.bureau_code == submission.c.bureau_code)
        & ((later.c.revision > submission.c.revision) | (later.c.arrival > submission.c.arrival))
        & (later.c.status.not_in(OUT))
    )
    still = exists(
        select(again.c.failure_id)
        .join(later, later.c.id == again.c.submission_id)
        .where(newer, again.c.rule == failure.c.rule, again.c.column_code.is_not_distinct_from(failure.c.column_code))
        .correlate(submission, failure)
    )
    corrected = (submission.c.status == Status.SUPERSEDED.value) & exists(select(later.c.id).where(newer)) & ~still
    rows = connection.execute(
        select(
            failure.c.rule, func.count(), func.sum(case((failure.c.waiver.is_not(None), 1), else_=0)),
            func.sum(case((corrected, 1), else_=0)),
        )
        .join(submission, submission.c.id == failure.c.submission_id)
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(*scope)
        .group_by(failure.c.rule)
    )  # fmt: skip
    fired = {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in rows}
    waiting: Counter[str] = Counter()
    open_rules = connection.execute(
        select(submission.c.not_assessable).join(dim_period, dim_period.c.id == submission.c.period_id).where(*scope)
    )
    for rules in open_rules.scalars():
        waiting.update({rule for rule, _ in rules})
    return [
        RuleHealth(rule, *fired.get(rule, (0, 0, 0)), waiting[rule])
        for rule in sorted({*fired, *waiting}, key=lambda rule: (-fired.get(rule, (0,))[0], rule))
    ]


def unread_places(connection: Connection, family: str, period: Period) -> list[tuple[str, Unread]]:
    """What looked like a figure and was not understood, by file."""
    rows = connection.execute(
        select(submission.c.file, unread.c.locator, unread.c.text)
        .join(submission, submission.c.id == unread.c.submission_id)
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(submission.c.family == family, dim_period.c.code == period.code)
        .where(submission.c.status.not_in(OUT))
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
