"""Restatements: recorded once, never changed, withdrawn by another row; those that stand, and what they do to sums.

Not here: what may be restated (`schemas.restatements`), or what it does to a verdict (`judgement`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, insert, select

from disclosure_etl.warehouse import audit
from disclosure_etl.warehouse.audit import Act
from disclosure_etl.warehouse.connection import storable
from disclosure_etl.warehouse.decision_tables import restatement
from disclosure_etl.warehouse.dimension_tables import dim_period
from disclosure_etl.warehouse.dimensions import period_id
from disclosure_etl.warehouse.pending import Dependents, note_freezing, note_judgements
from disclosure_etl.warehouse.tables import consolidation
from schemas.consolidation import Booked, BureauFigure
from schemas.forms import Form
from schemas.periods import Period
from schemas.restatements import ReasonCode, Restatement

_RESTATE, _WITHDRAW = "restate", "withdraw"


def standing(
    connection: Connection, family: str, periods: Collection[str] | None = None, version: int | None = None
) -> list[Restatement]:
    """The restatements of a family's periods (of all where None) that were not withdrawn, oldest first; or had not been when the
    version of this key was frozen."""
    withdrawn = select(restatement.c.withdraws).where(restatement.c.action == _WITHDRAW)
    then = select(consolidation.c.frozen_at).where(consolidation.c.id == version).scalar_subquery()
    if version is not None:
        withdrawn = withdrawn.where(restatement.c.decided_at <= then)
    statement = (
        select(restatement, dim_period.c.code.label("period"))
        .join(dim_period, dim_period.c.id == restatement.c.period_id)
        .where(restatement.c.family == family, restatement.c.action == _RESTATE, restatement.c.id.not_in(withdrawn))
        .order_by(restatement.c.id)
    )
    if periods is not None:
        statement = statement.where(dim_period.c.code.in_(sorted(periods)))
    if version is not None:
        statement = statement.where(restatement.c.decided_at <= then)
    return [
        Restatement(
            row.id, row.family, row.period, row.bureau_code, row.indicator, row.column_code, row.amount, row.scale,
            ReasonCode(row.code), row.reason, row.decided_by, row.decided_at,
        )
        for row in connection.execute(statement)
    ]  # fmt: skip


def booked_in(connection: Connection, keys: Collection[int]) -> list[Booked]:
    """The restatements that these frozen versions booked."""
    rows = connection.execute(
        select(consolidation.c.account["restatements"]).where(consolidation.c.id.in_(sorted(keys)))
    ).scalars()
    return [Booked(**one) for booked in rows for one in booked or ()]


def restate(connection: Connection, act: Act, one: Restatement, dependents: Dependents) -> Restatement:
    """Record a restatement (whose own number counts for nothing); the same one twice is one."""
    for known in standing(connection, one.family, [one.period]):
        if replace(known, number=0, reason="", by="", at=one.at) == replace(one, number=0, reason="", by=""):
            return known
    key = _insert(connection, one, act, _RESTATE)
    recorded = replace(one, number=key)
    audit.append(connection, act, "restate", _subject(one), told(recorded))
    _note(connection, one, dependents)
    return recorded


def withdraw(connection: Connection, act: Act, one: Restatement, reason: str, dependents: Dependents) -> None:
    """Record that a restatement no longer stands."""
    _insert(connection, replace(one, reason=reason), act, _WITHDRAW, withdraws=one.number)
    audit.append(connection, act, "restatement_withdrawn", _subject(one), {**told(one), "reason": reason})
    _note(connection, one, dependents)


def _insert(connection: Connection, one: Restatement, act: Act, action: str, withdraws: int | None = None) -> int:
    values = {
        "action": action, "withdraws": withdraws, "family": one.family,
        "period_id": period_id(connection, Period.parse(one.period)), "bureau_code": one.bureau,
        "indicator": one.indicator, "column_code": one.column, "amount": one.amount, "scale": one.scale,
        "code": one.code.value, "reason": storable(one.reason), "decided_by": storable(act.actor), "decided_at": act.at,
    }  # fmt: skip
    return connection.execute(insert(restatement).values(**values)).inserted_primary_key[0]  # type: ignore[index]


def _subject(one: Restatement) -> str:
    return f"{one.family} {one.period} {one.bureau}"


def told(one: Restatement) -> dict[str, object]:
    """What the audit event, and the account of a version, say of it."""
    return {
        "number": one.number, "bureau": one.bureau, "period": one.period, "indicator": one.indicator, "column": one.column,
        "amount": one.amount, "scale": one.scale, "code": one.code.value, "reason": one.reason, "by": one.by,
    }  # fmt: skip


def _note(connection: Connection, one: Restatement, dependents: Dependents) -> None:
    place = (one.family, Period.parse(one.period))
    later = dependents.frozen  # the rest of the year balances with it, too
    for concerned in dict.fromkeys([place, *dependents.judged, *later]):
        heirs = dependents.heirs.get(concerned, {}).get(one.bureau, ())
        note_judgements(connection, [concerned], {one.bureau, *heirs})
    note_freezing(connection, [place, *later])


def with_restated(
    form: Form, found: Iterable[BureauFigure], booked: Sequence[Restatement | Booked], columns: Mapping[str, str]
) -> list[BureauFigure]:
    """Bureaus' figures over a longer time with what was restated of its cumulatives.

    Args:
        booked: the restatements of that time; columns: by the column of a cumulative, the one that the figures are in.
    """
    amounts: dict[tuple[str, str, str], int] = {}
    for one in booked:
        if one.column in columns and is_flow(form, one.indicator):
            key = (one.bureau, one.indicator, columns[one.column])
            amounts[key] = amounts.get(key, 0) + one.amount
    told: list[BureauFigure] = []
    for figure in found:
        amount = amounts.pop((figure.bureau, figure.indicator, figure.column), 0)
        told.append(replace(figure, value=(figure.value or 0) + amount) if amount else figure)
    for (bureau, indicator, column), amount in amounts.items():  # nothing else of theirs counts, but this does
        if amount and (cell := form.figure_cell(indicator, column)) is not None:
            told.append(BureauFigure(bureau, indicator, column, cell.measure, amount, cell.scale, True))
    return told


def is_flow(form: Form, indicator: str) -> bool:
    """Whether a cumulative of it adds up, so that a restated amount adds to it as well."""
    return indicator in form.indicators and not form.indicators[indicator].is_stock
