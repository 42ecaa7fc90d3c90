"""What arrived: receipts and documents by digest, before anything is made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, exists, select
from sqlalchemy.dialects import postgresql, sqlite

from disclosure_etl.warehouse.connection import storable
from disclosure_etl.warehouse.tables import document, receipt, submission
from schemas.periods import Period
from schemas.records import DocumentRecord, Receipt

T = TypeVar("T")


def _fields(one: Receipt | DocumentRecord) -> dict[str, object]:
    """A flat record as a row; `asdict` would copy every value deeply."""
    values = ((name, getattr(one, name)) for name in type(one).__slots__)
    return {name: storable(value) if isinstance(value, str) else value for name, value in values}


def _insert(connection: Connection, table):  # the two dialects' own insert, which knows conflicts
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def in_parts(items: Sequence[T], size: int = 500) -> Iterable[Sequence[T]]:
    """Slices that fit a database's limit of parameters."""
    return (items[start : start + size] for start in range(0, len(items), size))


def concerns(period: Period) -> ColumnElement[bool]:
    """Documents of a period: by their header or their name; by the run that first read them where neither tells."""
    told = (document.c.claimed_period == period.code) | (document.c.named_period == period.code)
    untold = document.c.claimed_period.is_(None) & document.c.named_period.is_(None)
    return told | (untold & (document.c.seen_for == period.code))


def is_replaced() -> ColumnElement[bool]:
    """Whether a receipt that gave nothing was sent again: a readable file came later from its source, under its name."""
    later, read = receipt.alias(), document.alias()
    return exists(
        select(later.c.id)
        .join(read, read.c.digest == later.c.digest)
        .where(later.c.source == receipt.c.source, later.c.name == receipt.c.name, later.c.id > receipt.c.id)
        .where(read.c.status == "read")
        .correlate(receipt)
    )


def known_documents(connection: Connection) -> dict[str, DocumentRecord]:
    """All bytes that were ever read or refused, by digest."""
    rows = connection.execute(
        select(document, submission.c.id.is_not(None).label("loaded")).outerjoin(
            submission, submission.c.digest == document.c.digest
        )
    )
    names = DocumentRecord.__slots__
    return {row["digest"]: DocumentRecord(*(row[name] for name in names)) for row in rows.mappings()}


def record_receipts(connection: Connection, run: str, receipts: Sequence[Receipt]) -> None:
    """Note arrivals; the same bytes under the same name from the same source arrive once."""
    if receipts:
        statement = _insert(connection, receipt).on_conflict_do_nothing(index_elements=["source", "name", "digest"])
        connection.execute(statement, [{**_fields(one), "run_id": run} for one in receipts])


def record_documents(connection: Connection, seen_for: str, documents: Sequence[DocumentRecord]) -> None:
    """Note what was found in bytes; what is found anew replaces what was known (a program fault may be mended)."""
    if not documents:
        return
    rows = [{**_fields(one), "seen_for": seen_for} for one in documents]
    for row in rows:
        del row["loaded"]
    statement = _insert(connection, document)
    replaced = {name: statement.excluded[name] for name in rows[0] if name != "digest"}
    connection.execute(statement.on_conflict_do_update(index_elements=["digest"], set_=replaced), rows)
