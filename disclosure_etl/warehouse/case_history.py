"""What was decided of a case so far, with what was taken back again: by whom, when and why. Reads only.

Not here: what the decisions that stand do (`decisions`, `return_decisions`), or what people say of a case (`casework`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from disclosure_etl.warehouse.decision_tables import return_decision
from disclosure_etl.warehouse.desk_tables import case_assignment, person
from disclosure_etl.warehouse.tables import decision
from schemas.periods import Period
from schemas.records import Failure
from schemas.returns import ReturnAction

# By what is decided, as the record names it.
_OF_RETURNS = {
    ReturnAction.RETURN.value: "return_back",
    ReturnAction.WITHDRAW.value: "return_withdrawn",
    ReturnAction.REINSTATE.value: "return_reinstated",
    ReturnAction.UNDO.value: "return_undone",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was decided of a case. `kind` is that of its event of the record; `number` names the decision, or the one that
    it takes back; `detail`: how long a waiver is for, or to whom a case was given."""

    kind: str
    number: int
    by: str
    at: datetime
    reason: str = ""
    detail: str = ""


def steps(
    connection: Connection, family: str, period: Period, bureau: str | None, failure: Failure, submission: int
) -> list[Step]:
    """What was decided of a failure and of its return, the oldest first."""
    found = [
        *_waivers(connection, family, period, bureau, failure),
        *_of_return(connection, submission),
        *_given(connection, family, period, failure.id),
    ]
    return sorted(found, key=lambda one: one.at)


def _waivers(
    connection: Connection, family: str, period: Period, bureau: str | None, failure: Failure
) -> Sequence[Step]:
    """The waivers of this rule at this place, also those for other figures: they say why the failure is there again."""
    one = decision.c
    rows = connection.execute(
        select(decision)
        .where(one.family == family, one.bureau_code == bureau, one.rule == failure.rule)
        .where(one.column_code.is_not_distinct_from(failure.column))
        .order_by(one.id)
    )
    return [
        Step(
            row.action, row.withdraws or row.id, row.decided_by, row.decided_at, row.reason,
            row.first_period if row.first_period == row.last_period else f"{row.first_period} – {row.last_period}",
        )
        for row in rows
        if tuple(row.indicators) == failure.indicators
        and Period.parse(row.first_period).start <= period.start
        and period.end <= Period.parse(row.last_period).end
    ]  # fmt: skip


def _of_return(connection: Connection, submission: int) -> Sequence[Step]:
    one = return_decision.c
    rows = connection.execute(select(return_decision).where(one.submission_id == submission).order_by(one.id))
    return [
        Step(_OF_RETURNS[row.action], row.undoes or row.id, row.decided_by, row.decided_at, row.reason) for row in rows
    ]


def _given(connection: Connection, family: str, period: Period, failure_id: str) -> Sequence[Step]:
    one = case_assignment.c
    rows = connection.execute(
        select(one.id, one.given_by, one.given_at, person.c.name)
        .outerjoin(person, person.c.id == one.person_id)
        .where(one.family == family, one.period == period.code, one.failure_id == failure_id)
        .order_by(one.id)
    )
    return [Step("assign", row.id, row.given_by, row.given_at, "", row.name or "—") for row in rows]
