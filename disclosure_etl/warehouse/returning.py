"""Deciding of a return as a whole, and at once which one counts by that: recorded, settled, and noted what waits for it.

Not here: what the decisions that stand make of a return (`return_decisions`).
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, func, insert, select

from disclosure_etl.warehouse import audit, moves
from disclosure_etl.warehouse.audit import Act
from disclosure_etl.warehouse.connection import storable
from disclosure_etl.warehouse.decision_tables import return_decision
from disclosure_etl.warehouse.dimension_tables import dim_period
from disclosure_etl.warehouse.dimensions import period_id
from disclosure_etl.warehouse.listed import note_followers
from disclosure_etl.warehouse.pending import Dependents, note_dependents, note_freezing, note_judgements, note_siblings
from disclosure_etl.warehouse.settling import settle
from disclosure_etl.warehouse.tables import receipt, submission
from schemas.forms import Form
from schemas.periods import Period
from schemas.returns import ReturnAction, ReturnDecision, StoredReturn

_KINDS = {  # of audit events
    ReturnAction.RETURN: "return_back",
    ReturnAction.WITHDRAW: "return_withdrawn",
    ReturnAction.REINSTATE: "return_reinstated",
    ReturnAction.UNDO: "return_undone",
}


def decide(
    connection: Connection,
    act: Act,
    form: Form,
    action: ReturnAction,
    one: StoredReturn,
    reason: str,
    dependents: Dependents,
) -> int:
    """Decide of a return; the decision's number."""
    values = {"action": action.value, "submission_id": one.key, **_said(act, reason)}
    if action is ReturnAction.REINSTATE:
        values |= _after_all(connection, one)
    number = connection.execute(insert(return_decision).values(**values)).inserted_primary_key[0]  # type: ignore[index]
    told = {"decision": number, "digest": one.digest, "reason": reason}
    _put_into_force(connection, act, form, _KINDS[action], one.bureau, one.period, told, dependents)
    return number


def undo(
    connection: Connection, act: Act, form: Form, decision: ReturnDecision, reason: str, dependents: Dependents
) -> None:
    """Take a decision back."""
    values = {"action": ReturnAction.UNDO.value, "undoes": decision.number, "submission_id": decision.submission}
    connection.execute(insert(return_decision).values(**values, **_said(act, reason)))
    told = {"decision": decision.number, "digest": decision.digest, "reason": reason}
    kind = _KINDS[ReturnAction.UNDO]
    _put_into_force(connection, act, form, kind, decision.bureau, decision.period, told, dependents)


def _said(act: Act, reason: str) -> dict[str, object]:
    return {"reason": storable(reason), "decided_by": storable(act.actor), "decided_at": act.at}


def _after_all(connection: Connection, one: StoredReturn) -> dict[str, int]:
    """The highest revision, and the last receipt, of all that has come of the bureau for the period."""
    revision, arrival = connection.execute(
        select(func.max(submission.c.revision), func.max(submission.c.arrival))
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(submission.c.family == one.family, submission.c.bureau_code == one.bureau)
        .where(dim_period.c.code == one.period)
    ).one()
    last = connection.execute(select(func.max(receipt.c.id))).scalar() or 0
    return {"revision": revision, "arrival": max(arrival, last)}


def _put_into_force(
    connection: Connection,
    act: Act,
    form: Form,
    kind: str,
    bureau: str | None,
    code: str,
    told: Mapping[str, object],
    dependents: Dependents,
) -> None:
    assert bureau is not None
    period, family = Period.parse(code), form.family
    settled = settle(connection, family, period_id(connection, period), [bureau])
    subject = f"{family} {period} {bureau}"
    if not moves.make(connection, act, kind, subject, settled.states, **told):
        audit.append(connection, act, kind, subject, told)
    # A return that takes part again was not judged while it did not.
    note_judgements(connection, [(family, period)], [bureau])
    note_freezing(connection, [(family, period), *dependents.frozen])
    note_dependents(connection, dependents, settled.changed)
    note_siblings(connection, (family, period), dependents, settled.changed)
    note_followers(connection, form, period, settled.changed, dependents.together)
