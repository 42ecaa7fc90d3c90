"""What stewards decided of returns as a whole: sent back, withdrawn, reinstated; recorded once, never changed, undone by another
decision.

Not here: which return counts by that (`settling`), or decisions about single failures (`decisions`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, insert, select

from disclosure_etl.warehouse.connection import storable
from disclosure_etl.warehouse.decision_tables import return_decision
from disclosure_etl.warehouse.dimension_tables import dim_period
from disclosure_etl.warehouse.tables import receipt, submission
from schemas.returns import ReturnAction, ReturnDecision, StoredReturn
from schemas.states import State


@dataclass(frozen=True, slots=True)
class Standing:
    """What the decisions that stand make of a return. `reinstated`: the revision and receipt after which it counts anew, and
    the decision by which it does."""

    is_returned: bool = False
    is_withdrawn: bool = False
    reinstated: tuple[int, int, int] | None = None

    def rank(self, one) -> tuple[int, int, int, int]:  # one: a row of submission
        """The order of the returns of a bureau and period: by revision, then arrival; of a reinstated one by what had come
        when it was reinstated."""
        revision, arrival, decision = self.reinstated or (one.revision, one.arrival, 0)
        return revision, arrival, decision, one.id


def standing_of(connection: Connection, scope: Sequence[ColumnElement[bool]]) -> dict[int, Standing]:
    """What the decisions that stand make of the returns in `scope` (conditions on `submission`); those without any are not
    in it. The newest decision of a return counts, and a reinstatement also for the order."""
    found: dict[int, Standing] = {}
    rows = connection.execute(
        select(return_decision)
        .join(submission, submission.c.id == return_decision.c.submission_id)
        .where(*scope, return_decision.c.action != ReturnAction.UNDO.value, return_decision.c.id.not_in(_undone()))
        .order_by(return_decision.c.id)
    )
    for row in rows:
        before = found.get(row.submission_id, Standing())
        is_reinstated = row.action == ReturnAction.REINSTATE.value
        reinstated = (row.revision, row.arrival, row.id) if is_reinstated else before.reinstated
        found[row.submission_id] = Standing(
            row.action == ReturnAction.RETURN.value, row.action == ReturnAction.WITHDRAW.value, reinstated
        )
    return found


def _undone():
    """The decisions that were taken back, as a subquery."""
    return select(return_decision.c.undoes).where(return_decision.c.action == ReturnAction.UNDO.value)


def decide(connection: Connection, action: ReturnAction, one: StoredReturn, reason: str, by: str, at: datetime) -> int:
    """Record a decision of a return; its number."""
    values = {
        "action": action.value,
        "submission_id": one.key,
        "reason": storable(reason),
        "decided_by": storable(by),
        "decided_at": at,
    }
    if action is ReturnAction.REINSTATE:
        newest = connection.execute(
            select(func.max(submission.c.revision), func.max(submission.c.arrival))
            .join(dim_period, dim_period.c.id == submission.c.period_id)
            .where(
                submission.c.family == one.family,
                submission.c.bureau_code == one.bureau,
                dim_period.c.code == one.period,
            )
        ).one()
        last = connection.execute(select(func.max(receipt.c.id))).scalar() or 0
        values |= {"revision": newest[0], "arrival": max(newest[1], last)}
    return connection.execute(insert(return_decision).values(**values)).inserted_primary_key[0]  # type: ignore[index]


def undo(connection: Connection, decision: ReturnDecision, reason: str, by: str, at: datetime) -> None:
    """Record that a decision no longer stands."""
    connection.execute(
        insert(return_decision).values(
            action=ReturnAction.UNDO.value, undoes=decision.number, submission_id=decision.submission, reason=storable(reason),
            decided_by=storable(by), decided_at=at,
        )
    )  # fmt: skip


def decisions(connection: Connection, family: str) -> list[ReturnDecision]:
    """The decisions about a family's returns that stand, oldest first."""
    rows = connection.execute(
        select(return_decision, submission.c.digest, submission.c.bureau_code, dim_period.c.code)
        .join(submission, submission.c.id == return_decision.c.submission_id)
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(submission.c.family == family, return_decision.c.action != ReturnAction.UNDO.value)
        .where(return_decision.c.id.not_in(_undone()))
        .order_by(return_decision.c.id)
    )
    return [
        ReturnDecision(
            row.id, ReturnAction(row.action), row.submission_id, row.digest, row.bureau_code, row.code, row.reason,
            row.decided_by, row.decided_at,
        )
        for row in rows
    ]  # fmt: skip


def stored_returns(connection: Connection, family: str, period: str, bureau: str | None = None) -> list[StoredReturn]:
    """Every return that is stored for a period, whatever became of it, by bureau and in the order in which they count."""
    scope = [submission.c.family == family, dim_period.c.code == period]
    if bureau is not None:
        scope.append(submission.c.bureau_code == bureau)
    rows = connection.execute(
        select(submission, dim_period.c.code.label("period_code"))
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(*scope)
    ).all()
    within = (
        submission.c.id.in_(
            select(submission.c.id).join(dim_period, dim_period.c.id == submission.c.period_id).where(*scope)
        ),
    )
    decided = standing_of(connection, within)
    return [
        StoredReturn(
            row.id, row.digest, row.family, row.period_code, row.bureau_code, row.bureau_written, row.file, row.revision,
            row.received_at, State(row.status),
        )
        for row in sorted(rows, key=lambda one: (one.bureau_code or "", decided.get(one.id, Standing()).rank(one)))
    ]  # fmt: skip
