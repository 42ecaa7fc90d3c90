"""How firm a version is, derived from what people recorded: signed off is final, final in a locked year is locked. And whether a
year is locked, so that nothing of it may change what counts.

A version's own row never changes. Not here: recording a sign-off or a lock (`signing`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, case, exists, func, select

from disclosure_etl.warehouse.decision_tables import sign_off, year_lock
from disclosure_etl.warehouse.dimension_tables import dim_period
from disclosure_etl.warehouse.tables import consolidation
from schemas.consolidation import VersionStatus
from schemas.errors import UserError
from schemas.periods import Period
from schemas.records import Judged

LOCK, REOPEN = "lock", "reopen"
HELD_FOR_LOCK = "return:locked"  # the finding of a return that came while its year was locked


@dataclass(frozen=True, slots=True)
class YearLock:
    """A year of a family as it was locked or reopened last."""

    action: str
    family: str
    year: int
    by: str
    second: str | None
    reason: str
    at: datetime


def standing(as_of: datetime | None = None) -> ColumnElement[str]:
    """The derived status of a version, now or at a moment, for a query over `consolidation` and `dim_period`."""
    own = sign_off.alias()
    signed = exists().where(own.c.consolidation_id == consolidation.c.id)
    if as_of is not None:
        signed = signed.where(own.c.signed_at <= as_of)
    return case(
        (signed & is_locked(consolidation.c.family, dim_period.c.year, as_of), VersionStatus.LOCKED.value),
        (signed, VersionStatus.FINAL.value),
        else_=consolidation.c.status,
    )


def is_locked(
    family: ColumnElement[str], year: ColumnElement[int], as_of: datetime | None = None
) -> ColumnElement[bool]:
    """Whether the year is locked, now or at a moment, for a query that has a family and a year."""
    own = year_lock.alias()
    newest = select(own.c.action).where(own.c.family == family, own.c.year == year)
    if as_of is not None:
        newest = newest.where(own.c.decided_at <= as_of)
    return func.coalesce(newest.order_by(own.c.id.desc()).limit(1).scalar_subquery(), REOPEN) == LOCK


def last_decision(connection: Connection, family: str, year: int) -> YearLock | None:
    """What was decided of a year last; None where nothing ever was."""
    row = connection.execute(
        select(year_lock)
        .where(year_lock.c.family == family, year_lock.c.year == year)
        .order_by(year_lock.c.id.desc())
        .limit(1)
    ).first()
    return (
        YearLock(row.action, row.family, row.year, row.decided_by, row.second, row.reason, row.decided_at)
        if row
        else None
    )


def lock_of(connection: Connection, family: str, period: Period) -> YearLock | None:
    """The lock on a period's year; None where it is open."""
    last = last_decision(connection, family, period.year)
    return last if last is not None and last.action == LOCK else None


def refuse_locked(connection: Connection, family: str, periods: Iterable[Period]) -> None:
    """Refuse a change of what counts in locked years.

    Raises:
        UserError: one of the periods lies in a locked year.
    """
    for period in sorted({one.year: one for one in periods}.values()):
        if (lock := lock_of(connection, family, period)) is not None:
            raise locked_error(lock, period)


def locked_error(lock: YearLock, period: Period) -> UserError:
    """The error that a period's year is locked, and what to do."""
    return UserError(
        f"{lock.family} {lock.year} 年已由{lock.by}锁定,{period} 的数据不得变动。确需更正,请先由两人解锁:"
        f"disclosure-etl reopen {lock.year} --by … --second … --reason …",
        f"{lock.family} {lock.year} was locked by {lock.by}: nothing of {period} may change. To correct it, two people reopen "
        f"the year first: disclosure-etl reopen {lock.year} --by … --second … --reason …",
    )


def refuse_counting(connection: Connection, family: str, period: Period, judged: Iterable[Judged]) -> None:
    """Refuse to store what would count in a locked year; a return that is held as a whole counts for nothing.

    Raises:
        UserError: the year was locked after these were judged.
    """
    if any(not one.whole_return_held for one in judged):
        refuse_locked(connection, family, [period])
