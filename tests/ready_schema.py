"""The schema of a new database, made by the migrations once a process and dialect, and after that by the same statements, or
with the whole database copied.

Working out what the migrations say takes longer than most tests. Not for tests of the schema itself, which have it made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, event, inspect

from disclosure_etl.warehouse import connection as opening
from tests.postgres import Server

migrate: Callable[[Engine], None] = opening._make_schema
_templates: dict[Server, str] = {}
_made: dict[str, list[tuple[str, Any]]] = {}  # by dialect: statements, each with its parameters


@contextmanager
def by_statements() -> Iterator[None]:
    """In here new databases get their schema by the statements that made the first of their kind."""
    with patch.object(opening, "_make_schema", _make):
        yield


@contextmanager
def by_migrations() -> Iterator[None]:
    """In here by the migrations."""
    with patch.object(opening, "_make_schema", migrate):
        yield


def database(server: Server) -> str:
    """The address of a new database of a server, with the schema in it."""
    if server not in _templates:
        url = server.fresh_database()
        engine = opening.open_engine(url)
        opening.require_current(engine)
        engine.dispose()
        _templates[server] = url
    return server.fresh_database(_templates[server])


def _make(engine: Engine) -> None:
    known = _made.get(engine.dialect.name)
    if known is None:
        if noted := _noted(engine):
            _made[engine.dialect.name] = noted
        return
    with opening.writing(engine) as connection:
        if not inspect(connection).get_table_names():
            for statement, parameters in known:
                connection.exec_driver_sql(statement, parameters or None)
            return
    migrate(engine)  # it is not empty: refused, or made by another process meanwhile


def _noted(engine: Engine) -> list[tuple[str, Any]]:
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if not statement.lstrip().upper().startswith(("SELECT", "PRAGMA", "BEGIN")):
            statements.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        migrate(engine)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return statements
