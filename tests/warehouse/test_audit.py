"""The record of what was done: every event follows from the one before, nobody changes one, and who goes around that is found."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from disclosure_etl.warehouse import Warehouse, audit
from disclosure_etl.warehouse.audit import GENESIS, Act
from disclosure_etl.warehouse.connection import writing
from schemas.states import DOCUMENT_MOVES, MOVES, State
from tests.warehouse.small import Story, submission, values, verdict

AT = datetime(2014, 2, 6, 8, tzinfo=UTC)
KEPT = {
    "audit_event": "kind", "state_change": "after", "decision": "reason", "consolidation": "content_hash",
    "consolidated_figure": "value", "consolidation_member": "block", "return_decision": "reason", "restatement": "reason",
    "confirmation": "reason", "sign_off": "note", "release": "released_by", "year_lock": "reason",
    "version_failure": "rule", "version_refused": "files", "fact_refilled": "value",
}  # fmt: skip


def told(warehouse: Warehouse) -> list[tuple[int, str]]:
    return [(one.number, one.kind) for one in warehouse.audit_events()]


def run_sql(warehouse: Warehouse, *statements: str) -> None:
    with writing(warehouse.engine) as connection:
        for statement in statements:
            connection.execute(text(statement))


def without_triggers(warehouse: Warehouse, *statements: str) -> None:
    """What somebody with all rights can do to the database, past the program."""
    if warehouse.engine.dialect.name == "postgresql":
        off = ["ALTER TABLE audit_event DISABLE TRIGGER ALL"]
        run_sql(warehouse, *off, *statements, "ALTER TABLE audit_event ENABLE TRIGGER ALL")
    else:
        run_sql(warehouse, "DROP TRIGGER audit_event_no_update", "DROP TRIGGER audit_event_no_delete", *statements)


@pytest.fixture
def story(warehouse: Warehouse) -> Story:
    """A month of two bureaus, frozen."""
    one = Story(warehouse)
    one.receive(verdict(submission(one.form, "east", "2014-01", values((1, 2, 0, 3, 3, 0)))))
    one.receive(verdict(submission(one.form, "west", "2014-01", values((1, 2, 0, 3, 3, 0)))))
    one.freeze("2014-01")
    return one


def test_what_is_done_is_told_in_its_order(story: Story, warehouse: Warehouse) -> None:
    kinds = [kind for _, kind in told(warehouse)]
    assert kinds[0] == "schema" and kinds[-1] == "freeze"
    assert kinds.count("load") == 2
    assert [number for number, _ in told(warehouse)] == list(range(1, len(kinds) + 1))


def test_the_same_done_again_is_told_once(story: Story, warehouse: Warehouse) -> None:
    before = told(warehouse)
    story.freeze("2014-01")
    story.receive(verdict(submission(story.form, "east", "2014-01", values((1, 2, 0, 3, 3, 0)))))
    assert told(warehouse) == before


@pytest.mark.usefixtures("story")
def test_an_untouched_chain_holds_and_has_every_hash_that_it_ever_showed(warehouse: Warehouse) -> None:
    events = warehouse.audit_events()
    assert events[0].previous == GENESIS
    for event in events:
        found = warehouse.audit_verify(event.hash[:12])
        assert (found.events, found.head, found.broken, found.anchored) == (len(events), events[-1].hash, None, True)
    assert warehouse.audit_verify("0" * 12).anchored is False
    assert warehouse.audit_verify().anchored is None


@pytest.mark.usefixtures("story")
def test_the_database_refuses_to_change_what_is_kept(warehouse: Warehouse) -> None:
    run_sql(
        warehouse,
        "INSERT INTO decision (id, action, family, bureau_code, rule, indicators, seen, first_period, last_period, reason, "
        "decided_by, decided_at) VALUES (1, 'waive', 'small', 'east', 'r', '[]', '[]', '2014-01', '2014-01', 'x', 'y', "
        "'2014-02-06 00:00:00')",
    )
    run_sql(
        warehouse,
        "INSERT INTO return_decision (id, action, submission_id, reason, decided_by, decided_at) VALUES (1, 'return', 1, 'x', "
        "'y', '2014-02-06 00:00:00')",
        "INSERT INTO restatement (id, action, family, period_id, bureau_code, indicator, column_code, amount, scale, code, "
        "reason, decided_by, decided_at) VALUES (1, 'restate', 'small', 1, 'east', 'i', 'c', 1, 0, 'error', 'x', 'y', "
        "'2014-02-06 00:00:00')",
        "INSERT INTO confirmation (id, family, period_id, bureau_code, digest, basis, deltas, reason, decided_by, decided_at) "
        "VALUES (1, 'small', 1, 'east', 'd', 'b', '[]', 'x', 'y', '2014-02-06 00:00:00')",
        "INSERT INTO sign_off (consolidation_id, signed_by, signed_at, note, acknowledged) VALUES (1, 'y', "
        "'2014-02-06 00:00:00', 'x', '[]')",
        "INSERT INTO release (consolidation_id, released_by, released_at) VALUES (1, 'y', '2014-02-06 00:00:00')",
        "INSERT INTO year_lock (id, action, family, year, decided_by, reason, decided_at) VALUES (1, 'lock', 'small', 2014, "
        "'y', 'x', '2014-02-06 00:00:00')",
        "INSERT INTO version_failure (consolidation_id, submission_id, failure_id, position, rule, kind, severity, indicators, "
        "cells, seen, message_zh, message_en) VALUES (1, 1, 'f', 1, 'r', 'k', 'error', '[]', '[]', '[]', 'x', 'y')",
        "INSERT INTO fact_refilled (submission_id, cell_id, until, value) VALUES (1, 1, 1, 1)",
    )
    for table, column in KEPT.items():
        for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
            with pytest.raises(DatabaseError, match="only ever appended to"):
                run_sql(warehouse, statement)


@pytest.mark.usefixtures("story")
@pytest.mark.parametrize(
    ("statement", "number", "what"),
    [
        ("UPDATE audit_event SET actor = 'somebody else' WHERE number = 2", 2, "hash"),
        ("UPDATE audit_event SET details = '{{}}' WHERE number = 2", 2, "hash"),
        ("UPDATE audit_event SET at = '2014-02-07 00:00:00' WHERE number = 3", 3, "hash"),
        ("UPDATE audit_event SET hash = '{wrong}' WHERE number = 2", 2, "hash"),
        ("UPDATE audit_event SET previous = '{wrong}' WHERE number = 3", 3, "previous"),
    ],
)
def test_an_event_that_was_changed_breaks_the_chain_there(
    warehouse: Warehouse, statement: str, number: int, what: str
) -> None:
    without_triggers(warehouse, statement.format(wrong="f" * 64))
    found = warehouse.audit_verify()
    assert found.broken is not None
    assert (found.broken.number, found.broken.what, found.events) == (number, what, number - 1)


@pytest.mark.usefixtures("story")
def test_an_event_that_was_taken_out_breaks_the_chain_there(warehouse: Warehouse) -> None:
    if warehouse.engine.dialect.name == "postgresql":
        without = ["DELETE FROM state_change WHERE event = 2", "DELETE FROM audit_event WHERE number = 2"]
        run_sql(warehouse, "ALTER TABLE state_change DISABLE TRIGGER ALL")
    else:
        without = ["DELETE FROM state_change WHERE event = 2", "DELETE FROM audit_event WHERE number = 2"]
        run_sql(warehouse, "DROP TRIGGER state_change_no_delete")
    without_triggers(warehouse, *without)
    found = warehouse.audit_verify()
    assert found.broken is not None and (found.broken.number, found.broken.what) == (2, "number")


@pytest.mark.usefixtures("story")
def test_a_chain_that_was_written_anew_holds_and_lacks_the_anchor(warehouse: Warehouse) -> None:
    """Whoever has all rights can write another history; the hash that a receipt shows tells."""
    events = warehouse.audit_events()
    anchor = events[-1].hash
    statements = []
    previous = GENESIS
    for event in events:
        actor = "nobody" if event.number == 2 else event.actor
        line = audit._told(event.number, event.at, event.kind, actor, event.subject, event.details, previous)
        digest = hashlib.sha256(line.encode()).hexdigest()
        statements.append(
            f"UPDATE audit_event SET actor = '{actor}', previous = '{previous}', hash = '{digest}' WHERE number = {event.number}"
        )
        previous = digest
    without_triggers(warehouse, *statements)
    assert warehouse.audit_verify().broken is None
    assert warehouse.audit_verify(anchor).anchored is False


def test_a_return_goes_through_states_and_the_record_has_each_move(story: Story, warehouse: Warehouse) -> None:
    held = submission(story.form, "east", "2014-01", values((9, 2, 0, 3, 3, 0)), revision=2)
    story.receive(verdict(held, story.form.blocks[0].code))
    story.renew(verdict(held))
    with warehouse.engine.connect() as connection:
        moves = connection.execute(
            text("SELECT submission_id, place, before, after FROM state_change ORDER BY event, submission_id, place")
        ).all()
    assert next(row.before for row in moves if row.submission_id == 3) == "received"
    assert {(row.before, row.after) for row in moves} <= {
        (before, after) for before, afters in MOVES.items() for after in afters
    }
    last = {row.submission_id: row.after for row in moves}
    with warehouse.engine.connect() as connection:
        assert last == {row.id: row.status for row in connection.execute(text("SELECT id, status FROM submission"))}


def put_into(warehouse: Warehouse, state: str) -> None:
    """The first return in a state, past the trigger."""
    change = f"UPDATE submission SET status = '{state}' WHERE id = 1"
    if warehouse.engine.dialect.name == "postgresql":
        run_sql(warehouse, "ALTER TABLE submission DISABLE TRIGGER submission_moves", change)
        run_sql(warehouse, "ALTER TABLE submission ENABLE TRIGGER submission_moves")
        return
    with writing(warehouse.engine) as connection:
        trigger = connection.execute(text("SELECT sql FROM sqlite_master WHERE name = 'submission_moves'")).scalar_one()
        for statement in ("DROP TRIGGER submission_moves", change, trigger):
            connection.execute(text(statement))


@pytest.mark.usefixtures("story")
def test_the_database_refuses_every_move_that_is_not_listed(warehouse: Warehouse) -> None:
    for before in State:
        put_into(warehouse, before.value)
        for after in ("erased", *(state.value for state in State)):
            if after == before.value or after in MOVES[before]:
                continue
            with pytest.raises(DatabaseError, match="no such move"):
                run_sql(warehouse, f"UPDATE submission SET status = '{after}' WHERE id = 1")


@pytest.mark.usefixtures("story")
def test_the_database_refuses_every_move_of_a_document_that_is_not_listed(warehouse: Warehouse) -> None:
    for before in DOCUMENT_MOVES:
        for after in ("erased", *DOCUMENT_MOVES):
            name = f"{before} to {after}"
            values = "(digest, status, seen_for) VALUES"
            run_sql(warehouse, f"INSERT INTO document {values} ('{name}', '{before}', '2014-01')")
            move = f"UPDATE document SET status = '{after}' WHERE digest = '{name}'"
            if after == before or after in DOCUMENT_MOVES[before]:
                run_sql(warehouse, move)
            else:
                with pytest.raises(DatabaseError, match="no such move"):
                    run_sql(warehouse, move)


@pytest.mark.usefixtures("story")
def test_a_document_of_which_a_return_is_stored_stays_read(warehouse: Warehouse) -> None:
    for after in DOCUMENT_MOVES["read"]:
        with pytest.raises(DatabaseError, match="no such move"):
            run_sql(warehouse, f"UPDATE document SET status = '{after}' WHERE status = 'read'")


@settings(max_examples=15, deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=5), st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=9), lambda one: st.lists(one, max_size=3), max_leaves=5), max_size=4
    ),
    st.text(max_size=9),
)  # fmt: skip
def test_whatever_an_event_tells_is_read_again_as_it_was_hashed(details: dict, subject: str) -> None:
    warehouse = Warehouse.open("sqlite://")
    try:
        with writing(warehouse.engine) as connection:
            event = audit.append(connection, Act("谁", AT), "waive", subject, details)
        assert warehouse.audit_head() == event
        assert warehouse.audit_verify().broken is None
        assert json.loads(event.told)[0] == event.number
    finally:
        warehouse.close()
