"""From every earlier schema version to this program's, on both databases and with something in every table: nothing is lost, and
all of it hangs together."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Boolean, Column, Connection, Date, DateTime, Integer, String, Table

from disclosure_etl.decisions import Word, waive
from disclosure_etl.keeping import verified
from disclosure_etl.office import Office
from disclosure_etl.pipeline import consolidate, roll_up
from disclosure_etl.warehouse import BaselineRow, Warehouse
from disclosure_etl.warehouse import connection as database
from disclosure_etl.warehouse.connection import open_engine, writing
from disclosure_etl.warehouse.copying import Copy, fill, lines_of, make_schema, tables_of
from schemas.forms import Form
from schemas.periods import Period
from tests.factories import ZONE, default_form, make_office, return_bytes, send, some_figures, with_slip
from tests.test_lists import APPROVALS, sent
from tests.test_lists import FAMILY as LISTS
from tests.test_lists import FORM as LIST_FORM

MONTHLY = "bureau-monthly"
JANUARY = Period.parse("2014-01")
VERSIONS = [one.revision for one in ScriptDirectory(str(database._MIGRATIONS)).walk_revisions()]
NOW = datetime(2014, 3, 6, 8, tzinfo=ZONE)
GROWS = ("audit_event", "state_change")  # the upgrade itself is told there
NAMES = {"shiju": "市局", "east": "东城分局", "west": "西城分局"}
OWES = f"owes: [{{family: {MONTHLY}, from: 2010-01-01}}, {{family: {LISTS}, from: 2010-01-01}}]"

Rows = dict[str, list[dict[str, Any]]]  # by table


@dataclass(frozen=True)
class Kept:
    """An office's folder, and all that is in its warehouse."""

    folder: Path
    rows: Rows


def office_in(folder: Path, url: str | None = None) -> Office:
    (folder / "config").mkdir(parents=True, exist_ok=True)
    lines = [
        f"  - {{code: {code}, name_zh: {name}, name_en: {code}, from: 2010-01-01, {OWES}}}"
        for code, name in NAMES.items()
    ]
    (folder / "config" / "bureaus.yaml").write_text("bureaus:\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return make_office(folder, url, NOW, folder / "config")


def monthly(office: Office, form: Form, bureau: str, revision: int = 1, *, slip: bool = False) -> None:
    figures = with_slip() if slip else some_figures(form)
    data = return_bytes(form, JANUARY, bureau, NAMES[bureau], figures, revision)
    send(office, f"{bureau}_2014-01_r{revision}.xlsx", data)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A correction, a scan, a list, a decision, a decision that waits to be followed, imported figures, a quarter."""
    folder = tmp_path_factory.mktemp("kept")
    office, form = office_in(folder), default_form()
    warehouse = office.warehouse
    rows = [BaselineRow("east", Period.parse("2013-12"), "applications.closing", "month", Decimal(0), 2)]
    run = warehouse.start_run("import-history", MONTHLY, Period.parse("2013-12"), NOW)
    warehouse.import_baseline(run, MONTHLY, office.forms, rows, "past.csv", NOW, replace=False)
    for bureau in NAMES:
        monthly(office, form, bureau, slip=bureau != "shiju")
    send(office, "east_2014-01.jpg", b"\xff\xd8\xff\xe0 a photograph")
    send(
        office,
        "city_list_2014-01.xlsx",
        sent("shiju", JANUARY, {"approvals": APPROVALS}, approvals=2, notices__due=2, notices__closing=2),
    )
    consolidate(office, MONTHLY, JANUARY)
    consolidate(office, LISTS, JANUARY)
    monthly(office, form, "east", 2)
    consolidate(office, MONTHLY, JANUARY)
    (slip,) = [one for one in warehouse.failures(MONTHLY, JANUARY, "west") if one.failure.kind == "breakdown"]
    waive(office, MONTHLY, slip, (JANUARY, JANUARY), Word("李强", "核实无误"))
    roll_up(office, MONTHLY, Period.parse("2014Q1"))
    shown = warehouse.failures(LISTS, JANUARY) or warehouse.failures(MONTHLY, JANUARY)
    warehouse.waive(LISTS, [("shiju", shown[0].failure)], (JANUARY, JANUARY), "核实无误", "李强", NOW)
    with warehouse.copied() as copy:
        rows_of = {
            name: [dict(zip(columns, json.loads(line), strict=True)) for line in lines]
            for name, columns, lines in copy.tables()
        }
    warehouse.close()
    assert LIST_FORM.family == LISTS
    return Kept(folder, rows_of)  # type: ignore[arg-type]


def made_up(column: Column, others: Rows) -> Any:
    """Something that may stand in a column of a table in which nobody has put anything yet."""
    for key in column.foreign_keys:
        if key.column.table is column.table:
            return None  # of itself: nothing was there before
        return others[key.column.table.name][0][key.column.name]
    match column.type:
        case Boolean():
            return False
        case DateTime():
            return NOW.isoformat()
        case Date():
            return date(2014, 1, 1).isoformat()
        case Integer():
            return 1
        case String():
            return "x"
    return {}


def as_it_was(connection: Connection, version: str, rows: Rows) -> Rows:
    """Make a database of that version, with all of it in what tables and columns it has, and something in each."""
    make_schema(connection, version)
    found: Rows = {}
    for table in tables_of(connection):
        names = [column.name for column in table.columns]
        own = rows.get(table.name) or [{}]
        found[table.name] = [
            {
                column.name: one[column.name] if column.name in one else made_up(column, found)
                for column in table.columns
            }
            for one in own
        ]
        lines = [json.dumps([one[name] for name in names]).encode() for one in found[table.name]]
        assert fill(connection, table, names, lines) == len(lines) > 0
    return {table.name: stored(connection, table) for table in tables_of(connection)}


def stored(connection: Connection, table: Table, names: list[str] | None = None) -> list[dict[str, Any]]:
    columns = [column.name for column in table.columns]
    rows = [dict(zip(columns, json.loads(line), strict=True)) for line in lines_of(connection, table)]
    return [{name: one[name] for name in names or columns} for one in rows]


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_nothing_is_lost_on_the_way_from_an_earlier_schema(
    version: str, kept: Kept, tmp_path: Path, empty_url: str
) -> None:
    shutil.copytree(kept.folder, tmp_path / "office", ignore=shutil.ignore_patterns("*.sqlite*"))
    url = make_office(tmp_path / "office", empty_url, NOW, tmp_path / "office" / "config").settings.warehouse_url
    engine = open_engine(url)
    with writing(engine) as connection:
        before = as_it_was(connection, version, kept.rows)
    engine.dispose()

    warehouse = Warehouse.open(url, any_version=True)
    warehouse.upgrade()

    assert warehouse.schema_version() == (VERSIONS[0], VERSIONS[0])
    with warehouse.engine.connect() as connection:
        tables = {table.name: table for table in tables_of(connection)}
        for name, rows in before.items():
            after = stored(connection, tables[name], list(rows[0]))
            assert after[: len(rows)] == rows, name
            assert len(after) == len(rows) or name in GROWS, name
        assert Copy(connection).version == VERSIONS[0]
    warehouse.close()
    office = office_in(tmp_path / "office", empty_url)
    assert [one for one in verified(office) if not one.holds] == []
    assert all(one.checked for one in verified(office))
    monthly(office, default_form(), "west", 2)
    consolidate(office, MONTHLY, JANUARY)
    assert [one for one in verified(office) if not one.holds] == []
    office.warehouse.close()
