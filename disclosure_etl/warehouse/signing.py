"""Recording who answers for a version: sign-offs, locked and reopened years, releases. Each with its event, in one transaction.

What is recorded is never changed. Not here: whether it may be (`disclosure_etl.signing`), or what follows from it (`standings`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, exists, insert, select

from disclosure_etl.warehouse import audit, standings
from disclosure_etl.warehouse.audit import Act
from disclosure_etl.warehouse.connection import storable
from disclosure_etl.warehouse.decision_tables import release, sign_off, year_lock
from disclosure_etl.warehouse.dimension_tables import dim_period
from disclosure_etl.warehouse.known_then import key_of
from disclosure_etl.warehouse.pending import FREEZE, note_freezing, note_judgements
from disclosure_etl.warehouse.tables import consolidation, failure, pending, submission
from schemas.consolidation import Consolidation, VersionStatus
from schemas.errors import UserError
from schemas.periods import Period
from schemas.versions import FrozenVersion, SignOff


def record_sign_off(connection: Connection, act: Act, one: Consolidation, signed: SignOff) -> bool:
    """Record that somebody answers for a version; False where somebody did already."""
    key = key_of(connection, one.family, Period.parse(one.period), one.version)
    if connection.execute(select(sign_off.c.consolidation_id).where(sign_off.c.consolidation_id == key)).first():
        return False
    connection.execute(
        insert(sign_off).values(
            consolidation_id=key, signed_by=storable(signed.by), second=storable(signed.second) if signed.second else None,
            signed_at=signed.at, note=storable(signed.note), acknowledged=list(signed.acknowledged),
        )
    )  # fmt: skip
    told = {
        "version": one.version, "content_hash": one.content_hash, "by": signed.by, "second": signed.second,
        "note": signed.note, "acknowledged": list(signed.acknowledged), "without_held": one.without_held,
    }  # fmt: skip
    audit.append(connection, act, "sign", f"{one.family} {one.period}", told)
    return True


def record_lock(connection: Connection, act: Act, lock: standings.YearLock) -> bool:
    """Record that a year is locked or reopened; False where it was so already. What a reopened year had waiting is noted: the
    returns that came for it, and whatever depends on them.

    Raises:
        UserError: something of the year is not final (any more), or waits.
    """
    last = standings.last_decision(connection, lock.family, lock.year)
    if (last.action if last else standings.REOPEN) == lock.action:
        return False
    if lock.action == standings.LOCK:
        _refuse_unfinished(connection, lock)
    connection.execute(
        insert(year_lock).values(
            action=lock.action, family=lock.family, year=lock.year, decided_by=storable(lock.by),
            second=storable(lock.second) if lock.second else None, reason=storable(lock.reason), decided_at=lock.at,
        )
    )  # fmt: skip
    told = {"by": lock.by, "second": lock.second, "reason": lock.reason}
    audit.append(connection, act, lock.action, f"{lock.family} {lock.year}", told)
    if lock.action == standings.REOPEN:
        _note_what_came(connection, lock)
    return True


def _refuse_unfinished(connection: Connection, lock: standings.YearLock) -> None:
    """Whoever asked for the lock has looked at all of this; another process may have changed it since."""
    newest = {one.period: one for one in frozen_versions(connection, lock.family)}
    open_ = [code for code, one in newest.items() if one.status is VersionStatus.PROVISIONAL]
    waits = connection.execute(
        select(dim_period.c.code)
        .join(pending, pending.c.period_id == dim_period.c.id)
        .where(pending.c.family == lock.family, dim_period.c.year == lock.year)
    ).scalars()
    unfinished = sorted({*waits, *(code for code in open_ if Period.parse(code).year == lock.year)})
    if unfinished:
        raise UserError(
            f"{'、'.join(unfinished)} 有新的变动,{lock.year} 年不能锁定;请核对后再试。",
            f"{', '.join(unfinished)} changed meanwhile, so {lock.year} cannot be locked; look it over and try again.",
        )


def _note_what_came(connection: Connection, lock: standings.YearLock) -> None:
    """Returns that were held for the lock are to be judged, and their periods frozen anew."""
    rows = connection.execute(
        select(dim_period.c.code, submission.c.bureau_code)
        .join(failure, failure.c.submission_id == submission.c.id)
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(submission.c.family == lock.family, dim_period.c.year == lock.year)
        .where(failure.c.rule == standings.HELD_FOR_LOCK)
        .distinct()
    ).all()
    for code in sorted({row.code for row in rows}):
        place = (lock.family, Period.parse(code))
        bureaus = {row.bureau_code for row in rows if row.code == code and row.bureau_code}
        note_judgements(connection, [place], bureaus)
        note_freezing(connection, [place])


def record_release(connection: Connection, act: Act, one: FrozenVersion, by: str, at: datetime) -> bool:
    """Record that a version was given to the public; False where it was already."""
    if connection.execute(select(release.c.consolidation_id).where(release.c.consolidation_id == one.key)).first():
        return False
    connection.execute(insert(release).values(consolidation_id=one.key, released_by=storable(by), released_at=at))
    told = {"version": one.version, "content_hash": one.content_hash, "by": by}
    audit.append(connection, act, "release", f"{one.family} {one.period}", told)
    return True


def frozen_versions(
    connection: Connection, family: str, periods: Sequence[Period] | None = None, as_of: datetime | None = None
) -> list[FrozenVersion]:
    """All versions of a family, of these periods (all where None), by period and number: how firm each is, who signed and
    released it; now, or as of a moment."""
    ever_locked = exists().where(
        year_lock.c.family == consolidation.c.family, year_lock.c.year == dim_period.c.year,
        year_lock.c.action == standings.LOCK, year_lock.c.decided_at >= sign_off.c.signed_at,
    )  # fmt: skip
    was_signed: ColumnElement[bool] = sign_off.c.signed_at.is_not(None)
    was_released: ColumnElement[bool] = release.c.released_at.is_not(None)
    if as_of is not None:
        ever_locked = ever_locked.where(year_lock.c.decided_at <= as_of)
        was_signed = was_signed & (sign_off.c.signed_at <= as_of)
        was_released = was_released & (release.c.released_at <= as_of)
    statement = (
        select(
            consolidation.c.id, consolidation.c.family, dim_period.c.code, consolidation.c.version,
            standings.standing(as_of).label("standing"), consolidation.c.content_hash, consolidation.c.frozen_at,
            sign_off, release.c.released_by, release.c.released_at, was_signed.label("was_signed"),
            was_released.label("was_released"), (was_signed & ever_locked).label("was_locked"),
        )
        .join(dim_period, dim_period.c.id == consolidation.c.period_id)
        .outerjoin(sign_off, sign_off.c.consolidation_id == consolidation.c.id)
        .outerjoin(release, release.c.consolidation_id == consolidation.c.id)
        .where(consolidation.c.family == family)
        .order_by(dim_period.c.first_day, dim_period.c.last_day.desc(), consolidation.c.version)
    )  # fmt: skip
    if periods is not None:
        statement = statement.where(dim_period.c.code.in_([one.code for one in periods]))
    if as_of is not None:
        statement = statement.where(consolidation.c.frozen_at <= as_of)
    return [_frozen_version(row) for row in connection.execute(statement)]


def _frozen_version(row) -> FrozenVersion:
    signed = None
    if row.was_signed:
        signed = SignOff(row.signed_by, row.second, row.signed_at, row.note, tuple(row.acknowledged))
    return FrozenVersion(
        row.id, row.family, row.code, row.version, VersionStatus(row.standing), row.content_hash, row.frozen_at, signed,
        row.released_by if row.was_released else None, row.released_at if row.was_released else None, bool(row.was_locked),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What a period waits for: bureaus to be judged again, and whether it is to be frozen anew."""

    bureaus: tuple[str, ...]
    freezing: bool


def unsettled(connection: Connection, family: str, period: Period) -> Unsettled | None:
    """What still waits for a period; None where nothing does."""
    codes = connection.execute(
        select(pending.c.bureau_code)
        .join(dim_period, dim_period.c.id == pending.c.period_id)
        .where(pending.c.family == family, dim_period.c.code == period.code)
        .order_by(pending.c.bureau_code)
    ).scalars()
    found = list(codes)
    return Unsettled(tuple(code for code in found if code != FREEZE), FREEZE in found) if found else None
