"""Connections as the program has them: kept as they were opened, and set for many short statements."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from sqlalchemy import QueuePool, text

from disclosure_etl.warehouse.connection import open_engine, reading
from tests.postgres import Server


def test_connections_once_opened_are_kept(url: str) -> None:
    engine = open_engine(url)
    with ExitStack() as pages:
        for _ in range(15):
            pages.enter_context(reading(engine))
    assert isinstance(engine.pool, QueuePool)
    assert engine.pool.checkedin() == 15
    engine.dispose()


def test_a_server_does_not_compile_our_statements(postgres: Server) -> None:
    if postgres.url is None:
        pytest.skip(postgres.reason)
    engine = open_engine(postgres.fresh_database())
    with reading(engine) as connection:  # by us: the server of the tests does not either
        found = connection.execute(text("SELECT setting, source FROM pg_settings WHERE name = 'jit'")).one()
    assert tuple(found) == ("off", "session")
    engine.dispose()
