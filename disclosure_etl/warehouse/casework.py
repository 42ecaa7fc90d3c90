"""What people say of cases, whose cases are, what they have seen, what they sent, and what waits for a second person's word.

Not here: decisions that change what counts (`decisions`, `returning`, `signing`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from disclosure_etl.warehouse import audit
from disclosure_etl.warehouse.audit import Act, Event
from disclosure_etl.warehouse.connection import storable
from disclosure_etl.warehouse.desk_tables import case_assignment, case_comment, person, proposal, upload, visit
from disclosure_etl.warehouse.tables import audit_event, document, submission
from schemas.errors import Message
from schemas.periods import Period

_CHANGES = (
    "load", "waive", "withdraw", "sign", "lock", "reopen", "release", "return_back", "return_withdrawn", "return_reinstated",
    "return_undone", "confirm", "restate", "restatement_withdrawn", "comment", "assign", "freeze", "proposal",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody said of a case."""

    text: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Proposal:
    """What waits for a second person's word, or has had it. `details` are those of the first person's wish."""

    number: int
    kind: str
    period: str
    content_hash: str
    details: Mapping[str, Any]
    by: str
    at: datetime
    ended_by: str | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came through the desk or its API, and what checking it came to."""

    key: str
    bureau: str
    family: str
    period: str
    digest: str
    file: str
    by: str
    at: datetime
    token: int | None
    idempotency: str | None
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fate:
    """Where bytes that came stand: waiting until a run has taken them, then the state of their return, or what else was found in
    them, with why."""

    state: str
    why: Message | None = None


WAITING = "waiting"


def _case(family: str, period: Period, failure_id: str) -> dict[str, str]:
    return {"family": family, "period": period.code, "failure_id": failure_id}


def comment(connection: Connection, act: Act, by: str, family: str, period: Period, failure_id: str, text: str) -> None:
    """Keep what somebody says of a case."""
    text = storable(text)
    row = {**_case(family, period, failure_id), "text": text, "said_by": by, "said_at": act.at}
    connection.execute(insert(case_comment).values(row))
    audit.append(connection, act, "comment", f"{family} {period}", {"failure": failure_id, "text": text})


def comments(connection: Connection, family: str, period: Period, failure_id: str) -> list[Comment]:
    """What was said of a case, the oldest first."""
    one = case_comment.c
    rows = connection.execute(
        select(one.text, one.said_by, one.said_at)
        .where(one.family == family, one.period == period.code, one.failure_id == failure_id)
        .order_by(one.id)
    )
    return [Comment(row.text, row.said_by, row.said_at) for row in rows]


def owner(connection: Connection, family: str, period: Period, failure_id: str) -> tuple[int, int | None]:
    """The number of the last assignment of a case (0 where there is none), and whose it is."""
    one = case_assignment.c
    row = connection.execute(
        select(one.id, one.person_id)
        .where(one.family == family, one.period == period.code, one.failure_id == failure_id)
        .order_by(one.id.desc())
        .limit(1)
    ).first()
    return (row.id, row.person_id) if row is not None else (0, None)


def assign(
    connection: Connection, act: Act, by: str, family: str, period: Period, failure_id: str, to: int | None
) -> None:
    """Give a case to somebody, or to nobody; as it is already, nothing is noted."""
    if owner(connection, family, period, failure_id)[1] == to:
        return
    row = {**_case(family, period, failure_id), "person_id": to, "given_by": by, "given_at": act.at}
    connection.execute(insert(case_assignment).values(row))
    login = connection.execute(select(person.c.login).where(person.c.id == to)).scalar() if to is not None else None
    audit.append(connection, act, "assign", f"{family} {period}", {"failure": failure_id, "to": login})


def events_since(
    connection: Connection, family: str, period: Period, number: int, most: int, but: Collection[str] = ()
) -> list[Event]:
    """What others than `but` did to a period since an event of the record, the newest first; judging and arriving aside."""
    one = audit_event.c
    subject = f"{family} {period.code}"
    rows = connection.execute(
        select(audit_event)
        .where(
            one.number > number,
            one.kind.in_(_CHANGES),
            one.actor.not_in(but),
            one.subject.startswith(subject, autoescape=True),
        )
        .order_by(one.number.desc())
        .limit(most)
    )
    return [
        Event(row.number, row.at, row.kind, row.actor, row.subject, row.details, row.previous, row.hash) for row in rows
    ]


def last_visit(connection: Connection, key: int, family: str, period: Period) -> tuple[int, datetime] | None:
    """Up to which event somebody has seen a period, and when; None where they never have."""
    where = (visit.c.person_id == key, visit.c.family == family, visit.c.period == period.code)
    row = connection.execute(select(visit.c.event, visit.c.at).where(*where)).first()
    return (row.event, row.at) if row is not None else None


def note_visit(connection: Connection, act: Act, key: int, family: str, period: Period) -> None:
    """Note that somebody sees a period as it is now."""
    head = connection.execute(select(func.max(audit_event.c.number))).scalar() or 0
    where = (visit.c.person_id == key, visit.c.family == family, visit.c.period == period.code)
    if not connection.execute(update(visit).where(*where).values(event=head, at=act.at)).rowcount:
        row = {"person_id": key, "family": family, "period": period.code, "event": head, "at": act.at}
        connection.execute(insert(visit).values(row))


# -- what takes two people


def _proposal(row: Row) -> Proposal:
    return Proposal(
        row.id, row.kind, row.period, row.content_hash, row.details, row.made_by, row.made_at, row.ended_by, row.outcome
    )


def open_proposal(connection: Connection, kind: str, family: str, period: Period) -> Proposal | None:
    """What waits for a second person's word."""
    one = proposal.c
    row = connection.execute(
        select(proposal)
        .where(one.kind == kind, one.family == family, one.period == period.code, one.outcome.is_(None))
        .order_by(one.id.desc())
        .limit(1)
    ).first()
    return _proposal(row) if row is not None else None


