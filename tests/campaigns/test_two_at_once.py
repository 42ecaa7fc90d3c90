"""Two at once, in processes of their own: one has judged and not stored yet when the other begins. What is stored in the end is
what one after the other would have stored, in one of the two orders."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from disclosure_etl.decisions import Word, waive
from disclosure_etl.keeping import verified
from disclosure_etl.office import Office
from disclosure_etl.pipeline import consolidate
from disclosure_etl.settings import default_config_dir
from schemas.periods import Period
from schemas.records import Status
from tests.factories import (
    FAMILY,
    ZONE,
    default_form,
    make_office,
    return_bytes,
    send,
    send_month,
    some_figures,
    with_slip,
)

JANUARY, FEBRUARY = Period.parse("2014-01"), Period.parse("2014-02")
NOW = datetime(2014, 3, 6, tzinfo=ZONE)
SLIP = "breakdown:enquiries:channel"


def office_in(folder: Path, url: str | None = None) -> Office:
    """An office whose folder the command line finds."""
    (folder / "config").mkdir(parents=True, exist_ok=True)
    for name in ("settings.yaml", "bureaus.yaml", "schedule.yaml"):
        shutil.copyfile(default_config_dir() / name, folder / "config" / name)
    return make_office(folder, url, NOW)


def sent(office: Office, period: Period, bureau: str, revision: int = 1, more: int = 0) -> None:
    """A return of a bureau, with so many enquiries more than usual; its parts add up all the same."""
    figures = some_figures(default_form(), period.ordinal)
    for code in ("enquiries", "enquiries.on_site"):
        for column in ("month", "year_to_date"):
            figures[(code, column)] += more
    name = next(one.name_zh for one in office.owing(FAMILY, period) if one.code == bureau)
    path = send(
        office,
        f"{bureau}_{period}_r{revision}.xlsx",
        return_bytes(default_form(), period, bureau, name, figures, revision),
    )
    os.utime(path, (NOW.timestamp() - 3600,) * 2)


def slipped(office: Office) -> str:
    """The number of 海淀分局's slip in January."""
    return next(one for one in office.warehouse.failures(FAMILY, JANUARY) if one.failure.rule == SLIP).failure.id


@dataclass(frozen=True)
class Two:
    """What was there before, what arrives after the first has begun, and the words of each. The first stops after its
    `stops`-th verdict."""

    before: Callable[[Office], None]
    first: tuple[str, ...]
    arrives: Callable[[Office], None]
    second: tuple[str, ...]
    stops: int = 1


def a_month_with_a_slip(office: Office) -> None:
    """January, without 延庆分局 and with a slip; everything is old enough to be of an even time."""
    send_month(office, JANUARY, without=("yanqing",), changed={"haidian": with_slip()})
    settled(office)
    consolidate(office, FAMILY, JANUARY)


def two_months(office: Office) -> None:
    """January and February, all in order."""
    for period in (JANUARY, FEBRUARY):
        send_month(office, period)
        settled(office)
        consolidate(office, FAMILY, period)


def a_month_and_its_correction(office: Office) -> None:
    """Both months, and a correction of January that has arrived and was not taken yet."""
    two_months(office)
    sent(office, JANUARY, "haidian", revision=2, more=1)


def a_first_month(office: Office) -> None:
    """Files, and nothing stored."""
    send_month(office, JANUARY)
    settled(office)


def settled(office: Office) -> None:
    """Every file arrived an hour ago, so that each copy of the inbox says the same of it."""
    for path in office.settings.inbox_path.iterdir():
        os.utime(path, (NOW.timestamp() - 3600,) * 2)


def nothing(office: Office) -> None:
    """Nothing arrives."""


JAN, FEB = ("consolidate", "2014-01"), ("consolidate", "2014-02")
CASES = {
    "two first consolidations of a month": Two(a_first_month, JAN, nothing, JAN),
    "two consolidations of a month": Two(a_month_with_a_slip, JAN, lambda one: sent(one, JANUARY, "yanqing"), JAN),
    "a rerun during a consolidation": Two(
        two_months, FEB, lambda one: sent(one, JANUARY, "haidian", 2, 1), ("rerun", "2014-01")
    ),
    "a decision during a consolidation": Two(
        a_month_with_a_slip, JAN, nothing, ("decide", "2014-01", "{slip}", "--reason", "核实无误", "--by", "李强")
    ),
    "two reruns": Two(
        a_month_and_its_correction,
        ("rerun", "2014-01"),
        lambda one: sent(one, JANUARY, "haidian", 3, 5),
        ("rerun", "2014-01", "--bureau", "haidian"),
        stops=2,  # in February, which depends on January
    ),
}


