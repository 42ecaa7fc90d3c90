"""What stewards decided of returns as a whole: sent back, withdrawn, reinstated; recorded once, never changed, undone by another
decision.

Not here: deciding (`returning`), which return counts by that (`settling`), or decisions about single failures (`decisions`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, select

from disclosure_etl.warehouse.decision_tables import return_decision
from disclosure_etl.warehouse.dimension_tables import dim_period
from disclosure_etl.warehouse.tables import submission
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


UNDECIDED = Standing()


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


def reinstated():
    """Of each reinstated return: after which receipt it counts, as a subquery."""
    return (
        select(return_decision.c.submission_id, func.max(return_decision.c.arrival).label("arrival"))
        .where(return_decision.c.action == ReturnAction.REINSTATE.value, return_decision.c.id.not_in(_undone()))
        .group_by(return_decision.c.submission_id)
        .subquery()
    )


def _undone():
    """The decisions that were taken back, as a subquery."""
    return select(return_decision.c.undoes).where(return_decision.c.action == ReturnAction.UNDO.value)


def decisions(connection: Connection, family: str, of: int | None = None) -> list[ReturnDecision]:
    """The decisions about a family's returns that stand, oldest first; about one of them where `of` is its key."""
    wanted = [return_decision.c.submission_id == of] if of is not None else []
    return [_decision(row) for row in connection.execute(_standing(family).where(*wanted))]


def sent_back(connection: Connection, family: str, bureau: str) -> list[tuple[ReturnDecision, str]]:
    """What of a bureau's returns is sent back and not corrected yet, oldest first, each with the file as it was received."""
    rows = connection.execute(
        _standing(family).where(
            submission.c.bureau_code == bureau,
            submission.c.status == State.RETURNED.value,
            return_decision.c.action == ReturnAction.RETURN.value,
        )
    )
    return [(_decision(row), row.file) for row in rows]


def _standing(family: str):
    return (
        select(return_decision, submission.c.digest, submission.c.bureau_code, submission.c.file, dim_period.c.code)
        .join(submission, submission.c.id == return_decision.c.submission_id)
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(submission.c.family == family, return_decision.c.action != ReturnAction.UNDO.value)
        .where(return_decision.c.id.not_in(_undone()))
        .order_by(return_decision.c.id)
    )


def _decision(row) -> ReturnDecision:  # row: of `_standing`
    return ReturnDecision(
        row.id, ReturnAction(row.action), row.submission_id, row.digest, row.bureau_code, row.code, row.reason,
        row.decided_by, row.decided_at,
    )  # fmt: skip


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
        for row in sorted(rows, key=lambda one: (one.bureau_code or "", decided.get(one.id, UNDECIDED).rank(one)))
    ]  # fmt: skip
