"""The record of what was done: events in a chain of hashes, each appended in the transaction of what it tells of.

Triggers refuse to change or remove one, on both databases. Whoever goes around them and rewrites the chain is found out by an
anchor, the hash of any event that was printed before. Not here: what an event is about (each is told by whoever does it).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select

from disclosure_etl.warehouse.connection import storable
from disclosure_etl.warehouse.tables import audit_event

GENESIS = "0" * 64  # what the first event follows
SHORTEST_ANCHOR = 12  # signs of a hash that say which event is meant


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something, and when; `run` is the run in which it is done."""

    actor: str
    at: datetime
    run: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `hash` is the SHA-256 of everything else in it, `previous` the hash of the event before."""

    number: int
    at: datetime
    kind: str
    actor: str
    subject: str
    details: Mapping[str, Any]
    previous: str
    hash: str

    @property
    def told(self) -> str:
        """What the hash is taken of: one line of JSON, keys sorted, the moment in UTC."""
        return _told(self.number, self.at, self.kind, self.actor, self.subject, self.details, self.previous)


@dataclass(frozen=True, slots=True)
class Broken:
    """The first place at which the chain does not hold: what was expected there, and what stands there."""

    number: int
    what: str
    expected: str
    seen: str


@dataclass(frozen=True, slots=True)
class ChainVerified:
    """What came of verifying: how many events hold from the first on, the head, and what breaks the chain, if anything.
    `anchored`: whether the anchor is the hash of an event that holds; None where none was given."""

    events: int
    head: str
    broken: Broken | None
    anchored: bool | None


def _told(
    number: int, at: datetime, kind: str, actor: str, subject: str, details: Mapping[str, Any], previous: str
) -> str:
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    return json.dumps(
        [number, moment, kind, actor, subject, details, previous],
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )


def append(connection: Connection, act: Act, kind: str, subject: str, details: Mapping[str, Any]) -> Event:
    """Append an event to the chain. The connection is a writer's, of which there is one at a time."""
    [event] = append_all(connection, act, kind, [(subject, details)])
    return event


def append_all(
    connection: Connection, act: Act, kind: str, subjects: Iterable[tuple[str, Mapping[str, Any]]]
) -> list[Event]:
    """Append an event for each subject with its details, in their order, in one go."""
    last = connection.execute(
        select(audit_event.c.number, audit_event.c.hash).order_by(audit_event.c.number.desc()).limit(1)
    ).first()
    number, previous = (last.number, last.hash) if last else (0, GENESIS)
    moment, who, found = act.at.astimezone(UTC), storable(act.actor), []
    for subject, details in subjects:
        kept = _storable({**details, "run": act.run} if act.run else details)
        number, what = number + 1, storable(subject)
        told = _told(number, moment, kind, who, what, kept, previous)
        event = Event(number, moment, kind, who, what, kept, previous, hashlib.sha256(told.encode()).hexdigest())
        found.append(event)
        previous = event.hash
    if found:
        connection.execute(insert(audit_event), [asdict(one) for one in found])
    return found


def _storable(told: Any) -> Any:
    """Details as the database gives them back."""
    match told:
        case str():
            return storable(told)
        case Mapping():
            return {str(name): _storable(one) for name, one in told.items()}
        case list() | tuple():
            return [_storable(one) for one in told]
    return told


def head(connection: Connection) -> Event | None:
    """The newest event."""
    return next(_events(connection, newest_first=True), None)


def events(connection: Connection, kind: str | None = None, subject: str | None = None, after: int = 0) -> list[Event]:
    """Events from the oldest on: of a kind, of a subject or what begins with it, and after that of a number."""
    wanted = [audit_event.c.number > after, *([audit_event.c.kind == kind] if kind is not None else [])]
    return [one for one in _events(connection, of=wanted) if subject is None or one.subject.startswith(subject)]


def listed(
    connection: Connection, kind: str, actor: str, subject: str, skip: int, most: int
) -> tuple[list[Event], int]:
    """A page of events, the newest first, and how many there are in all: of a kind, by somebody, of a subject with that in it."""
    one = audit_event.c
    wanted = [one.kind == kind] * bool(kind) + [one.actor.contains(actor, autoescape=True)] * bool(actor)
    wanted += [one.subject.contains(subject, autoescape=True)] * bool(subject)
    number = connection.execute(select(func.count()).select_from(audit_event).where(*wanted)).scalar_one()
    rows = connection.execute(select(audit_event).where(*wanted).order_by(one.number.desc()).offset(skip).limit(most))
    return [_event(row) for row in rows], number


def kinds(connection: Connection) -> list[str]:
    """The kinds of events that there are."""
    return list(connection.execute(select(audit_event.c.kind).distinct().order_by(audit_event.c.kind)).scalars())


def freezing(connection: Connection, family: str, period: str, version: int) -> Event | None:
    """The event by which a version was frozen; None of what was taken over from before there was a record."""
    told = _events(connection, of=(audit_event.c.kind == "freeze", audit_event.c.subject == f"{family} {period}"))
    return next((one for one in told if one.details["version"] == version), None)


def _events(
    connection: Connection, *, newest_first: bool = False, of: Sequence[ColumnElement[bool]] = ()
) -> Iterator[Event]:
    order = audit_event.c.number.desc() if newest_first else audit_event.c.number
    for row in connection.execute(select(audit_event).where(*of).order_by(order)):
        yield _event(row)


def _event(row: Row) -> Event:
    return Event(row.number, row.at, row.kind, row.actor, row.subject, row.details, row.previous, row.hash)


def last_told(connection: Connection, kind: str, name: str) -> Any:
    """What the newest event of a kind says under `name`; None where there is none."""
    details = connection.execute(
        select(audit_event.c.details).where(audit_event.c.kind == kind).order_by(audit_event.c.number.desc()).limit(1)
    ).scalar()
    return details.get(name) if details else None


def verify(connection: Connection, anchor: str | None = None) -> ChainVerified:
    """Recompute the chain from its first event.

    Args:
        anchor: the hash of an event, or its beginning, as it was printed when the event was the newest.
    """
    previous, count, anchored = GENESIS, 0, False
    for event in _events(connection):
        for what, expected, seen in (
            ("number", str(count + 1), str(event.number)),
            ("previous", previous, event.previous),
            ("hash", hashlib.sha256(event.told.encode()).hexdigest(), event.hash),
        ):
            if expected != seen:
                return ChainVerified(count, previous, Broken(count + 1, what, expected, seen), _found(anchor, anchored))
        count, previous = count + 1, event.hash
        anchored = anchored or (anchor is not None and event.hash.startswith(anchor))
    return ChainVerified(count, previous, None, _found(anchor, anchored))


def _found(anchor: str | None, anchored: bool) -> bool | None:
    return None if anchor is None else anchored
