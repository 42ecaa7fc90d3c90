"""A figure that rightly differs from what was accepted before is booked: the rule holds by it, sums contain it, and it is seen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from disclosure_etl.blank_workbooks import blank_workbooks
from disclosure_etl.calendar import StoryClock
from disclosure_etl.decisions import Word
from disclosure_etl.office import Office
from disclosure_etl.pipeline import consolidate, roll_up
from disclosure_etl.restated import Wanted, restate, withdraw
from schemas.consolidation import Consolidation
from schemas.errors import UserError
from schemas.periods import Period
from tests.factories import FAMILY, Figures, default_form, office_of, return_bytes, send, send_month
from tests.test_deltas import with_open

JANUARY, FEBRUARY, MARCH = (Period.parse(f"2014-{number:02d}") for number in (1, 2, 3))
WORD = Word("王处长", "盘点台账,上年漏转两件")
OPENING = Wanted("haidian", "applications.opening", "2", "recount")
YEAR = Wanted("haidian", "publications", "-4", "earlier_error")


@pytest.fixture
def office(tmp_path: Path, warehouse_url: str | None) -> Iterator[Office]:
    """An office of two bureaus."""
    one = office_of(tmp_path, warehouse_url, "shiju", "haidian")
    yield one
    one.warehouse.close()


def month(office: Office, period: Period, figures: Figures) -> None:
    send_month(office, period, without=("haidian",))
    send(office, f"haidian_{period}.xlsx", return_bytes(default_form(), period, "haidian", "海淀分局", figures))


def frozen(office: Office, period: Period) -> Consolidation:
    one = office.warehouse.consolidation(FAMILY, period)
    assert one is not None
    return one


def value(one: Consolidation, indicator: str, column: str = "month") -> int | None:
    return next(each.value for each in one.figures if (each.indicator, each.column) == (indicator, column))


def stands(office: Office, period: Period) -> tuple[str, int]:
    state = next(each for each in frozen(office, period).bureaus if each.bureau == "haidian")
    return state.status, state.errors


@pytest.fixture
def two_more(office: Office) -> Office:
    """February opens with five where January was accepted to close with three."""
    month(office, JANUARY, with_open(1, 0, 3))
    consolidate(office, FAMILY, JANUARY)
    month(office, FEBRUARY, with_open(2, 5, 5, before=3))
    consolidate(office, FAMILY, FEBRUARY)
    return office


def test_an_opening_that_differs_is_held_until_it_is_restated(two_more: Office) -> None:
    assert stands(two_more, FEBRUARY)[0] == "partly_held"

    done = restate(two_more, FAMILY, FEBRUARY, OPENING, WORD)

    assert (done.restatement.number, done.restatement.amount, done.restatement.column) == (1, 2, "month")
    assert stands(two_more, FEBRUARY) == ("accepted", 0)
    (booked,) = frozen(two_more, FEBRUARY).restatements
    assert (booked.indicator, booked.amount, booked.code, booked.by) == ("applications.opening", 2, "recount", WORD.by)
    assert frozen(two_more, JANUARY).restatements == ()


def test_the_same_twice_is_one_and_withdrawn_it_holds_nothing_up_any_more(two_more: Office) -> None:
    first = restate(two_more, FAMILY, FEBRUARY, OPENING, WORD)
    version = frozen(two_more, FEBRUARY).version
    again = restate(two_more, FAMILY, FEBRUARY, OPENING, WORD)
    assert (again.restatement.number, frozen(two_more, FEBRUARY).version) == (first.restatement.number, version)

    withdraw(two_more, FAMILY, first.restatement.number, WORD)
    state = next(each for each in frozen(two_more, FEBRUARY).bureaus if each.bureau == "haidian")
    assert (state.status, state.stale) == ("accepted", True)  # what was accepted stays so, and is looked at
    with pytest.raises(UserError, match="1"):
        withdraw(two_more, FAMILY, first.restatement.number, WORD)
    kinds = [one.kind for one in two_more.warehouse.audit_events()]
    assert (kinds.count("restate"), kinds.count("restatement_withdrawn")) == (1, 1)


def test_a_restated_opening_stands_in_the_next_blank_workbook(office: Office) -> None:
    month(office, JANUARY, with_open(1, 0, 3))
    consolidate(office, FAMILY, JANUARY)
    blank = dict(blank_workbooks(office, FAMILY, FEBRUARY, ["haidian"]))
    restate(office, FAMILY, FEBRUARY, OPENING, WORD)
    assert dict(blank_workbooks(office, FAMILY, FEBRUARY, ["haidian"])) != blank


def test_a_restated_cumulative_is_in_every_sum_that_contains_it(office: Office) -> None:
    """In March it is found that four publications of the year were counted twice."""
    for number, period in enumerate((JANUARY, FEBRUARY, MARCH), 1):
        figures = with_open(number, 0, 0)
        if period == MARCH:
            figures[("publications", "year_to_date")] -= Decimal(4)
            figures[("publications.business", "year_to_date")] -= Decimal(4)
            figures[("publications.full_text", "year_to_date")] -= Decimal(4)
        month(office, period, figures)
        consolidate(office, FAMILY, period)
    quarter = Period.parse("2014Q1")
    before = roll_up(office, FAMILY, quarter)
    assert stands(office, MARCH)[0] == "partly_held"
    for indicator in ("publications", "publications.business", "publications.full_text"):
        restate(office, FAMILY, MARCH, Wanted("haidian", indicator, "-4", "earlier_error"), WORD)

    assert stands(office, MARCH) == ("accepted", 0)
    assert value(frozen(office, MARCH), "publications", "year_to_date") == 2 * 3 * 12 - 4
    assert value(frozen(office, MARCH), "publications") == 2 * 12
    after = frozen(office, quarter)
    assert (value(before, "publications"), value(after, "publications")) == (72, 68)
    for period, column in ((MARCH, "year_to_date"), (quarter, "month")):
        own = office.warehouse.bureau_figures(default_form(), period, [column])
        total = sum(one.value or 0 for one in own if one.indicator == "publications")
        assert total == value(frozen(office, period), "publications", column)
    assert len(after.restatements) == 3


def added_up(office: Office, period: Period, indicator: str, version: int | None = None) -> int:
    """What all bureaus' cumulatives of an indicator add up to."""
    own = office.warehouse.bureau_figures(default_form(), period, ["year_to_date"], version)
    return sum(one.value or 0 for one in own if one.indicator == indicator)


