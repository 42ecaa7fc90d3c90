"""Exports of an office whose bureaus merged: by any tree, of any version, over longer periods; and bureaus that nobody knows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from disclosure_etl.decisions import Word
from disclosure_etl.office import Office
from disclosure_etl.pipeline import consolidate, roll_up
from disclosure_etl.reports.by_tree import LineKind
from disclosure_etl.reports.exported import Choice, Exported, exported, periods_of
from disclosure_etl.returned import decide
from disclosure_etl.signing import Wish, sign_off
from schemas.errors import UserError
from schemas.periods import Period
from schemas.returns import ReturnAction
from tests.factories import FAMILY, ZONE, return_bytes, send
from tests.successions import FORM, OLD, month, office_of, sent

ENTRIES = [
    ("a", OLD, "2014-01-31", ["m"]),
    ("b", OLD, "2014-01-31", ["m"]),
    ("m", "2014-02-01", None, []),
    ("c", OLD, None, []),
]
JANUARY, FEBRUARY, QUARTER = map(Period.parse, ("2014-01", "2014-02", "2014Q1"))
MONTH, YEAR = ("publications", "month"), ("publications", "year_to_date")


@pytest.fixture
def office(tmp_path: Path, warehouse_url: str | None) -> Iterator[Office]:
    """Two bureaus that merged after January, one that did not."""
    one = office_of(tmp_path, ENTRIES, warehouse_url)
    a, b, c = month(0, 3), month(0, 4), month(0, 0)
    sent(one, "2014-01", a=a, b=b, c=c)
    sent(one, "2014-02", m=month(7, 7, a, b), c=month(0, 0, c))
    yield one
    one.warehouse.close()


def told(found: Exported, place: tuple[str, str] = MONTH) -> dict[str, int | None]:
    """By code (or the English name of what is no bureau): the figure of each line but subtotals."""
    return {
        line.code or line.name.en: line.values[place][0] for line in found.lines if line.kind is not LineKind.SUBTOTAL
    }


def total(found: Exported, place: tuple[str, str] = MONTH) -> int | None:
    return next(one.value for one in found.consolidation.figures if (one.indicator, one.column) == place)


def by(tree: str, **more) -> Choice:
    return Choice(tree, **more)


def test_by_the_tree_of_the_day_and_by_todays(office: Office) -> None:
    assert told(exported(office, FAMILY, JANUARY, by("day"))) == {"a": 12, "b": 12, "c": 12, "Total": 36}
    assert told(exported(office, FAMILY, JANUARY, by("today"))) == {"m": 24, "c": 12, "Total": 36}
    earlier = exported(office, FAMILY, FEBRUARY, by("2014-01-15"))
    assert earlier.tree_day.isoformat() == "2014-01-15"
    assert told(earlier) == {"a": None, "b": None, "m": 12, "c": 12, "Total": 24}
    assert told(earlier, YEAR) == {"a": 12, "b": 12, "m": 12, "c": 24, "Total": 60}


def test_cumulatives_of_a_merged_bureau_are_those_of_all_before_it(office: Office) -> None:
    found = exported(office, FAMILY, FEBRUARY, by("day"))

    assert told(found, YEAR) == {"m": 36, "c": 24, "Total": 60}
    (merged,) = [line for line in found.lines if line.code == "m"]
    assert merged.includes == ("m", "a", "b")


def test_a_version_is_laid_out_as_it_was(office: Office) -> None:
    before = [exported(office, FAMILY, period, by("today")) for period in (JANUARY, FEBRUARY)]
    corrected = month(0, 4)
    for column in ("month", "year_to_date"):
        for code in ("publications", "publications.business"):
            corrected[(code, column)] += 5
    sent(office, "2014-01", b=corrected, revision=2)

    after = [exported(office, FAMILY, period, by("today")) for period in (JANUARY, FEBRUARY)]
    again = [exported(office, FAMILY, period, by("today", version=1)) for period in (JANUARY, FEBRUARY)]

    assert [told(one, YEAR)["m"] for one in before] == [24, 36]
    assert [told(one, YEAR)["m"] for one in after] == [29, 41]
    assert [one.consolidation.version for one in after] == [2, 2]
    # In a test both versions of January are of one moment, so that February's first is added up from the second of them.
    assert told(again[0], YEAR) == told(before[0], YEAR)
    assert again[0].lines == before[0].lines
    assert all(told(one, YEAR)["Total"] == total(one, YEAR) for one in (*before, *after, *again))


def test_a_quarter_is_told_by_bureau_too(office: Office) -> None:
    sent(
        office, "2014-03", m=month(7, 7, month(7, 7, month(0, 3), month(0, 4))), c=month(0, 0, month(0, 0), month(0, 0))
    )
    roll_up(office, FAMILY, QUARTER)

    found = exported(office, FAMILY, QUARTER, by("day"))

    assert told(found) == {"m": 48, "c": 36, "Total": 84}
    openings = told(found, ("applications.opening", "month")), told(found, ("applications.closing", "month"))
    assert [one["m"] for one in openings] == [0, 7]


def test_a_bureau_that_was_taken_out_of_the_list_is_in_the_bucket_and_in_the_total(
    office: Office, tmp_path: Path
) -> None:
    url = office.settings.warehouse_url.replace("+psycopg", "")
    known = [entry for entry in ENTRIES if entry[0] != "c"]
    after = office_of(tmp_path, known, None if url.startswith("sqlite") else url)

    again = consolidate(after, FAMILY, FEBRUARY).consolidation
    found = exported(after, FAMILY, FEBRUARY, by("today"))

    assert next(one.value for one in again.figures if (one.indicator, one.column) == MONTH) == 24
    assert "c" in {state.bureau for state in again.bureaus}
    assert told(found) == {"m": 12, "Unassigned": 12, "c": 12, "Total": 24}
    (line,) = [one for one in found.lines if one.code == "c"]
    assert (line.level, line.name.zh) == (1, "c分局")
    after.warehouse.close()


def test_a_return_of_an_unknown_bureau_is_listed_and_counts_once_it_is_entered(office: Office, tmp_path: Path) -> None:
    data = return_bytes(FORM, JANUARY, "new", "new分局", month(0, 0))
    send(office, "new_2014-01.xlsx", data)

    before = consolidate(office, FAMILY, JANUARY).consolidation

    refused = office.warehouse.refused(FAMILY, JANUARY)
    assert [(one.file, one.status, one.bureau_written) for one in refused] == [
        ("new_2014-01.xlsx", "misdirected", "new分局、new")
    ]
    assert total_of(before) == 36 and before.found == sum(before.counts.values())
    url = office.settings.warehouse_url.replace("+psycopg", "")
    entered = office_of(tmp_path, [*ENTRIES, ("new", OLD, None, [])], None if url.startswith("sqlite") else url)
    assert total_of(consolidate(entered, FAMILY, JANUARY).consolidation) == 48
    entered.warehouse.close()


def total_of(one) -> int:
    return next(figure.value for figure in one.figures if (figure.indicator, figure.column) == MONTH)


def test_what_is_asked_for_must_be_there(office: Office) -> None:
    for choice, said in (
        (by("yesterday"), "--tree 'yesterday' is not understood"),
        (by("day", version=9), "2014-01 has no version 9; the newest is 1."),
        (by("day", as_of=datetime(2014, 1, 1, tzinfo=ZONE)), "was not consolidated yet by 2014-01-01"),
        (by("day", indicators=("publication",)), "Did you mean 'publications'?"),
        (by("day", columns=("weekly",)), "There is no column 'weekly'"),
    ):
        with pytest.raises(UserError) as raised:
            exported(office, FAMILY, JANUARY, choice)
        assert said in raised.value.message.en
    some = exported(office, FAMILY, JANUARY, by("day", indicators=("主动公开政府信息",), columns=("month",)))
    assert [(cell.indicator, cell.column) for cell in some.cells] == [MONTH]


def test_periods_are_named_or_a_range() -> None:
    assert periods_of(["2014年5月", "2014-11..2015-01"]) == (
        [Period.parse("2014-05")],
        [Period.parse(code) for code in ("2014-11", "2014-12", "2015-01")],
    )
    for wrong in ("2014-05..2014Q3", "2014-05..2014-04"):
        with pytest.raises(UserError, match="cannot be used"):
            periods_of([wrong])


def test_a_version_without_held_blocks_is_told_without_them(office: Office) -> None:
    first = office.warehouse.returns(FAMILY, JANUARY, "a")[0]
    decide(office, ReturnAction.RETURN, first, Word("王处长", "单位来电说明"))
    held = Wish("王处长", without_held=True, acknowledge="已核")
    assert sign_off(office, FAMILY, JANUARY, held).version.without_held

    for period in (JANUARY, FEBRUARY):
        found = exported(office, FAMILY, period, by("day"))
        assert "Not told by bureau" not in told(found)
        for place in (MONTH, YEAR):
            figures = told(found, place)
            assert sum(value or 0 for name, value in figures.items() if name != "Total") == figures["Total"]
