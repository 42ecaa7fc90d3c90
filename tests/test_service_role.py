"""The role that the service connects as on PostgreSQL: made by what `warehouse grants` prints, it does all of the work, and changes
nothing of what was recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from disclosure_etl.warehouse import Warehouse
from disclosure_etl.warehouse.grants import grants
from schemas.periods import Period
from tests.conftest import Said
from tests.factories import default_form, make_office, return_bytes, send, send_month, some_figures, with_slip
from tests.postgres import Server

JANUARY = Period.parse("2014-01")
NOW = ("--now", "2014-02-06")
PASSWORD = "a word of the tests"


@dataclass(frozen=True)
class Served:
    """A database whose schema its owner has made: the owner's address, and that of the service's role."""

    owner: str
    url: str


@pytest.fixture
def served(postgres: Server) -> Iterator[Served]:
    if postgres.url is None:
        pytest.skip(postgres.reason)
    owner = postgres.fresh_database()
    Warehouse.open(owner.replace("postgresql://", "postgresql+psycopg://")).close()
    database = make_url(owner).database
    role = f"Etl-{database}"
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE \"{role}\" LOGIN PASSWORD '{PASSWORD}'")  # type: ignore[arg-type]
        connection.execute(f'GRANT ALL ON ALL TABLES IN SCHEMA public TO "{role}"')  # type: ignore[arg-type] - what it had before
        for statement in grants(role):
            connection.execute(statement)  # type: ignore[arg-type]
    yield Served(owner, make_url(owner).set(username=role, password=PASSWORD).render_as_string(hide_password=False))
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(f'DROP OWNED BY "{role}"')  # type: ignore[arg-type]
        connection.execute(f'DROP ROLE "{role}"')  # type: ignore[arg-type]


def test_it_does_all_of_the_work(
    served: Served, say: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    office = make_office(tmp_path)
    send_month(office, JANUARY, without=("yanqing",), changed={"haidian": with_slip()})
    send(office, "haidian_2014-01.jpg", b"\xff\xd8\xff\xe0 a photograph")
    say("status")  # the folder becomes an office's
    monkeypatch.setenv("DISCLOSURE_WAREHOUSE", served.url)
    assert say(*NOW, "consolidate", "2014-01", "--json").code == 1
    failures = say(*NOW, "failures", "2014-01", "--json").json
    slip = next(one["id"] for one in failures if one["rule"] == "breakdown:enquiries:channel")
    assert say(*NOW, "decide", "2014-01", slip, "--reason", "核实无误", "--by", "李强").code == 0
    assert say(*NOW, "decide", "2014-01", "--withdraw", "1", "--reason", "有误", "--by", "李强").code == 0
    form = default_form()
    send(office, "haidian_r2.xlsx", return_bytes(form, JANUARY, "haidian", "海淀分局", some_figures(form), 2))
    send(office, "yanqing_nil.xlsx", return_bytes(form, JANUARY, "yanqing", "延庆分局", some_figures(form)))
    (tmp_path / "past.csv").write_text(
        "bureau,period,indicator,column,value\nhaidian,2013-12,applications.closing,month,0\n"
    )
    for _ in range(2):
        imported = say(*NOW, "import-history", tmp_path / "past.csv", "--replace")
        assert imported.code == 0, imported.err
    ran = say(*NOW, "rerun", "2014-01")
    assert ran.code in (0, 1), ran.err
    assert say(*NOW, "consolidate", "2014Q1", "--early").code in (0, 1)
    assert say(*NOW, "status", "2014-01").code in (0, 1)
    assert say(*NOW, "audit", "verify").code == 0
    assert say(*NOW, "warehouse", "verify").code == 0
    assert say(*NOW, "warehouse", "backup", tmp_path / "kept.zip").code == 0
    assert say("warehouse", "grants", "etl").out.count("GRANT") > 20


def kept_tables(owner: str) -> list[str]:
    """The tables that triggers keep as they are, and that of versions."""
    with psycopg.connect(owner) as connection:
        rows = connection.execute(
            "SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "JOIN pg_proc p ON p.oid = t.tgfoid WHERE p.proname = 'only_appended'"
        )
        return [*sorted(row[0] for row in rows), "consolidation", "rule_set"]


def test_it_changes_nothing_of_what_was_recorded(served: Served) -> None:
    warehouse = Warehouse.open(served.url.replace("postgresql://", "postgresql+psycopg://"))
    assert warehouse.audit_verify().broken is None
    tables = kept_tables(served.owner)
    assert {"audit_event", "state_change", "decision", "consolidated_figure", "consolidation_member"} <= set(tables)
    with psycopg.connect(served.owner) as connection:
        columns = {
            table: connection.execute("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", [table]).fetchone()[0]  # type: ignore[index]
            for table in tables
        }  # fmt: skip
    for table in tables:
        for statement in (
            f'UPDATE {table} SET "{columns[table]}" = "{columns[table]}"',
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
            f"ALTER TABLE {table} DISABLE TRIGGER ALL",
            f"DROP TABLE {table} CASCADE",
        ):
            with (
                pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
                warehouse.engine.begin() as one,
            ):
                one.execute(text(statement))
    for statement in ("DELETE FROM state_move", "CREATE TABLE mine (x int)", "SET session_replication_role = replica"):
        with pytest.raises(ProgrammingError, match="permission denied"), warehouse.engine.begin() as one:
            one.execute(text(statement))
    assert warehouse.audit_verify().broken is None
    warehouse.close()
