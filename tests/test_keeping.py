"""Keeping what an office has: verified, copied into one file, restored from it, moved from one database to the other."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from disclosure_etl.keeping import backup, restore, verified
from disclosure_etl.office import Office
from disclosure_etl.pipeline import consolidate, roll_up
from disclosure_etl.warehouse.connection import reading, writing
from schemas.errors import UserError
from schemas.periods import Period
from tests.factories import (
    FAMILY,
    contract,
    default_form,
    make_office,
    return_bytes,
    send,
    send_month,
    some_figures,
    with_slip,
)
from tests.postgres import Server

JANUARY, FEBRUARY = Period.parse("2014-01"), Period.parse("2014-02")
NOW = ("--now", "2014-02-06")
SCAN = b"\xff\xd8\xff\xe0 a photograph"


def work(office: Office) -> Office:
    """Two months with a slip, a correction, a scan, an unreadable file and a rolled-up quarter."""
    send_month(office, JANUARY, changed={"haidian": with_slip()}, without=("yanqing",))
    send(office, "haidian_2014-01.jpg", SCAN)
    send(office, "broken_2014-01.xlsx", b"PK\x03\x04")
    consolidate(office, FAMILY, JANUARY)
    form = default_form()
    right = return_bytes(form, JANUARY, "haidian", "海淀分局", some_figures(form), revision=2)
    send(office, "haidian_2014-01_r2.xlsx", right)
    consolidate(office, FAMILY, JANUARY, command="rerun")
    send_month(office, FEBRUARY, without=("miyun",))
    consolidate(office, FAMILY, FEBRUARY)
    roll_up(office, FAMILY, Period.parse("2014Q1"))
    return office


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an office on SQLite that has done its work, to be copied."""
    folder = tmp_path_factory.mktemp("worked")
    work(make_office(folder)).warehouse.close()
    return folder


@pytest.fixture
def kept(worked: Path, tmp_path: Path) -> Iterator[Office]:
    """An office of one's own that has done its work."""
    shutil.copytree(worked, tmp_path / "kept")
    one = make_office(tmp_path / "kept")
    yield one
    one.warehouse.close()


def wrong(office: Office) -> dict[str, tuple[str, ...]]:
    """What does not hold, by check."""
    return {one.what: one.places for one in verified(office) if not one.holds}


def content(office: Office) -> dict[str, list[tuple]]:
    """Every row of every table, in an order of its own."""
    with office.warehouse.copied() as copy:
        return {name: sorted(lines) for name, _, lines in copy.tables()}


def past_the_program(office: Office, statement: str) -> None:
    """A change by somebody with all rights, whom no trigger stops."""
    engine = office.warehouse.engine
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            for name in (
                connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
            ):
                connection.execute(text(f"DROP TRIGGER {name}"))
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        assert connection.execute(text(statement)).rowcount > 0, statement


def test_what_the_program_has_stored_hangs_together(office: Office) -> None:
    found = verified(work(office))
    assert [one.what for one in found] == ["chain", "moves", "references", "versions", "figures", "raw"]
    assert all(one.holds and one.checked for one in found), found


@pytest.mark.parametrize(
    ("statement", "what", "named"),
    [
        ("UPDATE audit_event SET actor = 'x' WHERE number = 3", "chain", "#3 hash"),
        ("DELETE FROM state_change WHERE submission_id = 2", "moves", "submission 2"),
        ("UPDATE state_change SET after = 'held' WHERE submission_id = 2", "moves", "submission 2"),
        ("UPDATE submission SET status = 'held' WHERE id = 2", "moves", "submission 2"),
        ("UPDATE fact_observation SET submission_id = 9999 WHERE submission_id = 2", "references", "submission_id 9999"),
        ("UPDATE consolidated_figure SET value = value + 1 WHERE consolidation_id = 1 AND value > 0", "versions", "2014-01 v1"),
        ("DELETE FROM consolidation_member WHERE consolidation_id = 1", "versions", "2014-01 v1"),
        ("UPDATE consolidation SET content_hash = 'f' WHERE id = 2", "versions", "2014-01 v2"),
        ("UPDATE fact_observation SET value = value + 1 WHERE submission_id = 2 AND value > 0", "figures", "2014-01"),
    ],
)  # fmt: skip
def test_what_was_changed_past_the_program_is_found_and_named(
    kept: Office, statement: str, what: str, named: str
) -> None:
    past_the_program(kept, statement)
    found = wrong(kept)
    assert what in found and any(named in place for place in found[what]), found


def test_a_received_file_that_is_lost_or_damaged_is_found(kept: Office) -> None:
    one, other = [path for path in sorted(kept.raw_store.root.rglob("*")) if path.is_file()][:2]
    one.unlink()
    other.chmod(0o644)
    other.write_bytes(b"something else")
    assert wrong(kept) == {"raw": tuple(sorted((one.name, other.name)))}


def test_an_anchor_that_was_printed_is_looked_for(kept: Office) -> None:
    anchor = kept.warehouse.audit_events()[4].hash
    assert {one.what: one.holds for one in verified(kept, anchor)}["chain"]
    assert not {one.what: one.holds for one in verified(kept, "f" * 64)}["chain"]


