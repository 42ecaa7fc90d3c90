"""What stewards decided of failures: recorded once, never changed, withdrawn by another decision.

Not here: what a decision does to a verdict (`quality.waivers`).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select

from disclosure_etl.warehouse.connection import storable
from disclosure_etl.warehouse.tables import decision
from schemas.periods import Period
from schemas.records import Failure, Waiver

WAIVE, WITHDRAW = "waive", "withdraw"


def waive(
    connection: Connection,
    family: str,
    bureau: str,
    failure: Failure,
    periods: tuple[Period, Period],
    reason: str,
    by: str,
    at: datetime,
) -> tuple[Waiver, bool]:
    """Record that a failure may stand, as long as the same figures are seen; the same waiver twice is one. The waiver, and
    whether it is new."""
    same = (
        one
        for one in waivers(connection, family)
        if (one.bureau, one.rule, one.column, one.indicators, one.seen, one.first, one.last)
        == (
            bureau,
            failure.rule,
            failure.column,
            failure.indicators,
            failure.seen,
            periods[0].code,
            periods[1].code,
        )
    )
    if (known := next(same, None)) is not None:
        return known, False
    values = {
        "family": family, "bureau_code": bureau, "rule": failure.rule, "column_code": failure.column,
        "indicators": list(failure.indicators), "seen": [storable(text) for text in failure.seen],
        "first_period": periods[0].code, "last_period": periods[1].code, "reason": storable(reason),
        "decided_by": storable(by), "decided_at": at,
    }  # fmt: skip
    key = connection.execute(insert(decision).values(action=WAIVE, **values)).inserted_primary_key[0]  # type: ignore[index]
    return next(one for one in waivers(connection, family) if one.number == key), True


def told(waiver: Waiver) -> dict[str, object]:
    """What the audit event of a waiver says of it."""
    return {
        "decision": waiver.number, "rule": waiver.rule, "column": waiver.column, "seen": list(waiver.seen),
        "periods": [waiver.first, waiver.last], "reason": waiver.reason,
    }  # fmt: skip


def withdraw(connection: Connection, waiver: Waiver, reason: str, by: str, at: datetime) -> None:
    """Record that a waiver no longer stands."""
    connection.execute(
        insert(decision).values(
            action=WITHDRAW, withdraws=waiver.number, family=waiver.family, bureau_code=waiver.bureau, rule=waiver.rule,
            column_code=waiver.column, indicators=list(waiver.indicators), seen=list(waiver.seen),
            first_period=waiver.first, last_period=waiver.last, reason=storable(reason), decided_by=storable(by),
            decided_at=at,
        )
    )  # fmt: skip


def waivers(connection: Connection, family: str) -> tuple[Waiver, ...]:
    """The waivers of a family that were not withdrawn, oldest first."""
    withdrawn = select(decision.c.withdraws).where(decision.c.action == WITHDRAW)
    rows = connection.execute(
        select(decision)
        .where(decision.c.family == family, decision.c.action == WAIVE, decision.c.id.not_in(withdrawn))
        .order_by(decision.c.id)
    )
    return tuple(
        Waiver(
            row.id, row.family, row.bureau_code, row.rule, row.column_code, tuple(row.indicators), tuple(row.seen),
            row.first_period, row.last_period, row.reason, row.decided_by, row.decided_at,
        )
        for row in rows
    )  # fmt: skip
