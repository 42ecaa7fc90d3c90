"""What stewards decided of failures: recorded once, never changed, withdrawn by another decision.

Not here: what a decision does to a verdict (`quality.waivers`).
"""

from __future__ import annotations

from collections.abc import Iterable
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
    whose: Iterable[tuple[str, Failure]],
    periods: tuple[Period, Period],
    reason: str,
    by: str,
    at: datetime,
) -> tuple[list[Waiver], list[Waiver]]:
    """Record that failures, each with its bureau, may stand, as long as the same figures are seen; the same waiver twice is one.
    All waivers that stand for them, and those of them that are new; the oldest first."""
    first, last = periods[0].code, periods[1].code
    wanted = {
        (bureau, one.rule, one.column, one.indicators, tuple(map(storable, one.seen)), first, last): one
        for bureau, one in whose
    }
    before = _by_what_they_cover(connection, family)
    rows = [
        {
            "action": WAIVE, "family": family, "bureau_code": key[0], "rule": one.rule, "column_code": one.column,
            "indicators": list(one.indicators), "seen": list(key[4]),
            "first_period": first, "last_period": last, "reason": storable(reason), "decided_by": storable(by),
            "decided_at": at,
        }
        for key, one in wanted.items()
        if key not in before
    ]  # fmt: skip
    if rows:
        connection.execute(insert(decision), rows)
    known = {one.number for one in before.values()}
    standing = [one for key, one in _by_what_they_cover(connection, family).items() if key in wanted]
    return standing, [one for one in standing if one.number not in known]


def _by_what_they_cover(connection: Connection, family: str) -> dict[tuple[object, ...], Waiver]:
    found: dict[tuple[object, ...], Waiver] = {}
    for one in waivers(connection, family):  # the oldest first, which stands where there are several
        found.setdefault((one.bureau, one.rule, one.column, one.indicators, one.seen, one.first, one.last), one)
    return found


def told(waiver: Waiver) -> dict[str, object]:
    """What the audit event of a waiver says of it."""
    return {
        "decision": waiver.number, "rule": waiver.rule, "column": waiver.column, "seen": list(waiver.seen),
        "periods": [waiver.first, waiver.last], "reason": waiver.reason,
    }  # fmt: skip


def withdraw(connection: Connection, withdrawn: Iterable[Waiver], reason: str, by: str, at: datetime) -> None:
    """Record that waivers no longer stand."""
    rows = [
        {
            "action": WITHDRAW, "withdraws": one.number, "family": one.family, "bureau_code": one.bureau, "rule": one.rule,
            "column_code": one.column, "indicators": list(one.indicators), "seen": list(one.seen),
            "first_period": one.first, "last_period": one.last, "reason": storable(reason), "decided_by": storable(by),
            "decided_at": at,
        }
        for one in withdrawn
    ]  # fmt: skip
    if rows:
        connection.execute(insert(decision), rows)


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
