"""What other tests begin with is what the migrations make, to the last table, view, index and trigger."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, text

from disclosure_etl.warehouse.connection import open_engine
from tests import ready_schema
from tests.postgres import Server
from tests.ready_schema import by_statements, migrate

_SQLITE = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
_POSTGRESQL = """
SELECT 'column', table_name, column_name, data_type || coalesce(column_default, '') || is_nullable
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'view', viewname, '', definition FROM pg_views WHERE schemaname = 'public'
ORDER BY 1, 2, 3
"""


def told(engine: Engine) -> list[tuple]:
    """All that is defined in a database, and what the migrations have written into it."""
    with engine.connect() as connection:
        defined = connection.execute(text(_SQLITE if engine.dialect.name == "sqlite" else _POSTGRESQL))
        found = [tuple(row) for row in defined]
        for table in ("alembic_version", "state_move"):
            found += sorted(tuple(row) for row in connection.execute(text(f"SELECT * FROM {table}")))
    engine.dispose()
    return found


def test_it_is_what_the_migrations_make(tmp_path: Path, postgres: Server) -> None:
    urls = {"sqlite": [f"sqlite:///{tmp_path / name}.sqlite" for name in "abc"]}
    if postgres.url is not None:
        urls["postgresql"] = [postgres.fresh_database() for _ in range(3)]
    for dialect, own in urls.items():
        from disclosure_etl.warehouse import connection

        made, _, again = (open_engine(url) for url in own)
        migrate(made)
        with by_statements():
            for url in own[1:]:  # the first of a kind is made by migrations still
                connection.require_current(open_engine(url))
            if dialect == "postgresql":
                assert told(open_engine(ready_schema.database(postgres))) == told(made)
        assert told(again) == told(made), dialect