def content(office: Office) -> dict[str, object]:
    """What is stored, by names that do not tell in which order it came."""
    queries = {
        "submissions": "SELECT digest, bureau_code, revision, status, whole_return_held, fault, not_assessable FROM submission",
        "blocks": "SELECT s.digest, b.block, b.accepted, b.stale FROM submission_block b JOIN submission s ON s.id = b.submission_id",
        "failures": "SELECT s.digest, f.failure_id, f.rule, f.severity, f.seen, f.expected, f.impact, f.implied_by, f.case_id, "
        "f.waiver FROM failure f JOIN submission s ON s.id = f.submission_id",
        "current": "SELECT p.code, c.bureau_code, c.block, s.digest, c.accepted, c.stale FROM current_block c "
        "JOIN submission s ON s.id = c.submission_id JOIN dim_period p ON p.id = c.period_id",
        "documents": "SELECT digest, status, problem_code FROM document",
        "decisions": "SELECT id, action, withdraws, bureau_code, rule, reason FROM decision",
        "pending": "SELECT family, period_id, bureau_code FROM pending",
        "attached": "SELECT a.digest, s.digest FROM attachment a JOIN submission s ON s.id = a.submission_id",
    }
    with office.warehouse.engine.connect() as connection:
        found: dict[str, object] = {
            name: sorted(repr([_plain(value) for value in row]) for row in connection.execute(text(query)))
            for name, query in queries.items()
        }
    for period in office.warehouse.consolidated_periods(FAMILY):
        one = office.warehouse.consolidation(FAMILY, period)
        assert one is not None
        counts = {status: number for status, number in one.counts.items() if status is not Status.OTHER_PERIOD}
        found[f"{period}"] = (one.figures, counts, one.missing, one.late, one.bureaus, one.failures, one.not_assessable)
    return found


def _plain(value: object) -> object:
    """A value as both databases give it."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and value.startswith("["):
        return json.loads(value)
    return value


@contextmanager
def started(folder: Path, url: str | None, words: tuple[str, ...], **more: str) -> Iterator[subprocess.Popen]:
    """A command at work, what it says on standard error in the folder's file `said`."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("DISCLOSURE_", "PREFECT_"))}
    environment |= {"PYTHONPATH": str(Path(__file__).parents[2]), "DISCLOSURE_LANG": "en", **more}
    if url:
        environment["DISCLOSURE_WAREHOUSE"] = url
    command = [sys.executable, "-m", "tests.campaigns.paused", "--now", "2014-03-06", *words, "--json"]
    number = len(list(folder.glob("*.said")))
    with (folder / f"{number}.said").open("w") as said:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=said)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def said_by(folder: Path, number: int) -> str:
    """What the n-th command said."""
    return (folder / f"{number}.said").read_text(encoding="utf-8")


def until(true: Callable[[], bool]) -> None:
    """Wait for something that comes about in no time, if at all."""
    ends = time.monotonic() + 60
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.02)


def at_once(folder: Path, url: str | None, two: Two, **more: str) -> Office:
    """The first stops after it has judged; the second begins, and ends or waits; the first goes on."""
    office = office_in(folder, url)
    two.before(office)
    pause = {"PAUSE_AT": f"judged:{two.stops}", "PAUSE_FILE": str(folder / "pause")}
    with started(folder, url, words_of(office, two.first), **pause, **more) as first:
        until(lambda: (folder / "pause.reached").exists() or first.poll() is not None)
        assert first.poll() is None, said_by(folder, 0)
        two.arrives(office)
        with started(folder, url, words_of(office, two.second), **more) as second:
            until(lambda: second.poll() is not None or "Another run is at work" in said_by(folder, 1))
            (folder / "pause.go").touch()
            assert {first.wait(60), second.wait(60)} <= {0, 1}, said_by(folder, 0) + said_by(folder, 1)
    return office


def words_of(office: Office, words: tuple[str, ...]) -> tuple[str, ...]:
    """The words, with the number of the slip in its place."""
    return tuple(slipped(office) if word == "{slip}" else word for word in words)


def one_after_the_other(folder: Path, two: Two, *, in_order: bool) -> dict[str, object]:
    """What is stored where nobody meets."""
    office = office_in(folder)
    two.before(office)
    slip = slipped(office) if "{slip}" in two.second else ""
    if in_order:
        _do(office, two.first, slip)
    two.arrives(office)
    _do(office, two.second, slip)
    if not in_order:
        _do(office, two.first, slip)
    found = content(office)
    office.warehouse.close()
    return found


def _do(office: Office, words: tuple[str, ...], slip: str) -> None:
    period = Period.parse(words[1])
    if words[0] == "decide":
        found = next((one for one in office.warehouse.failures(FAMILY, period) if one.failure.id == slip), None)
        assert found is not None
        waive(office, FAMILY, found, (period, period), Word("李强", "核实无误"))
        return
    consolidate(office, FAMILY, period, command=words[0], bureaus=words[3:] or None)


SHORT = (
    "a rerun during a consolidation",
    "a decision during a consolidation",
)  # the others take as long, and are for `make test-slow`


@pytest.mark.parametrize(
    "name", [name if name in SHORT else pytest.param(name, marks=pytest.mark.slow) for name in CASES]
)
def test_two_at_once_come_to_what_one_after_the_other_does(
    name: str, tmp_path: Path, warehouse_url: str | None
) -> None:
    two = CASES[name]
    orders = [one_after_the_other(tmp_path / f"{order}", two, in_order=order) for order in (True, False)]

    office = at_once(tmp_path / "both", warehouse_url, two, **_lock_or_not())

    found = content(office)
    assert found in orders, [[key for key in found if found[key] != order.get(key)] for order in orders]
    assert found["pending"] == []
    assert [one for one in verified(office) if not one.holds] == []
    assert "Another run is at work" in said_by(tmp_path / "both", 1)
    office.warehouse.close()


def _lock_or_not() -> dict[str, str]:
    """`TWO_WITHOUT_RUN_LOCK=1` in the environment shows that these tests fail without the lock."""
    return {"WITHOUT_RUN_LOCK": "1"} if os.environ.get("TWO_WITHOUT_RUN_LOCK") else {}