def test_a_rerun_for_a_bureau_that_sent_nothing_takes_a_restated_month(two_more: Office) -> None:
    restate(two_more, FAMILY, FEBRUARY, OPENING, WORD)
    version = frozen(two_more, FEBRUARY).version
    consolidate(two_more, FAMILY, FEBRUARY, command="rerun", bureaus=["nobody"])
    assert frozen(two_more, FEBRUARY).version == version


def test_what_is_restated_of_a_bureau_that_sent_nothing_is_among_the_bureaus_figures(office: Office) -> None:
    """Also by the version of a later month, while the month that it was restated in has none."""
    for period in (JANUARY, MARCH):
        send_month(office, period, without=("haidian",))
        consolidate(office, FAMILY, period)
    done = restate(office, FAMILY, FEBRUARY, Wanted("haidian", "publications", "3", "earlier_error"), WORD)
    one = frozen(office, MARCH)
    for version in (None, one.version):
        assert (
            added_up(office, MARCH, "publications", version) == value(one, "publications", "year_to_date") == 12 * 2 + 3
        )

    assert isinstance(office.clock, StoryClock)
    office.clock.set(office.clock() + timedelta(days=1))
    withdraw(office, FAMILY, done.restatement.number, WORD)
    assert added_up(office, MARCH, "publications") == value(frozen(office, MARCH), "publications", "year_to_date") == 24
    assert added_up(office, MARCH, "publications", one.version) == 27


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Wanted("haidian", "applications.received", "2", "recount", "month"), "applications.opening/month"),
        (Wanted("haidian", "no.such", "2", "recount"), "applications.opening/month"),
        (Wanted("haidian", "applications.opening", "0", "recount"), "0"),
        (Wanted("haidian", "applications.opening", "1.5", "recount"), "1.5"),
        (Wanted("haidian", "applications.opening", "两件", "recount"), "两件"),
        (Wanted("haidian", "applications.opening", "2", "because"), "earlier_error"),
        (Wanted("haidian", "reconsiderations.closing", "2", "recount"), "applications.opening/month"),
    ],
)  # fmt: skip
def test_what_cannot_be_restated_is_refused_with_what_can(office: Office, wanted: Wanted, told: str) -> None:
    with pytest.raises(UserError, match=told):
        restate(office, FAMILY, FEBRUARY, wanted, WORD)
    assert office.warehouse.restatements(FAMILY) == []


def test_what_was_restated_of_a_bureau_that_sent_nothing_stands_in_its_name(office: Office) -> None:
    for period in (JANUARY, FEBRUARY):
        send_month(office, period, without=("haidian",))
        consolidate(office, FAMILY, period)
    restate(office, FAMILY, FEBRUARY, YEAR, WORD)
    quarter = roll_up(office, FAMILY, Period.parse("2014Q1"))
    for one, column in ((frozen(office, FEBRUARY), "year_to_date"), (quarter, "month")):
        told = office.warehouse.bureau_figures(default_form(), Period.parse(one.period), None, one.version)
        own = {each.bureau: each.value for each in told if (each.indicator, each.column) == ("publications", column)}
        assert own["haidian"] == -4 and sum(filter(None, own.values())) == value(one, "publications", column)


def test_nothing_is_restated_of_a_bureau_that_owes_no_return_of_the_period(two_more: Office) -> None:
    with pytest.raises(UserError, match=r"chongwen.*shiju, haidian"):
        restate(two_more, FAMILY, FEBRUARY, Wanted("chongwen", "publications", "2", "merger"), WORD)
