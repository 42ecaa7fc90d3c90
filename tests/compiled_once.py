"""The same statement compiled once a process and kind of database. SQLAlchemy remembers it for each engine, and every test's office
has an engine of its own: a seventh of a month's consolidation went into compiling what the test before had compiled.

Engines share their dialect by that. A test that listens to a dialect, or changes one, makes its own engine with SQLAlchemy's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import Dialect, Engine, create_engine, event

from disclosure_etl.warehouse import connection as opening

# By dialect and driver: the dialect of the first engine that was connected, and what it has compiled.
_first: dict[tuple[str, str], tuple[Dialect, Any]] = {}


@contextmanager
def compiled_once() -> Iterator[None]:
    """In here."""
    with patch.object(opening, "create_engine", _create):
        yield


def _create(*args: Any, **options: Any) -> Engine:
    engine = create_engine(*args, **options)

    def share(*_: Any) -> None:  # once its own dialect knows the server; what is compiled is remembered by dialect
        kind = (engine.dialect.name, engine.dialect.driver)
        shared = _first.setdefault(kind, (engine.dialect, engine._compiled_cache))
        engine.dialect, engine._compiled_cache = shared

    event.listen(engine, "first_connect", share)
    return engine
