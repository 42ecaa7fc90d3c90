"""Whether all that the warehouse holds hangs together: the record, the moves, references, every frozen version, the sums.

Each check is one pass over tables, and tells the first few places where it does not hold. Nothing is mended here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, text

from disclosure_etl.bureaus import Duty
from disclosure_etl.warehouse import audit, moves, versions
from disclosure_etl.warehouse.dimension_tables import dim_cell, dim_form, dim_period
from disclosure_etl.warehouse.tables import (
    audit_event,
    consolidation,
    consolidation_member,
    fact_observation,
    pending,
    submission,
)
from schemas.forms import Form
from schemas.periods import Period
from schemas.states import MOVES, State

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Verified:
    """One check: how many things it looked at, and those that do not hold, the first few of them named."""

    what: str
    checked: int
    wrong: int = 0
    places: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return self.wrong == 0


@dataclass(frozen=True)
class Due:
    """A period as the office is configured now, for the figures to be added up again."""

    form: Form
    period: Period
    duty: Duty


def verify(connection: Connection, due: Sequence[Due], anchor: str | None = None) -> list[Verified]:
    """Run all checks in one consistent view.

    Args:
        due: the periods whose newest version is to be added up again from the facts.
        anchor: the hash of an event, or its beginning, as it was printed.
    """
    return [
        _chain(connection, anchor),
        _result("moves", *_moves(connection)),
        _result("references", *_references(connection)),
        _result("versions", *_versions(connection)),
        _result("figures", *_figures(connection, due)),
    ]


def _result(what: str, checked: int, wrong: Sequence[str]) -> Verified:
    return Verified(what, checked, len(wrong), tuple(wrong[:_SHOWN]))


def _chain(connection: Connection, anchor: str | None) -> Verified:
    found = audit.verify(connection, anchor)
    wrong = [f"#{found.broken.number} {found.broken.what}"] if found.broken else []
    if found.anchored is False:
        wrong.append(f"anchor {anchor}")
    return _result("chain", found.events, wrong)


def _moves(connection: Connection) -> tuple[int, list[str]]:
    """Each event vouches for its moves; each return's moves follow on each other and end where it stands."""
    told = {
        row.number: (row.details.get("moves", 0), row.details.get("moves_sha256"))
        for row in connection.execute(select(audit_event.c.number, audit_event.c.details))
        if "moves_sha256" in row.details
    }
    made = moves.by_event(connection)
    wrong = []
    for event in sorted({*told, *made}):
        own = moves.vouched(made.get(event, ()))
        if told.get(event) != (own["moves"], own["moves_sha256"]):
            wrong.append(f"event #{event}")
    courses: dict[int, list[moves.Move]] = defaultdict(list)
    for event in sorted(made):
        for one in made[event]:
            courses[one.submission].append(one)
    for key, status in connection.execute(select(submission.c.id, submission.c.status)).all():
        if not _is_course(sorted(courses.pop(key, []), key=lambda one: one.place), status):
            wrong.append(f"submission {key}")
    return sum(map(len, made.values())), wrong + [f"submission {key}" for key in courses]


def _is_course(course: Sequence[moves.Move], status: str) -> bool:
    at = State.RECEIVED.value
    for place, one in enumerate(course, 1):
        if (one.place, one.before) != (place, at) or one.after not in MOVES[State(one.before)]:
            return False
        at = one.after
    return bool(course) and at == status


def _references(connection: Connection) -> tuple[int, list[str]]:
    """Nothing refers to what is not there; facts, for which the database does not see to that itself, among it."""
    wrong = []
    if connection.dialect.name == "sqlite":  # it can be told not to look
        wrong = [f"{row[0]} row {row[1]} → {row[2]}" for row in connection.execute(text("PRAGMA foreign_key_check"))]
    number = connection.execute(select(func.count()).select_from(fact_observation)).scalar_one()
    for column, table in ((fact_observation.c.submission_id, submission), (fact_observation.c.cell_id, dim_cell)):
        lost = connection.execute(
            select(column, func.count()).where(column.not_in(select(table.c.id))).group_by(column).order_by(column)
        )
        wrong += [f"fact_observation {column.name} {row[0]} ({row[1]})" for row in lost]
    return number, wrong


def _versions(connection: Connection) -> tuple[int, list[str]]:
    """Every frozen version says what its hash says, and what the record says of it; its account is conserved."""
    told = {
        (row.subject, row.details["version"]): row.details["content_hash"]
        for row in connection.execute(select(audit_event).where(audit_event.c.kind == "freeze"))
    }
    members: dict[int, list[tuple]] = defaultdict(list)
    for row in connection.execute(select(consolidation_member)):
        members[row.consolidation_id].append((row.bureau_code, row.block, row.submission_id, row.accepted))
    rows = connection.execute(
        select(
            consolidation.c.id, consolidation.c.family, consolidation.c.version, dim_period.c.code, dim_form.c.digest
        )
        .join(dim_period, dim_period.c.id == consolidation.c.period_id)
        .join(dim_form, dim_form.c.id == consolidation.c.form_id)
        .order_by(consolidation.c.id)
    ).all()
    wrong = []
    for row in rows:
        period = Period.parse(row.code)
        one = versions.newest(connection, row.family, period, row.version)
        assert one is not None
        if not one.content_hash:  # taken over from before this warehouse
            continue
        hashed = versions.content_hash(row.digest, period, one, members[row.id])
        name = f"{row.family} {row.code}"
        kept = told.get((name, row.version), one.content_hash)  # older ones were frozen before there was a record
        conserved = one.found == sum(one.counts.values()) and one.cells_read == one.cells_loaded + one.cells_parked
        if not hashed == one.content_hash == kept or not conserved:
            wrong.append(f"{name} v{row.version}")
    return len(rows), wrong


def _figures(connection: Connection, due: Sequence[Due]) -> tuple[int, list[str]]:
    """The newest version of each period is what adding up gives now; one for which work waits is not looked at."""
    waits = {
        (row.family, row.code)
        for row in connection.execute(
            select(pending.c.family, dim_period.c.code).join(dim_period, dim_period.c.id == pending.c.period_id)
        )
    }
    checked, wrong = 0, []
    for one in due:
        family, period = one.form.family, one.period
        last = versions.newest(connection, family, period)
        if last is None or not last.content_hash or (family, period.code) in waits:
            continue
        now = versions.figures_now(connection, one.form, period, one.duty, without_held=last.without_held)
        checked += len(now)
        wrong += [f"{family} {period} {name}" for name in _differing(last.figures, now)]
    return checked, wrong


def _differing(frozen: Sequence, now: Sequence) -> Iterator[str]:
    before = {(one.indicator, one.column, one.measure): (one.value, one.scale) for one in frozen}
    after = {(one.indicator, one.column, one.measure): (one.value, one.scale) for one in now}
    for place in sorted({*before, *after}):
        if before.get(place) != after.get(place):
            yield "/".join(place[:2])
