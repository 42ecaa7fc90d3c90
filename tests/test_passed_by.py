"""What a run for some bureaus fetches: what it cannot know by its size and time. A run for all looks at all bytes."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from disclosure_etl.intake.sources import FolderSource
from disclosure_etl.office import Office
from disclosure_etl.pipeline import consolidate
from schemas.consolidation import Consolidation
from schemas.periods import Period
from tests.factories import FAMILY, ZONE, default_form, return_bytes, send, send_month, some_figures

JANUARY, FEBRUARY = Period.parse("2014-01"), Period.parse("2014-02")
NOW = datetime(2014, 2, 6, 8, tzinfo=ZONE)  # of the office's clock
BEFORE = NOW - timedelta(days=2)
LENGTH = 40_000


def written(path: Path, at: datetime) -> None:
    os.utime(path, (at.timestamp(), at.timestamp()))


def data(more: int, revision: int = 1, length: int = LENGTH) -> bytes:
    """Haidian's January, with so many more lawsuits; as long as is said, which a comment in the zip file fills."""
    figures = some_figures(default_form())
    for indicator in ("litigation.received", "litigation.upheld"):
        for column in ("month", "year_to_date"):
            figures[(indicator, column)] += Decimal(more)
    found = return_bytes(default_form(), JANUARY, "haidian", "海淀分局", figures, revision)
    rest = length - len(found)
    return found[:-2] + rest.to_bytes(2, "little") + b" " * rest


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of all that is fetched."""
    names: list[str] = []
    read = FolderSource._read

    def noted(self: FolderSource, name: str, *arguments: object) -> bytes:
        names.append(name)
        return read(self, name, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(FolderSource, "_read", noted)
    return names


@pytest.fixture
def inbox(office: Office, fetched: list[str]) -> Path:
    """January is consolidated; February lies there, too."""
    send_month(office, JANUARY, without=["haidian"])
    send(office, "haidian_2014-01.xlsx", data(0))
    send_month(office, FEBRUARY)
    folder = office.settings.inbox_path
    for path in folder.iterdir():
        written(path, BEFORE)
    run(office)
    fetched.clear()
    return folder


def run(office: Office, *bureaus: str) -> Consolidation:
    return consolidate(office, FAMILY, JANUARY, command="rerun", bureaus=bureaus or None).consolidation


def lawsuits(one: Consolidation) -> int | None:
    return next(each.value for each in one.figures if (each.indicator, each.column) == ("litigation.received", "month"))


def test_a_correction_alone_is_fetched_and_all_others_are_counted(
    office: Office, inbox: Path, fetched: list[str]
) -> None:
    written(send(office, "haidian_2.xlsx", data(1, 2)), BEFORE)

    one = run(office, "haidian")

    assert fetched == ["haidian_2.xlsx"]
    assert {status.value: count for status, count in one.counts.items() if count} == {
        "accepted": 17, "superseded": 1, "other_period": 17,
    }  # fmt: skip
    again = run(office)
    assert len(fetched) == 1 + 17 + 1 + 17
    assert (again.version, again.counts, again.figures) == (one.version, one.counts, one.figures)


def test_what_was_written_since_is_fetched_also_of_the_same_size(
    office: Office, inbox: Path, fetched: list[str]
) -> None:
    before = lawsuits(run(office))
    fetched.clear()
    path = send(office, "haidian_2014-01.xlsx", data(1))
    written(path, BEFORE + timedelta(seconds=1))

    assert before is not None and lawsuits(run(office, "haidian")) == before + 1
    assert fetched == ["haidian_2014-01.xlsx"]


def test_what_bears_the_same_size_and_time_is_noticed_by_a_run_for_all(
    office: Office, inbox: Path, fetched: list[str]
) -> None:
    written(send(office, "haidian_2014-01.xlsx", data(1)), BEFORE)
    before = lawsuits(run(office, "haidian"))
    assert fetched == []

    assert before is not None and lawsuits(run(office)) == before + 1


@pytest.mark.parametrize("at", [NOW - timedelta(seconds=3), NOW + timedelta(days=1)])
def test_what_was_written_right_before_it_was_taken_is_fetched_again(
    office: Office, inbox: Path, fetched: list[str], at: datetime
) -> None:
    """Its next writing may bear the same time."""
    written(send(office, "haidian_2.xlsx", data(1, 2)), at)
    run(office, "haidian")
    written(send(office, "haidian_2.xlsx", data(2, 3)), at)
    before = lawsuits(run(office, "haidian"))

    assert fetched == ["haidian_2.xlsx"] * 2
    assert before == lawsuits(run(office))


def test_what_could_not_be_read_is_looked_at_each_time(office: Office, inbox: Path, fetched: list[str]) -> None:
    written(send(office, "海淀_2014-01.xlsx", b"nothing"), BEFORE)
    run(office, "haidian")
    run(office, "haidian")

    assert fetched == ["海淀_2014-01.xlsx"] * 2


def test_a_scan_belongs_to_the_return_beside_it_that_was_not_fetched(
    office: Office, inbox: Path, fetched: list[str]
) -> None:
    written(send(office, "东城/月报.xlsx", data(2, 2)), BEFORE)
    run(office, "haidian")
    fetched.clear()
    send(office, "东城/盖章.jpg", b"\xff\xd8\xff\xe0 a photograph")

    one = run(office, "haidian")

    assert fetched == ["东城/盖章.jpg"]
    assert next(state.attachments for state in one.bureaus if state.bureau == "haidian") == ("东城/盖章.jpg",)
