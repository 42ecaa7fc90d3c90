"""Opening a database: made where there is nothing, refused where it does not fit, and never a password in a message."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect, select, text
from sqlalchemy.engine import make_url

from disclosure_etl.bureaus import Bureau
from disclosure_etl.warehouse import Warehouse
from disclosure_etl.warehouse.connection import reading
from disclosure_etl.warehouse.dimension_tables import dim_succession, metadata
from schemas.errors import UserError
from tests.ready_schema import by_migrations


@pytest.fixture
def url(empty_url: str) -> str:
    """Nothing is copied here."""
    return empty_url


@pytest.fixture(autouse=True)
def _made_by_migrations() -> Iterator[None]:
    with by_migrations():
        yield


def shown(error: pytest.ExceptionInfo[BaseException]) -> str:
    """All that a person or a log could see of it, causes included."""
    texts, one = [], error.value
    while one is not None:
        texts += [str(one), repr(one.args), repr(getattr(one, "message", None))]
        one = one.__cause__ or one.__context__
    return "\n".join(texts)


def test_an_empty_database_is_made_with_every_table(warehouse: Warehouse) -> None:
    assert set(inspect(warehouse.engine).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_migrations_end_where_the_tables_are(warehouse: Warehouse) -> None:
    with warehouse.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []


def test_upgrading_twice_changes_nothing(warehouse: Warehouse) -> None:
    before = warehouse.schema_version()
    warehouse.upgrade()
    assert warehouse.schema_version() == before
    assert before[0] == before[1]


def test_another_schema_version_is_refused_with_what_to_do(warehouse: Warehouse, empty_url: str) -> None:
    with warehouse.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(UserError, match="disclosure-etl warehouse upgrade") as error:
        Warehouse.open(empty_url)
    assert error.value.exit_code == 2


def test_sqlite_waits_logs_ahead_and_keeps_references(tmp_path: Path) -> None:
    opened = Warehouse.open(f"sqlite:///{tmp_path / 'deep' / 'down' / 'w.sqlite'}")
    with opened.engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    opened.close()
    assert found == {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 30000}


def test_a_file_that_is_no_database_is_the_users_to_mend(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.sqlite"
    path.write_text("not a database, but long enough to be taken for one\n" * 50, encoding="utf-8")
    with pytest.raises(UserError):
        Warehouse.open(f"sqlite:///{path}")


def test_a_database_of_another_program_is_left_alone(empty_url: str) -> None:
    database = make_url(empty_url).database
    if empty_url.startswith("sqlite") and database:
        Path(database).parent.mkdir()
    engine = create_engine(empty_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE payroll (id integer)"))
    with pytest.raises(UserError):
        Warehouse.open(empty_url)
    assert inspect(engine).get_table_names() == ["payroll"]
    engine.dispose()


@pytest.mark.parametrize(
    "url",
    [
        "no such thing",
        "mysql://root:geheim@localhost/x",
        "postgresql+psycopg://u:geheim@h:x/y",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UserError) as error:
        Warehouse.open(url)
    assert "geheim" not in shown(error)


def test_an_unreachable_server_is_named_without_its_password() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: whoever connects is refused
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=r"127\.0\.0\.1") as error:
            Warehouse.open(f"postgresql+psycopg://steward:geheim@127.0.0.1:{port}/warehouse")
    assert "geheim" not in shown(error)


def test_who_took_over_from_whom_is_kept_as_configured(warehouse: Warehouse) -> None:
    ended = {"code": "a", "name_zh": "甲", "name_en": "A", "from": "2008-05-01", "to": "2014-06-30"}
    new = Bureau.model_validate({"code": "b", "name_zh": "乙", "name_en": "B", "from": "2014-07-01"})

    def told(into: list[str]) -> list[tuple]:
        warehouse.sync([Bureau.model_validate({**ended, "into": into}), new], [])
        with reading(warehouse.engine) as connection:
            return [tuple(row) for row in connection.execute(select(dim_succession))]

    assert told(["b"]) == told(["b"]) == [("a", "b", date(2014, 7, 1))]
    assert told([]) == []
