"""A table at a bureau, on both databases: the same rows are the same bytes, and nothing is written there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import make_url

from disclosure_etl.intake.interpreter import Interpreter
from disclosure_etl.intake.readers import read_document
from disclosure_etl.intake.sources import Unreached
from schemas.errors import UserError
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import Submission
from tests.forms.trials import AS_SHIPPED
from tests.intake.sheets import bureaus
from tests.intake.sources.conftest import PASSWORD, Opened, arrived, contents
from tests.intake.sources.relay import relay
from tests.postgres import Server

ROWS = [
    ("dongcheng", "2014-05", "publications", "month", 12),
    ("dongcheng", "2014-05", "publications", "year_to_date", 1000),
    ("dongcheng", "2014-05", "enquiries", "month", 0.5),
    ("xicheng", "2014-05", "publications", "month", None),
    ("dongcheng", "2014-04", "publications", "month", 7),
]
Execute = Callable[..., None]
START = b"\0\0\0"  # how a conversation with PostgreSQL begins, and nothing later in it


def declared(url: str, **more: object) -> dict[str, Any]:
    """A source of `url`, as one writes it: without a driver or a password."""
    address = url.replace("postgresql+psycopg://", "postgresql://").replace(":@", "@")
    return {"kind": "sql", "url": address, "table": "returns", **more}


@contextmanager
def executing(url: str) -> Iterator[Execute]:
    """What the bureau does with its database."""
    engine = create_engine(make_url(url.replace("postgresql://", "postgresql+psycopg://")), poolclass=NullPool)

    def execute(statement: str, rows: list | None = None) -> None:
        names = ("b", "p", "i", "c", "v")
        with engine.begin() as connection:
            connection.execute(text(statement), [dict(zip(names, row, strict=True)) for row in rows] if rows else None)

    yield execute
    engine.dispose()


@pytest.fixture
def pg_url(postgres: Server) -> str:
    """A database at the real server."""
    if postgres.url is None:
        pytest.skip(postgres.reason)
    return postgres.fresh_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "bureau.sqlite"
        path.touch()
        return f"sqlite:///{path}"
    return request.getfixturevalue("pg_url")


def fill(url: str, rows: list, period: str = "text", value: str = "float") -> None:
    """The table, with `rows` and nothing else."""
    with executing(url) as execute:
        execute("DROP TABLE IF EXISTS returns")
        execute(f'CREATE TABLE returns (bureau text, period {period}, indicator text, "column" text, value {value})')
        execute("INSERT INTO returns VALUES (:b, :p, :i, :c, :v)", rows)


def lines(data: bytes, beginning: str) -> list[str]:
    """The lines of a text table that begin so."""
    return [line for line in data.decode().splitlines() if line.startswith(beginning)]


def test_rows_are_a_text_table_for_each_bureau_and_period(opened: Opened, url: str) -> None:
    fill(url, ROWS)
    found = contents(opened(**declared(url)))
    assert list(found) == ["2014-04/dongcheng.csv", "2014-05/dongcheng.csv", "2014-05/xicheng.csv"]
    data = found["2014-05/dongcheng.csv"]
    assert data.decode().splitlines()[:3] == ["单位代码,dongcheng", "统计时期,2014-05", "指标,本月,本年累计"]
    assert lines(data, "publications,") == ["publications,12,1000"]
    assert lines(data, "enquiries,") == ["enquiries,0.5,"]
    assert lines(found["2014-05/xicheng.csv"], "publications,") == ["publications,,"]


def test_the_same_rows_are_the_same_bytes_in_whatever_order(opened: Opened, url: str) -> None:
    fill(url, ROWS)
    source = opened(**declared(url))
    first = contents(source)
    assert contents(source) == first
    fill(url, ROWS[::-1])
    assert contents(source) == first
    fill(url, [*ROWS, ROWS[0]])
    assert contents(source) == first, "the same row twice says nothing new"
    fill(url, [(*ROWS[0][:4], 13), *ROWS[1:]])
    assert contents(source) != first


def test_what_the_form_does_not_know_comes_last(opened: Opened, url: str) -> None:
    fill(url, [("dongcheng", "2014-05", "aaa.unknown", "month", 3), *ROWS[:2]])
    (data,) = contents(opened(**declared(url))).values()
    assert data.decode().splitlines()[-1] == "aaa.unknown month,3"
    assert lines(data, "publications,") == ["publications,12,1000"]


def test_two_figures_for_one_cell_are_told_and_the_others_arrive(opened: Opened, url: str) -> None:
    fill(url, [*ROWS, (*ROWS[0][:4], 13)])
    _, two, three = arrived(opened(**declared(url)))
    with pytest.raises(Unreached, match="two different figures of publications, month"):
        two.read()
    assert three.read()


def test_spaces_around_and_other_spellings_of_a_period_lose_no_row(opened: Opened, url: str) -> None:
    fill(url, [("dongcheng ", "2014年5月", "publications", "month", 12), (" dongcheng", "2014-05", *ROWS[1][2:])])
    found = contents(opened(**declared(url)))
    assert list(found) == ["2014-05/dongcheng.csv"]
    assert lines(found["2014-05/dongcheng.csv"], "publications,") == ["publications,12,1000"]


def test_numbers_are_periods_and_figures_too(opened: Opened, url: str) -> None:
    fill(url, [("dongcheng", 201405, "publications", "month", 1234567)], "integer", "numeric")
    (data,) = contents(opened(**declared(url))).values()
    assert lines(data, "publications,") == ["publications,1234567,"]


def test_figures_beyond_all_measure_are_passed_on_as_they_are(opened: Opened, url: str) -> None:
    fill(url, [("dongcheng", "2014-05", "publications", "month", 1e30), (*ROWS[2][:4], float("inf"))])
    (data,) = contents(opened(**declared(url))).values()
    assert lines(data, "publications,") == [f"publications,1{'0' * 30},"]
    assert lines(data, "enquiries,") == ["enquiries,Infinity,"]


def test_a_period_that_is_none_is_told_and_the_others_arrive(opened: Opened, url: str) -> None:
    fill(url, [("dongcheng", "soon", *ROWS[0][2:]), ("dongcheng", "1990-01", *ROWS[0][2:]), ROWS[0]])
    by_name = {one.name: one for one in arrived(opened(**declared(url)))}
    with pytest.raises(Unreached, match="period 'soon', which is none"):
        by_name["soon/dongcheng.csv"].read()
    with pytest.raises(Unreached, match="has no form"):
        by_name["1990-01/dongcheng.csv"].read()
    assert by_name["2014-05/dongcheng.csv"].read()


def written(form: Form) -> dict[tuple[str, str], str]:
    """A figure for each place of a form but shares, no two alike, with as many decimals as the place has."""
    return {
        (cell.indicator, cell.column): f"{'-' * cell.signed}{1000 + cell.position}{('.' + '1230'[-cell.scale :]) * (cell.scale > 0)}"
        for cell in form.cells
        if cell.measure != "share"
    }  # fmt: skip


def read_back(form: Form, name: str, data: bytes) -> Submission:
    """What a run understands of a text table."""
    forms = [one for one in AS_SHIPPED.values() if one.frequency == form.frequency]
    return Interpreter(forms, bureaus()).interpret(read_document(name, data)).submission


@pytest.mark.parametrize("form", AS_SHIPPED.values(), ids=AS_SHIPPED)
@pytest.mark.parametrize("kind", ["text", "numeric"])
def test_every_figure_of_every_form_is_read_back_as_it_was_written(
    opened: Opened, request: pytest.FixtureRequest, tmp_path: Path, form: Form, kind: str
) -> None:
    url = f"sqlite:///{tmp_path / 'bureau.sqlite'}"
    if kind == "numeric":  # SQLite has none that keeps its decimals
        url = request.getfixturevalue("pg_url")
    figures, period = written(form), Period.parse(form.valid.first).code
    (tmp_path / "bureau.sqlite").touch()
    fill(url, [("dongcheng", period, *place, figure) for place, figure in figures.items()], value="text")
    if kind == "numeric":
        with executing(url) as execute:
            execute("ALTER TABLE returns ALTER value TYPE numeric USING value::numeric")

    ((name, data),) = contents(opened(**declared(url, family=form.family))).items()
    sent = read_back(form, name, data)

    assert (sent.form, sent.bureau, sent.period) == (form.key, "dongcheng", period)
    assert len(set(figures.values())) == len(figures) > 20
    cells = [cell for cell in form.cells if cell.measure != "share"]
    assert {(one.indicator, one.column): sent.texts[one.position] for one in cells} == figures
    read = {(one.indicator, one.column): Decimal(sent.numbers[one.position]).scaleb(-one.scale) for one in cells}
    assert read == {place: Decimal(figure) for place, figure in figures.items()}
    assert [sent.decimals[one.position] for one in cells] == [one.scale for one in cells]
    assert (sent.unread, set(sent.troubles)) == ((), {0})
    assert {one.code for one in sent.findings} <= {"identity:not_owed"}  # which is the office's matter, not the table's


def test_what_is_older_than_declared_is_left_out(opened: Opened, url: str) -> None:
    fill(url, ROWS)
    assert [one.name for one in arrived(opened(**declared(url, since="2014-05")))] == [
        "2014-05/dongcheng.csv", "2014-05/xicheng.csv",
    ]  # fmt: skip


def test_a_missing_table_or_column_is_told_at_once(opened: Opened, url: str, slept: list[float]) -> None:
    with pytest.raises(Unreached, match="has no table returns"):
        arrived(opened(**declared(url)))
    with executing(url) as execute:
        execute("CREATE TABLE returns (bureau text)")
    with pytest.raises(Unreached, match="columns bureau, period"):
        arrived(opened(**declared(url)))
    assert slept == []


def test_a_view_in_a_schema_is_read(opened: Opened, pg_url: str) -> None:
    fill(pg_url, ROWS[:1])
    with executing(pg_url) as execute:
        execute("CREATE SCHEMA oa")
        execute("CREATE VIEW oa.monthly AS SELECT * FROM returns")
    assert len(contents(opened(**declared(pg_url, table="oa.monthly")))) == 1


def test_nothing_can_be_written_at_the_bureau(opened: Opened, pg_url: str, slept: list[float]) -> None:
    fill(pg_url, ROWS)
    with executing(pg_url) as execute:
        execute("CREATE TABLE seen (at timestamptz)")
        execute(
            "CREATE FUNCTION look() RETURNS boolean LANGUAGE plpgsql AS "
            "$$ BEGIN INSERT INTO seen VALUES (now()); RETURN true; END $$"
        )
        execute("CREATE VIEW watched AS SELECT * FROM returns WHERE look()")
    with pytest.raises(Unreached, match="ReadOnlySqlTransaction"):
        arrived(opened(**declared(pg_url, table="watched")))
    assert slept == []
    with psycopg.connect(pg_url) as connection:
        assert connection.execute("SELECT count(*) FROM seen").fetchone() == (0,)


@pytest.mark.parametrize(("stalls", "why"), [(False, "cannot be connected"), (True, "within 2 seconds")])
def test_a_line_that_breaks_or_stalls_within_an_answer_is_made_anew_and_then_told(
    opened: Opened, pg_url: str, slept: list[float], stalls: bool, why: str
) -> None:
    unknown = [("dongcheng", "2014-05", f"unknown_{number}", "month", number) for number in range(5000)]
    fill(pg_url, [*ROWS[:2], *unknown])
    at = make_url(pg_url)
    if at.host is None:
        pytest.skip("the server listens on a local socket only")
    with relay(at.port or 5432) as between:
        through = at.set(host="127.0.0.1", port=between.port).render_as_string(hide_password=False)
        (one,) = arrived(opened(seconds=1, **declared(through)))
        between.spoil(1, after=20_000, request=START, stalls=stalls)
        data = one.read()
        assert data.count(b"unknown_") == 5000
        assert (slept, between.times) == ([1], 0)
        between.spoil(100, after=20_000, request=START, stalls=stalls)
        with pytest.raises(Unreached, match=why):
            one.read()
        assert slept == [1, 1]


def test_a_slow_answer_is_not_waited_for(opened: Opened, pg_url: str, slept: list[float]) -> None:
    fill(pg_url, ROWS[:1])
    with executing(pg_url) as execute:
        execute("CREATE VIEW slow AS SELECT returns.* FROM returns, pg_sleep(9)")
    with pytest.raises(Unreached, match="within 1 seconds"):
        arrived(opened(seconds=1, **declared(pg_url, table="slow")))
    assert slept == [1]


@pytest.fixture
def guarded(pg_url: str) -> Iterator[tuple[str, str]]:
    """A database and a user who is asked for the password there, whatever the server asks of others."""
    name = f"reader_{uuid4().hex[:8]}"
    with psycopg.connect(pg_url, autocommit=True) as connection:
        (where,) = connection.execute("SHOW hba_file").fetchone()
        rules = Path(where)
        if os.environ.get("DISCLOSURE_TEST_POSTGRES") or not os.access(rules, os.W_OK):
            pytest.skip("the server's pg_hba.conf is not ours to change")
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
        before = rules.read_text(encoding="utf-8")
        asked = f"local all {name} scram-sha-256\nhost all {name} all scram-sha-256\n"
        rules.write_text(asked + before, encoding="utf-8")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("SELECT pg_sleep(0.2)")
        try:
            yield pg_url, name
        finally:
            rules.write_text(before, encoding="utf-8")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute(f"DROP OWNED BY {name}")
            connection.execute(f"DROP ROLE {name}")


def test_a_wrong_password_is_told_at_once_and_not_shown(
    opened: Opened, guarded: tuple[str, str], slept: list[float]
) -> None:
    url, user = guarded
    fill(url, ROWS)
    as_user = declared(url, user=user, password={"secret": "PASS"})
    with pytest.raises(Unreached, match="does not accept") as raised:
        arrived(opened(known="wrong-Pa55", **as_user))
    assert slept == []
    assert "wrong-Pa55" not in f"{raised.value!r}{raised.value.why}{raised.value.__cause__!r}"
    with pytest.raises(Unreached, match="may be read"):
        arrived(opened(**as_user))
    with executing(url) as execute:
        execute(f"GRANT SELECT ON returns TO {user}")
    assert len(contents(opened(**as_user))) == 3


def test_no_server_is_told_after_trying_again(opened: Opened, slept: list[float]) -> None:
    with pytest.raises(Unreached, match="cannot be connected"):
        arrived(opened(**declared("postgresql://ming@127.0.0.1:1/x")))
    assert slept == [1]


def test_an_address_that_is_none_is_told_and_no_file_made(opened: Opened, tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path / 'nowhere.sqlite'}", "no address", "nosuch://x/y"):
        with pytest.raises(UserError, match="no database address"):
            opened(**declared(url))
    assert not (tmp_path / "nowhere.sqlite").exists()


def test_a_file_that_is_no_database_is_told(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "x.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(Unreached, match="DatabaseError"):
        arrived(opened(**declared(f"sqlite:///{tmp_path / 'x.sqlite'}")))
