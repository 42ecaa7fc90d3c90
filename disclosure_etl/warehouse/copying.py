"""All that a warehouse holds as rows of text, of whatever schema version and database; and into an empty one from them.

One form serves for keeping a copy and for moving from SQLite to PostgreSQL or back: the chain of events comes along as it is.
Not here: the file around it (`disclosure_etl.keeping`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any

from alembic import command
from alembic.runtime.migration import MigrationContext
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Integer,
    MetaData,
    Table,
    func,
    insert,
    inspect,
    select,
    text,
)

from disclosure_etl.warehouse.connection import _config
from schemas.errors import UserError

_ITS_OWN = frozenset({"alembic_version", "state_move", "document_move"})  # what the schema brings with it
_AT_ONCE = 1000


def version_of(connection: Connection) -> str | None:
    """The schema version of a database; None of an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def tables_of(connection: Connection) -> list[Table]:
    """The tables that hold something of the office's, those first to which others refer."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name not in _ITS_OWN]


def lines_of(connection: Connection, table: Table) -> Iterator[bytes]:
    """The rows of a table by its key, a JSON array a line in the order of its columns; moments in UTC."""
    columns = list(table.columns)
    rows = connection.execution_options(stream_results=True).execute(select(table).order_by(*table.primary_key.columns))
    told = [_telling(column) for column in columns]
    for row in rows:
        values = [tell(value) for tell, value in zip(told, row, strict=True)]
        yield json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _telling(column: Column) -> Callable[[Any], Any]:
    if isinstance(column.type, DateTime):
        return _told_moment
    if isinstance(column.type, Date):
        return lambda value: value.isoformat() if value is not None else None
    if isinstance(column.type, Boolean):
        return lambda value: bool(value) if value is not None else None
    return lambda value: value


def _told_moment(value: datetime | None) -> str | None:
    if value is None:
        return None
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def make_schema(connection: Connection, version: str) -> None:
    """Make the tables of a schema version in an empty database.

    Raises:
        UserError: it is not empty.
    """
    if strangers := inspect(connection).get_table_names():
        raise UserError(
            f"目标数据库不是空的(已有 {len(strangers)} 张表)。恢复只写入空库:请指定一个新的文件或库。",
            f"The database is not empty ({len(strangers)} tables). A copy is restored into an empty one only: name a new file "
            "or database.",
        )
    command.upgrade(_config(connection), version)


def fill(connection: Connection, table: Table, columns: list[str], lines: Iterable[bytes]) -> int:
    """Insert the rows of one table, as `lines_of` told them; how many."""
    taken = [_taking(table.columns[name], connection.dialect.name) for name in columns]
    number = 0
    remaining = iter(lines)
    while part := list(islice(remaining, _AT_ONCE)):
        rows = [
            {name: take(value) for name, take, value in zip(columns, taken, json.loads(line), strict=True)}
            for line in part
        ]
        connection.execute(insert(table), rows)
        number += len(rows)
    _go_on_counting(connection, table)
    return number


def _taking(column: Column, dialect: str) -> Callable[[Any], Any]:
    if isinstance(column.type, DateTime):
        naive = dialect == "sqlite"
        return lambda value: _moment(value, naive=naive)
    if isinstance(column.type, Date):
        return lambda value: date.fromisoformat(value) if value is not None else None
    return lambda value: value


def _moment(value: str | None, *, naive: bool) -> datetime | None:
    if value is None:
        return None
    moment = datetime.fromisoformat(value)
    return moment.replace(tzinfo=None) if naive else moment


def _go_on_counting(connection: Connection, table: Table) -> None:
    """PostgreSQL numbers new rows by a counter of its own, which has not seen these."""
    key = list(table.primary_key.columns)
    if connection.dialect.name != "postgresql" or len(key) != 1 or not isinstance(key[0].type, Integer):
        return
    name = {"table": table.name, "column": key[0].name}
    counter = connection.execute(text("SELECT pg_get_serial_sequence(:table, :column)"), name).scalar()
    highest = connection.execute(select(func.max(key[0]))).scalar()
    if counter and highest:
        connection.execute(
            text("SELECT setval(CAST(:counter AS regclass), :highest)"), {"counter": counter, "highest": highest}
        )


class Copy:
    """What a database holds, to be written down."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.version = version_of(connection)
        self._tables = tables_of(connection) if self.version else []

    @property
    def head(self) -> str | None:
        """The hash of the newest event; None where the schema is older than the record."""
        if all(table.name != "audit_event" for table in self._tables):
            return None
        newest = text("SELECT hash FROM audit_event ORDER BY number DESC LIMIT 1")
        return self._connection.execute(newest).scalar()

    def tables(self) -> Iterator[tuple[str, list[str], Iterator[bytes]]]:
        """Each table: its name, its columns, and its rows as lines."""
        for table in self._tables:
            yield table.name, [column.name for column in table.columns], lines_of(self._connection, table)

    def received(self) -> list[str]:
        """The digests of all bytes that were received."""
        rows = text("SELECT DISTINCT digest FROM receipt WHERE size > 0 ORDER BY digest")
        return list(self._connection.execute(rows).scalars()) if self._tables else []


class Filling:
    """An empty database of the copy's schema version, to be filled table by table, in the order of `names`."""

    def __init__(self, connection: Connection, version: str) -> None:
        make_schema(connection, version)
        self._connection = connection
        self._tables = {table.name: table for table in tables_of(connection)}
        self.names = list(self._tables)

    def fill(self, name: str, columns: list[str], lines: Iterable[bytes]) -> int:
        """Insert the rows of one table; how many."""
        return fill(self._connection, self._tables[name], columns, lines)

    def settle(self) -> None:
        """Let PostgreSQL look at what came in. By itself it does so some time after, and until then, which is when people look whether
        all is there, it plans without knowing the values."""
        if self._connection.dialect.name == "postgresql":
            quoted = self._connection.dialect.identifier_preparer.quote
            self._connection.exec_driver_sql(f"ANALYZE {', '.join(map(quoted, self.names))}")
