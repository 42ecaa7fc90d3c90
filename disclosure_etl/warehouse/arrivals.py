"""What arrived: receipts and documents by digest, before anything is made of them; and scans as attachments of returns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Connection, false, func, insert, select, text, update

from disclosure_etl.warehouse.connection import dialect_insert, storable
from disclosure_etl.warehouse.tables import attachment, document, receipt, submission
from disclosure_etl.warehouse.tables import run as run_table
from schemas.periods import Period
from schemas.records import ATTACHED, NO_RETURNS, DocumentRecord, Receipt

T = TypeVar("T")
_SETTLED = timedelta(seconds=10)  # some file systems tell times in steps of two seconds, and clocks of servers differ


def _fields(one: Receipt | DocumentRecord) -> dict[str, object]:
    """A flat record as a row; `asdict` would copy every value deeply."""
    values = ((name, getattr(one, name)) for name in type(one).__slots__)
    return {name: storable(value) if isinstance(value, str) else value for name, value in values}


def in_parts(items: Sequence[T], size: int = 500) -> Iterable[Sequence[T]]:
    """Slices that fit a database's limit of parameters."""
    return (items[start : start + size] for start in range(0, len(items), size))


def concerns(family: str, period: Period) -> ColumnElement[bool]:
    """Documents of a family and period, each of one period only: that of its name, else of its header, else of the run
    that first read it. Of one that could not be read nobody knows the family. Archives and attachments are none of them."""
    of_period = func.coalesce(document.c.named_period, document.c.claimed_period, document.c.seen_for) == period.code
    of_family = document.c.form.is_(None) | document.c.form.startswith(f"{family}/", autoescape=True)
    return of_period & of_family & document.c.status.not_in(NO_RETURNS)


def received_digests(connection: Connection) -> list[str]:
    """The digests of all bytes that were ever received, in order; of what could not be had there are none."""
    rows = connection.execute(select(receipt.c.digest).where(receipt.c.size > 0).distinct().order_by(receipt.c.digest))
    return list(rows.scalars())


def known_documents(connection: Connection, digests: Collection[str] | None = None) -> dict[str, DocumentRecord]:
    """All bytes that were ever read or refused, by digest; of these only, where they are given."""
    own = [document.c[name] for name in DocumentRecord.__slots__ if name != "loaded"]  # the last of them
    statement = select(*own, submission.c.id.is_not(None)).outerjoin(
        submission, submission.c.digest == document.c.digest
    )
    found: dict[str, DocumentRecord] = {}
    for part in [None] if digests is None else in_parts(sorted(digests)):
        rows = connection.execute(statement if part is None else statement.where(document.c.digest.in_(part)))
        found |= {row[0]: DocumentRecord(*row) for row in rows}
    return found


class Taken(NamedTuple):
    """What lies under a name of a source, as it was when it was taken: of files that could be read, and came by themselves."""

    digest: str
    size: int
    received_at: datetime


def taken(connection: Connection, source: str) -> dict[str, Taken]:
    """What of a source a look at its listing is enough for, by name: files that were read, unless they had been written right
    before, when a second writing may bear the same time."""
    begun = {
        row.id: row.started_at - _SETTLED for row in connection.execute(select(run_table.c.id, run_table.c.started_at))
    }
    rows = connection.execute(
        select(receipt.c.name, receipt.c.digest, receipt.c.size, receipt.c.received_at, receipt.c.run_id)
        .join(document, document.c.digest == receipt.c.digest)
        .where(receipt.c.source == source, receipt.c.replaced == false(), receipt.c.archive.is_(None))
        .where(document.c.status == "read")
    )
    return {name: Taken(digest, size, at) for name, digest, size, at, run in rows if at < begun[run]}


def first_receipts(connection: Connection, digests: Sequence[str]) -> dict[str, int]:
    """The receipt that first brought each of these bytes."""
    found: dict[str, int] = {}
    for part in in_parts(digests):
        rows = connection.execute(
            select(receipt.c.digest, func.min(receipt.c.id))
            .where(receipt.c.digest.in_(part))
            .group_by(receipt.c.digest)
        )
        found |= {row[0]: row[1] for row in rows}
    return found


def record_receipts(connection: Connection, run: str, receipts: Sequence[Receipt]) -> list[Receipt]:
    """Note arrivals: what has come under a new name, or in the place of something else under a known one; these."""
    fresh: dict[tuple[str, str], Receipt] = {(one.source, storable(one.name)): one for one in receipts}
    held: dict[tuple[str, str], str] = {}
    for current in _under(list(fresh)):
        rows = connection.execute(select(receipt.c.source, receipt.c.name, receipt.c.digest).where(current))
        held |= {(row.source, row.name): row.digest for row in rows}
    replacing = [name for name, one in fresh.items() if name in held and held[name] != one.digest]
    for current in _under(replacing):
        connection.execute(update(receipt).where(current).values(replaced=True))
    news = [one for name, one in fresh.items() if held.get(name) != one.digest]
    if news:
        values = [{**_fields(one), "run_id": run, "replaced": False, "gone": False} for one in news]
        connection.execute(insert(receipt), values)
    if replacing:
        _replace_contents(connection)
    return news


