"""What arrived: receipts and documents by digest, before anything is made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from disclosure_etl.warehouse.tables import document, receipt, submission
from schemas.records import Receipt

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """What is known of some bytes. `status`: read, unreadable or failed. `loaded`: a submission of it is stored."""

    digest: str
    status: str
    format: str | None = None
    problem_code: str | None = None
    problem_zh: str | None = None
    problem_en: str | None = None
    bureau_written: str | None = None
    claimed_period: str | None = None
    named_period: str | None = None
    form: str | None = None
    loaded: bool = False

    @classmethod
    def unreadable(cls, digest: str, named_period: str | None, code: str, zh: str, en: str) -> DocumentRecord:
        """Bytes that no reader could make a document of."""
        return cls(digest, "unreadable", None, code, zh, en, named_period=named_period)

    @classmethod
    def read(
        cls, digest: str, format: str, bureau_written: str, claimed: str | None, named: str | None, form: str
    ) -> DocumentRecord:
        """Bytes that were read; what they say of themselves."""
        return cls(
            digest, "read", format, bureau_written=bureau_written, claimed_period=claimed, named_period=named, form=form
        )

    @classmethod
    def failed(cls, digest: str, named_period: str | None, fault: str) -> DocumentRecord:
        """Bytes that the program failed on; they are tried again by the next run."""
        return cls(digest, "failed", None, "program_fault", fault, fault, named_period=named_period)


def _fields(one: Receipt | DocumentRecord) -> dict[str, object]:
    """A flat record as a row; `asdict` would copy every value deeply."""
    return {name: getattr(one, name) for name in type(one).__slots__}


def _insert(connection: Connection, table):  # the two dialects' own insert, which knows conflicts
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def in_parts(items: Sequence[T], size: int = 500) -> Iterable[Sequence[T]]:
    """Slices that fit a database's limit of parameters."""
    return (items[start : start + size] for start in range(0, len(items), size))


def known_documents(connection: Connection, digests: Sequence[str]) -> dict[str, DocumentRecord]:
    """What is known of each digest; unknown ones are left out."""
    found: dict[str, DocumentRecord] = {}
    for part in in_parts(digests):
        rows = connection.execute(
            select(document, submission.c.id.is_not(None).label("loaded"))
            .outerjoin(submission, submission.c.digest == document.c.digest)
            .where(document.c.digest.in_(part))
        )
        for row in rows.mappings():
            values = {name: row[name] for name in DocumentRecord.__slots__ if name != "loaded"}
            found[row["digest"]] = DocumentRecord(**values, loaded=bool(row["loaded"]))
    return found


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
    replaced = {name: statement.excluded[name] for name in rows[0] if name not in ("digest", "seen_for")}
    connection.execute(statement.on_conflict_do_update(index_elements=["digest"], set_=replaced), rows)