def propose(
    connection: Connection, act: Act, by: str, kind: str, family: str, period: Period, content_hash: str,
    details: Mapping[str, Any],
) -> Proposal:  # fmt: skip
    """Keep the first person's word, in the place of an earlier one that still waits."""
    if (before := open_proposal(connection, kind, family, period)) is not None:
        end_proposal(connection, act, by, before.number, "withdrawn")
    row = {
        "kind": kind, "family": family, "period": period.code, "content_hash": content_hash, "details": dict(details),
        "made_by": by, "made_at": act.at,
    }  # fmt: skip
    key = connection.execute(insert(proposal).values(row)).inserted_primary_key[0]  # type: ignore[index]
    audit.append(connection, act, "proposal", f"{family} {period}", {"number": key, "kind": kind, "by": by})
    return _proposal(connection.execute(select(proposal).where(proposal.c.id == key)).one())


def end_proposal(connection: Connection, act: Act, by: str, number: int, outcome: str) -> None:
    """Note what came of a proposal; one that has ended stays as it is."""
    waiting = (proposal.c.id == number, proposal.c.outcome.is_(None))
    ended = {"ended_by": by, "ended_at": act.at, "outcome": outcome}
    if connection.execute(update(proposal).where(*waiting).values(ended)).rowcount:
        told = {"number": number, "outcome": outcome, "by": by}
        where = connection.execute(select(proposal.c.family, proposal.c.period).where(proposal.c.id == number)).one()
        audit.append(connection, act, "proposal_ended", f"{where.family} {where.period}", told)


# -- what came through the desk


def _upload(row: Row) -> Upload:
    return Upload(
        row.id, row.bureau_code, row.family, row.period, row.digest, row.file, row.sent_by, row.sent_at, row.token_id,
        row.key, row.result,
    )  # fmt: skip


def keep_upload(connection: Connection, act: Act, one: Upload) -> Upload:
    """Note a file that came; of a sender's idempotency key the first stands, and is given back."""
    if one.token is not None and one.idempotency is not None:
        same = (upload.c.token_id == one.token, upload.c.key == one.idempotency)
        if (row := connection.execute(select(upload).where(*same)).first()) is not None:
            return _upload(row)
    connection.execute(
        insert(upload).values(
            id=one.key, bureau_code=one.bureau, family=one.family, period=one.period, digest=one.digest, file=one.file,
            sent_by=one.by, sent_at=one.at, token_id=one.token, key=one.idempotency, result=dict(one.result),
        )
    )  # fmt: skip
    told = {"upload": one.key, "digest": one.digest, "file": one.file, "by": one.by}
    audit.append(connection, act, "upload", f"{one.family} {one.period} {one.bureau}", told)
    return one


def upload_by_key(connection: Connection, key: str) -> Upload | None:
    """A file that came, by its public name."""
    row = connection.execute(select(upload).where(upload.c.id == key)).first()
    return _upload(row) if row is not None else None


def upload_with(connection: Connection, token: int, idempotency: str) -> Upload | None:
    """What a token has sent with an idempotency key."""
    same = (upload.c.token_id == token, upload.c.key == idempotency)
    row = connection.execute(select(upload).where(*same)).first()
    return _upload(row) if row is not None else None


def uploads(connection: Connection, bureau: str, most: int, skip: int = 0) -> list[Upload]:
    """What came of a bureau's, the newest first."""
    newest = (upload.c.sent_at.desc(), upload.c.id)
    statement = select(upload).where(upload.c.bureau_code == bureau).order_by(*newest).limit(most).offset(skip)
    return [_upload(row) for row in connection.execute(statement)]


def fates(connection: Connection, digests: Collection[str]) -> dict[str, Fate]:
    """Where bytes stand, by digest. What was read and is of a period that no run has loaded waits like what no run has seen."""
    found = dict.fromkeys(digests, Fate(WAITING))
    seen = document.c
    read = connection.execute(
        select(seen.digest, seen.status, seen.problem_zh, seen.problem_en).where(seen.digest.in_(digests))
    )
    for row in read:
        if row.status != "read":
            why = Message(row.problem_zh, row.problem_en) if row.problem_zh and row.problem_en else None
            found[row.digest] = Fate(row.status, why)
    stored = select(submission.c.digest, submission.c.status).where(submission.c.digest.in_(digests))
    return found | {row.digest: Fate(row.status) for row in connection.execute(stored)}
