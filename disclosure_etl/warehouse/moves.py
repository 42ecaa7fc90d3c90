"""The course of each return: every change of its state with the audit event that vouches for it.

Not here: which state a return is in (`loading`), or the chain (`audit`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, select, update

from disclosure_etl.warehouse import audit
from disclosure_etl.warehouse.arrivals import in_parts
from disclosure_etl.warehouse.audit import Act
from disclosure_etl.warehouse.connection import bulk
from disclosure_etl.warehouse.tables import state_change, submission
from schemas.states import State

_COLUMNS = ["submission_id", "place", "before", "after", "event"]


class Move(NamedTuple):
    """One change of state."""

    submission: int
    place: int
    before: str
    after: str


def make(
    connection: Connection, act: Act, kind: str, subject: str, after: Mapping[int, str], **details: object
) -> bool:
    """Move returns, and append the event that tells of it; whether any moved.

    Args:
        after: by submission, its new state; those that are in it already make no move.
        details: what else the event tells.

    Raises:
        IntegrityError: a move that `schemas.states` does not list; the database refuses it.
    """
    before: dict[int, str] = {}
    places: dict[int, int] = {}
    for part in in_parts(sorted(after)):
        rows = connection.execute(select(submission.c.id, submission.c.status).where(submission.c.id.in_(part)))
        before |= {row.id: row.status for row in rows}
        last = connection.execute(
            select(state_change.c.submission_id, func.max(state_change.c.place).label("place"))
            .where(state_change.c.submission_id.in_(part))
            .group_by(state_change.c.submission_id)
        )
        places |= {row.submission_id: row.place for row in last}
    moves = [
        Move(key, places.get(key, 0) + 1, before[key], state)
        for key, state in sorted(after.items())
        if before[key] != state
    ]
    if not moves:
        return False
    connection.execute(
        update(submission).where(submission.c.id == bindparam("key")),
        [{"key": one.submission, "status": one.after} for one in moves],
    )
    event = audit.append(connection, act, kind, subject, {**details, **vouched(moves)})
    bulk(connection, state_change, ((*one, event.number) for one in moves), _COLUMNS)
    return True


def make_known(connection: Connection, act: Act, details: Mapping[str, object]) -> None:
    """Append the event that the schema is of another version; what returns were stored before there was any record of their
    moves is known from here on."""
    known = select(state_change.c.submission_id)
    rows = connection.execute(
        select(submission.c.id, submission.c.status).where(submission.c.id.not_in(known)).order_by(submission.c.id)
    )
    moves = [Move(row.id, 1, State.RECEIVED.value, row.status) for row in rows]
    event = audit.append(connection, act, "schema", "", {**details, **vouched(moves)})
    bulk(connection, state_change, ((*one, event.number) for one in moves), _COLUMNS)


def vouched(moves: Iterable[Move]) -> dict[str, object]:
    """What an event tells of the moves that it vouches for: how many, and the SHA-256 over them."""
    rows = sorted(moves)
    return {"moves": len(rows), "moves_sha256": hashlib.sha256(json.dumps(rows).encode()).hexdigest()}


def by_event(connection: Connection) -> dict[int, list[Move]]:
    """All moves, by the event that vouches for them."""
    found: dict[int, list[Move]] = {}
    for row in connection.execute(select(state_change)):
        found.setdefault(row.event, []).append(Move(row.submission_id, row.place, row.before, row.after))
    return found
