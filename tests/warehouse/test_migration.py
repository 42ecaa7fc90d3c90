"""An older database with data in it becomes a current one: nothing is lost, and what is new is filled in from what is there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import text

from disclosure_etl.warehouse import Warehouse
from disclosure_etl.warehouse.connection import _config, open_engine, writing
from tests.ready_schema import by_migrations


@pytest.fixture(autouse=True)
def _made_by_migrations() -> Iterator[None]:
    with by_migrations():
        yield


_ROWS = """
INSERT INTO dim_form (id, family, version, frequency, digest, title_zh, title_en, valid_from) VALUES (101, 'small', '1', 'monthly', 'f', '表', 'form', '2013-01');
INSERT INTO dim_period (id, code, frequency, year, ordinal, first_day, last_day) VALUES (101, '2013-12', 'monthly', 2013, 12, '2013-12-01', '2013-12-31');
INSERT INTO run (id, command, family, period, started_at, status, counts) VALUES ('r', 'consolidate', 'small', '2013-12', '2014-02-06 00:00:00', 'done', '{}');
INSERT INTO document (digest, status, claimed_period, named_period, form, seen_for) VALUES ('a', 'read', '2013-12', '2013-12', 'small/1', '2013-12'), ('b', 'read', '2013-12', '2013-12', 'small/1', '2013-12'), ('c', 'unreadable', NULL, '2013-12', NULL, '2013-12');
INSERT INTO receipt (digest, name, source, size, received_at, run_id) VALUES ('c', 'east.xlsx', 'inbox', 1, '2014-02-01 00:00:00', 'r'), ('a', 'east.xlsx', 'inbox', 1, '2014-02-02 00:00:00', 'r'), ('b', 'west.xlsx', 'inbox', 1, '2014-02-03 00:00:00', 'r'), ('a', 'copy.xlsx', 'inbox', 1, '2014-02-03 00:00:00', 'r');
INSERT INTO submission (id, digest, family, form_id, period_id, claimed_period, bureau_code, bureau_written, file, revision, received_at, nil, header, findings, status, whole_return_held, not_assessable, run_id)
 VALUES (7, 'a', 'small', 101, 101, '2013-12', 'east', 'east', 'east.xlsx', 1, '2014-02-02 00:00:00', {no}, '{}', '[]', 'accepted', {no}, '[]', 'r'), (8, 'b', 'small', 101, 101, '2013-12', 'west', 'west', 'west.xlsx', 1, '2014-02-03 00:00:00', {no}, '{}', '[]', 'partly_held', {no}, '[]', 'r');
INSERT INTO submission_block (submission_id, block, accepted, stale) VALUES (7, 'x', {yes}, {no}), (8, 'x', {no}, {no});
INSERT INTO current_block (family, period_id, bureau_code, block, submission_id, accepted, stale) VALUES ('small', 101, 'east', 'x', 7, {yes}, {no}), ('small', 101, 'west', 'x', 8, {no}, {no});
INSERT INTO failure (submission_id, failure_id, position, rule, kind, severity, block, indicators, cells, seen, message_zh, message_en) VALUES (8, 'f1', 1, 'balance:x', 'balance', 'error', 'x', '["x"]', '[]', '["1", "2"]', '不平', 'unbalanced');
INSERT INTO consolidation (id, family, form_id, period_id, version, status, run_id, frozen_at, content_hash, account) VALUES (101, 'small', 101, 101, 1, 'provisional', 'r', '2014-02-06 00:00:00', 'h', '{}');
"""


def _filled(url: str) -> None:
    """A database as the first version of the schema left it."""
    engine = open_engine(url)
    yes, no = ("1", "0") if engine.dialect.name == "sqlite" else ("true", "false")
    with writing(engine) as connection:
        command.upgrade(_config(connection), "0001")
        for statement in _ROWS.replace("{yes}", yes).replace("{no}", no).strip().split(";\n"):
            connection.exec_driver_sql(statement.removesuffix(";").replace("%", "%%"))
    engine.dispose()


def _rows(warehouse: Warehouse, statement: str) -> list[tuple]:
    with warehouse.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def test_a_database_of_the_first_schema_is_brought_up_with_all_that_is_in_it(empty_url: str) -> None:
    _filled(empty_url)
    warehouse = Warehouse.open(empty_url, any_version=True)

    warehouse.upgrade()

    assert warehouse.schema_version()[0] == warehouse.schema_version()[1]
    assert _rows(warehouse, "SELECT id, digest, replaced FROM receipt ORDER BY id") == [
        (1, "c", True), (2, "a", False), (3, "b", False), (4, "a", False),
    ]  # fmt: skip
    assert _rows(warehouse, "SELECT id, arrival FROM submission ORDER BY id") == [(7, 2), (8, 3)]
    assert _rows(warehouse, "SELECT submission_id, failure_id, waiver, case_id FROM failure") == [(8, "f1", None, None)]
    assert _rows(warehouse, "SELECT count(*) FROM current_block")[0][0] == 2
    assert _rows(warehouse, "SELECT bureau, rule FROM v_failure") == [("west", "balance:x")]
    warehouse.close()


def test_the_upgraded_and_the_new_database_take_the_same_work(empty_url: str) -> None:
    from tests.warehouse.small import Story, submission, values, verdict

    _filled(empty_url)
    warehouse = Warehouse.open(empty_url, any_version=True)
    warehouse.upgrade()
    story = Story(warehouse)
    sent = submission(story.form, "east", "2014-02", values((1, 2, 0, 3, 3, 0)))

    assert story.receive(verdict(sent)) == {"east"}
    assert story.freeze("2014-02").counts["accepted"] == 1
    warehouse.close()
