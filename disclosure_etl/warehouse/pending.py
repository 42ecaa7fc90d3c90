"""What waits to be judged again or frozen anew because something it depends on has changed.

Noted in the very transaction that changes it, so that a run that ends in between leaves the work to the next one. Not here:
what depends on what (`judgement`), or doing it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, select

from disclosure_etl.warehouse.arrivals import in_parts
from disclosure_etl.warehouse.connection import insert_new
from disclosure_etl.warehouse.dimension_tables import dim_period
from disclosure_etl.warehouse.dimensions import period_id
from disclosure_etl.warehouse.standings import is_locked
from disclosure_etl.warehouse.tables import consolidation, pending, submission
from schemas.periods import Period

FREEZE = ""  # in the place of a bureau: nothing is to be judged, but the period's figures are to be frozen anew

Place = tuple[str, Period]  # a family and a period of it


@dataclass(frozen=True, slots=True)
class Dependents:
    """What depends on a period: returns that look back on it (`judged`), figures that contain it (`frozen`).

    `together`: the bureaus of the period itself that are judged at once; the others' lists may follow theirs. All where None.
    `heirs`: of each such place who looks back on whom, where that is not the bureau itself. `siblings`: in the period itself,
    the others whose openings have to fit a bureau's, since they share what was left to them.
    """

    judged: tuple[Place, ...] = ()
    frozen: tuple[Place, ...] = ()
    together: frozenset[str] | None = None
    heirs: Mapping[Place, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    siblings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A period with the bureaus that are to be judged again in it; none where it is only to be frozen anew."""

    family: str
    period: Period
    bureaus: frozenset[str]


def note_judgements(connection: Connection, places: Iterable[Place], bureaus: Collection[str]) -> None:
    """Note that these bureaus' returns of these periods are to be judged again, where they have sent any."""
    for family, period in places:
        for part in in_parts(sorted(bureaus)):
            sent = connection.execute(
                select(submission.c.period_id, submission.c.bureau_code)
                .join(dim_period, dim_period.c.id == submission.c.period_id)
                .where(submission.c.family == family, dim_period.c.code == period.code)
                .where(submission.c.bureau_code.in_(part))
                .distinct()
            )
            rows = [{"family": family, "period_id": row.period_id, "bureau_code": row.bureau_code} for row in sent]
            insert_new(connection, pending, rows, ["family", "period_id", "bureau_code"])


def note_dependents(connection: Connection, dependents: Dependents, bureaus: Collection[str]) -> None:
    """Note that whatever looks back on these bureaus' figures is to be judged again: their own returns of later periods, and
    those of whoever took over from them."""
    for place in dependents.judged:
        heirs = dependents.heirs.get(place, {})
        note_judgements(connection, [place], {*bureaus, *(heir for one in bureaus for heir in heirs.get(one, ()))})


def note_siblings(connection: Connection, place: Place, dependents: Dependents, bureaus: Collection[str]) -> None:
    """Note that the others are to be judged again who share with these bureaus what was left to them.

    Not needed where a period is judged as a whole: each is then held against what the others sent.
    """
    others = {other for one in bureaus for other in dependents.siblings.get(one, ())}
    note_judgements(connection, [place], others - set(bureaus))


def note_freezing(connection: Connection, places: Iterable[Place]) -> None:
    """Note that these periods are to be frozen anew, where they ever were frozen."""
    for family, period in places:
        key = connection.execute(
            select(consolidation.c.period_id)
            .join(dim_period, dim_period.c.id == consolidation.c.period_id)
            .where(consolidation.c.family == family, dim_period.c.code == period.code)
            .limit(1)
        ).scalar()
        if key is not None:
            rows = [{"family": family, "period_id": key, "bureau_code": FREEZE}]
            insert_new(connection, pending, rows, ["family", "period_id", "bureau_code"])


def next_waiting(connection: Connection) -> Waiting | None:
    """What is to be done first: the earliest period, and of two that end together the shorter. What waits in a locked year
    waits until it is reopened."""
    first = connection.execute(
        select(pending.c.family, dim_period.c.id, dim_period.c.code)
        .join(dim_period, dim_period.c.id == pending.c.period_id)
        .where(~is_locked(pending.c.family, dim_period.c.year))
        .order_by(dim_period.c.last_day, dim_period.c.first_day.desc(), pending.c.family)
        .limit(1)
    ).first()
    if first is None:
        return None
    codes = connection.execute(
        select(pending.c.bureau_code).where(pending.c.family == first.family, pending.c.period_id == first.id)
    ).scalars()
    return Waiting(first.family, Period.parse(first.code), frozenset(code for code in codes if code != FREEZE))


def settle_pending(connection: Connection, family: str, period: Period, bureaus: Collection[str]) -> None:
    """Note that it is done: these bureaus were judged again, or (`FREEZE`) the period was frozen anew."""
    key = period_id(connection, period)
    for part in in_parts(sorted(bureaus)):
        connection.execute(
            delete(pending).where(
                pending.c.family == family, pending.c.period_id == key, pending.c.bureau_code.in_(part)
            )
        )
