"""A table at a bureau: the rows of a bureau and month are one text table, always the same for the same rows."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from disclosure_etl.intake.sources import Unreached
from tests.intake.sources.conftest import Opened, arrived, contents
from tests.postgres import Server

ROWS = [
    ("dongcheng", "2014-05", "applications.received", "month", "20"),
    ("dongcheng", "2014-05", "applications.received.in_person", "month", "12"),
    ("dongcheng", "2014-05", "of.no.form", "month", "3"),
    ("xicheng", "2014-05", "applications.received", "month", None),
    ("dongcheng", "2014-04", "applications.received", "month", "7"),
]


def table_in(path: Path, rows: list[tuple]) -> str:
    with sqlite3.connect(path) as connection:
        connection.execute('create table if not exists returns (bureau, period, indicator, "column", value)')
        connection.execute("delete from returns")
        connection.executemany("insert into returns values (?, ?, ?, ?, ?)", rows)
    connection.close()
    return f"sqlite:///{path}"


def test_each_bureau_and_month_is_one_file_that_does_not_change_with_the_order_of_rows(
    opened: Opened, tmp_path: Path
) -> None:
    url = table_in(tmp_path / "there.sqlite", ROWS)
    first = contents(opened(kind="sql", url=url, table="returns", family="bureau-monthly"))
    assert list(first) == ["2014-04/dongcheng.csv", "2014-05/dongcheng.csv", "2014-05/xicheng.csv"]
    lines = first["2014-05/dongcheng.csv"].decode().splitlines()
    assert lines[:2] == ["单位代码,dongcheng", "统计时期,2014-05"]
    assert "applications.received.in_person,12" in "\n".join(lines)
    assert lines[-1] == "of.no.form month,3"

    table_in(tmp_path / "there.sqlite", ROWS[::-1])
    assert contents(opened(kind="sql", url=url, table="returns", family="bureau-monthly")) == first


def test_earlier_months_are_left_when_told_so(opened: Opened, tmp_path: Path) -> None:
    url = table_in(tmp_path / "there.sqlite", ROWS)
    found = arrived(opened(kind="sql", url=url, table="returns", since="2014-05"))
    assert {one.name[:7] for one in found} == {"2014-05"}


def test_two_figures_for_one_cell_and_a_period_that_is_none_are_told(opened: Opened, tmp_path: Path) -> None:
    url = table_in(tmp_path / "there.sqlite", [ROWS[0], (*ROWS[0][:4], "21"), ("xicheng", "May", "a", "month", "1")])
    one, other = arrived(opened(kind="sql", url=url, table="returns"))
    with pytest.raises(Unreached, match="two different figures"):
        one.read()
    with pytest.raises(Unreached, match="'May', which is none"):
        other.read()


def test_a_table_that_is_not_there_is_told(opened: Opened, tmp_path: Path) -> None:
    url = table_in(tmp_path / "there.sqlite", ROWS)
    with pytest.raises(Unreached, match="has no table elsewhere"):
        arrived(opened(kind="sql", url=url, table="elsewhere"))


def test_postgresql_by_user_and_password_of_which_nothing_is_shown(
    opened: Opened, postgres: Server, slept: list[float]
) -> None:
    if postgres.url is None:
        pytest.skip(postgres.reason)
    url = make_url(postgres.fresh_database()).set(drivername="postgresql+psycopg")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            text('create table returns (bureau text, period text, indicator text, "column" text, value numeric)')
        )
        connection.execute(
            text("insert into returns values ('dongcheng', '2014-05', 'applications.received', 'month', 1000)")
        )
        connection.execute(text("create role ming login password 'planted-Pa55-word'"))
        connection.execute(text("grant select on returns to ming"))
    bare = url.set(username=None, password=None).render_as_string()
    try:
        by = {"kind": "sql", "url": bare, "table": "returns", "user": "ming", "password": {"secret": "PASS"}}
        source = opened(**by)
        ((name, data),) = contents(source).items()
        assert name == "2014-05/dongcheng.csv"
        assert "applications.received,1000" in data.decode()
        with pytest.raises(Unreached, match="no table secret"):
            arrived(opened(**by | {"table": "secret"}))
        with pytest.raises(Unreached, match="does not accept") as raised:
            arrived(opened(**by | {"user": "nobody-here"}))
        assert slept == [] and "planted" not in repr(raised.value)
    finally:
        with engine.begin() as connection:
            connection.execute(text("drop table returns; drop role ming"))
        engine.dispose()