@pytest.mark.parametrize(
    ("source", "target"), [("sqlite", "postgresql"), ("postgresql", "sqlite"), ("sqlite", "sqlite")]
)
def test_an_office_is_the_same_after_it_was_copied_and_restored_on_either_database(
    kept: Office, tmp_path: Path, source: str, target: str, request: pytest.FixtureRequest
) -> None:
    urls = dict.fromkeys((source, target))
    if "postgresql" in urls:
        server: Server = request.getfixturevalue("postgres")
        urls["postgresql"] = server.fresh_database()
    if source == "postgresql":  # by the way that is tried here
        backup(kept, tmp_path / "first.zip")
        moved = make_office(tmp_path / "moved", urls[source])
        restore(moved, tmp_path / "first.zip")
        kept = moved
    before, head = content(kept), kept.warehouse.audit_head()
    copied = backup(kept, tmp_path / "kept.zip")
    assert head is not None and copied.head == head.hash
    other = make_office(tmp_path / "other", urls[target])

    restored = restore(other, tmp_path / "kept.zip")

    assert restored == copied
    if target == "postgresql":  # which plans by what it has seen of the rows
        with reading(other.warehouse.engine) as connection:
            counted = connection.execute(text("SELECT reltuples FROM pg_class WHERE relname = 'submission'")).scalar()
        assert counted == len(before["submission"])
    after = content(other)
    events, came = after.pop("audit_event"), before.pop("audit_event")
    assert after == before
    assert set(came) < set(events)
    assert wrong(other) == {}
    assert other.warehouse.audit_events()[-1].kind == "restore"
    assert other.warehouse.audit_verify(head.hash).anchored
    # It goes on working: the same files change nothing, a new one is taken.
    shutil.copytree(tmp_path / "kept" / "inbox", other.settings.inbox_path, dirs_exist_ok=True)
    version = other.warehouse.consolidation(FAMILY, FEBRUARY).version
    assert consolidate(other, FAMILY, FEBRUARY).consolidation.version == version
    send_month(other, FEBRUARY)
    assert consolidate(other, FAMILY, FEBRUARY).consolidation.version == version + 1
    assert wrong(other) == {}
    other.warehouse.close()


def rewritten(path: Path, name: str, change) -> None:
    """The copy with one of its parts changed, or without it."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(out, "w") as target:
        for one in source.namelist():
            data = source.read(one)
            if one.startswith(name):
                data = change(data)
            if data is not None:
                target.writestr(one, data)
    path.write_bytes(out.getvalue())


DAMAGE = {
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "no copy at all": lambda path: path.write_bytes(b"PK\x03\x04"),
    "a figure changed": lambda path: rewritten(path, "tables/fact_observation", lambda data: data.replace(b"12", b"13")),
    "a row taken out": lambda path: rewritten(path, "tables/failure", lambda data: data.partition(b"\n")[2]),
    "a table taken out": lambda path: rewritten(path, "tables/receipt", lambda _: None),
    "a received file changed": lambda path: rewritten(path, "raw/", lambda data: data + b" "),
    "the list taken out": lambda path: rewritten(path, "manifest", lambda _: None),
    "another format": lambda path: rewritten(path, "manifest", lambda data: data.replace(b'"format": 1', b'"format": 2')),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(DAMAGE))
def test_a_damaged_copy_restores_nothing(kept: Office, tmp_path: Path, kind: str) -> None:
    backup(kept, tmp_path / "kept.zip")
    DAMAGE[kind](tmp_path / "kept.zip")
    other = make_office(tmp_path / "other")

    with pytest.raises(UserError, match="nothing was restored"):
        restore(other, tmp_path / "kept.zip")

    assert other.warehouse.audit_events()[-1].kind in ("schema", "configuration")
    assert other.warehouse.periods(FAMILY) == ()


def test_a_copy_of_a_newer_program_is_refused_with_what_to_do(tmp_path: Path) -> None:
    office = make_office(tmp_path)
    _ = office.warehouse
    backup(office, tmp_path / "kept.zip")
    rewritten(tmp_path / "kept.zip", "manifest", lambda data: data.replace(b'"schema": "0', b'"schema": "9'))
    with pytest.raises(UserError, match="newer program"):
        restore(make_office(tmp_path / "other"), tmp_path / "kept.zip")


def test_nothing_is_restored_over_what_is_there_and_no_backup_overwritten(tmp_path: Path) -> None:
    office = make_office(tmp_path)
    send_month(office, JANUARY)
    consolidate(office, FAMILY, JANUARY)
    backup(office, tmp_path / "kept.zip")
    before = content(office)
    with pytest.raises(UserError, match="not empty"):
        restore(office, tmp_path / "kept.zip")
    with pytest.raises(UserError, match="overwrites nothing"):
        backup(office, tmp_path / "kept.zip")
    assert content(office) == before
    assert [path.name for path in tmp_path.glob(".kept*")] == []


def test_the_administrator_backs_up_verifies_and_restores(say, tmp_path: Path) -> None:
    office = make_office(tmp_path)
    send_month(office, JANUARY)
    done = say(*NOW, "consolidate", "2014-01", "--json").json
    contract("consolidation").validate(done)
    anchor = done["audit"]["hash"]

    assert say("warehouse", "backup", "kept.zip").code == 0
    fine = say("warehouse", "verify", "--anchor", anchor)
    assert fine.code == 0 and fine.out.count("✓") == 6
    contract("audit-verify").validate(say("audit", "verify", "--anchor", anchor[:16], "--json").json)
    events = say("audit", "list", "--json").json
    contract("audit").validate(events)
    assert events[0]["kind"] == "schema"
    assert "freeze" in say("audit", "list", "--kind", "freeze").out

    (tmp_path / "var" / "warehouse.sqlite").unlink()
    for path in (tmp_path / "var").glob("warehouse.sqlite-*"):
        path.unlink()
    assert say("warehouse", "restore", "kept.zip").code == 0
    assert say("warehouse", "verify", "--anchor", anchor).code == 0
    assert say("audit", "verify", "--anchor", "0" * 16).code == 1
    assert say("audit", "verify", "--anchor", "xyz").code == 2
    assert json.loads(json.dumps(say(*NOW, "consolidate", "2014-01", "--json").json))["version"] == done["version"]