def _under(names: Sequence[tuple[str, str]]) -> Iterator[ColumnElement[bool]]:
    """The receipts of what lies under these names of sources now, a part at a time. Said as the index of them says it: with
    pairs in a list, or `IS 0`, every receipt that there ever was would be looked at."""
    by_source: dict[str, list[str]] = {}
    for source, name in names:
        by_source.setdefault(source, []).append(name)
    for source, own in by_source.items():
        for part in in_parts(own):
            yield (receipt.c.source == source) & receipt.c.name.in_(part) & (receipt.c.replaced == false())


def told(news: Sequence[Receipt]) -> dict[str, object]:
    """What the audit event of arrivals says of them: how many, and the SHA-256 over source, name and digest of each."""
    rows = sorted((one.source, storable(one.name), one.digest) for one in news)
    return {"receipts": len(rows), "sha256": hashlib.sha256(json.dumps(rows).encode()).hexdigest()}


def _replace_contents(connection: Connection) -> None:
    """What came in an archive in whose place another has come since, and is not in that."""
    own = receipt.alias("own")
    held = select(own.c.digest).where(own.c.replaced.is_(False), own.c.archive.is_(None))
    connection.execute(
        update(receipt)
        .where(receipt.c.archive.is_not(None), receipt.c.replaced.is_(False), receipt.c.archive.not_in(held))
        .values(replaced=True)
    )


def note_gone(connection: Connection, source: str, present: Collection[str]) -> None:
    """Note of files that could not be used whether they still lie at their source: one that was taken away is done with."""
    rows = connection.execute(
        select(receipt.c.id, receipt.c.name, receipt.c.gone)
        .join(document, document.c.digest == receipt.c.digest)
        .where(receipt.c.source == source, receipt.c.replaced.is_(False), document.c.status != "read")
    ).all()
    there = {storable(name) for name in present}
    for gone in (True, False):
        changed = [row.id for row in rows if _is_there(row.name, there) is not gone and row.gone is not gone]
        for part in in_parts(changed):
            connection.execute(update(receipt).where(receipt.c.id.in_(part)).values(gone=gone))


def _is_there(name: str, there: Collection[str]) -> bool:
    """Whether a file still lies at its source, or the archive that it is in."""
    return name in there or any(str(parent) in there for parent in PurePosixPath(name).parents)


def attach(connection: Connection, run: str, files: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Note sealed scans and copies as attachments; by their digest the return's.

    Args:
        files: by their digest, the digest of the return that they belong to, and their name.
    """
    keys: dict[str, int] = {}
    for part in in_parts(sorted({sent for sent, _ in files.values()})):
        rows = connection.execute(select(submission.c.digest, submission.c.id).where(submission.c.digest.in_(part)))
        keys |= {row.digest: row.id for row in rows}
    rows_of = [
        {"digest": digest, "submission_id": keys[sent], "file": storable(name), "run_id": run}
        for digest, (sent, name) in files.items()
        if sent in keys
    ]
    if rows_of:
        connection.execute(dialect_insert(connection, attachment).on_conflict_do_nothing(), rows_of)
        for part in in_parts([str(row["digest"]) for row in rows_of]):
            connection.execute(update(document).where(document.c.digest.in_(part)).values(status=ATTACHED))
    return {digest: sent for digest, (sent, _) in files.items() if sent in keys}


def record_documents(connection: Connection, seen_for: str, documents: Sequence[DocumentRecord]) -> None:
    """Note what was found in bytes; what is found anew replaces what was known (a program fault may be mended). Not of what a run
    has loaded or attached that began later and ended before: it found more than a reader that knew nothing of it."""
    if not documents:
        return
    rows = [{**_fields(one), "seen_for": seen_for} for one in documents]
    for row in rows:
        del row["loaded"]
    statement = dialect_insert(connection, document)
    replaced = {name: statement.excluded[name] for name in rows[0] if name != "digest"}
    open_yet = text(
        "document.status <> 'attached' AND NOT EXISTS (SELECT 1 FROM submission WHERE submission.digest = document.digest)"
    )
    connection.execute(statement.on_conflict_do_update(index_elements=["digest"], set_=replaced, where=open_yet), rows)
