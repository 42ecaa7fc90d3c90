"""What follows a correction is proposed cell by cell, confirmed once by the bureau, and then everything adds up again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disclosure_etl import deltas
from disclosure_etl.decisions import Word
from disclosure_etl.office import Office
from disclosure_etl.pipeline import consolidate
from disclosure_etl.quality.following import Step
from disclosure_etl.quality.following import deltas as following
from disclosure_etl.settings import default_config_dir
from schemas.compiling import constraint_table
from schemas.errors import UserError
from schemas.formfile import load_forms
from schemas.periods import Period
from schemas.values import UNKNOWN
from tests.factories import FAMILY, Figures, default_form, office_of, return_bytes, send, send_month, some_figures
from tests.ready_office import ReadyOffices

MONTHS = [Period.parse(f"2014-{number:02d}") for number in range(1, 5)]
JANUARY, FEBRUARY, MARCH, APRIL = MONTHS
WORD = Word("海淀 李科长", "一月少计两件,后续月份顺延")


def with_open(month: int, opening: int, closing: int, before: int = 0) -> Figures:
    """A month that begins and ends with so many open applications; `before` of the year are received beyond 20 a month."""
    figures = some_figures(default_form(), month)
    received = 20 + closing - opening
    for column, total in (("month", received), ("year_to_date", 20 * month + before + closing - opening)):
        figures[("applications.opening", column)] = Decimal(opening if column == "month" else 0)
        figures[("applications.closing", column)] = Decimal(closing)
        figures[("applications.received", column)] = Decimal(total)
        others = 15 if column == "month" else 15 * month
        figures[("applications.received.letter", column)] = Decimal(total - others)
    return figures


def haidian(office: Office, period: Period, figures: Figures, revision: int = 1) -> None:
    data = return_bytes(default_form(), period, "haidian", "海淀分局", figures, revision)
    send(office, f"haidian_{period}_{revision}.xlsx", data)


def opened(folder: Path, url: str | None) -> Office:
    """An office of three bureaus."""
    return office_of(folder, url, "shiju", "dongcheng", "haidian")


@pytest.fixture
def office(tmp_path: Path, warehouse_url: str | None) -> Iterator[Office]:
    """An office of three bureaus with nothing in it."""
    one = opened(tmp_path, warehouse_url)
    yield one
    one.warehouse.close()


def correct(office: Office) -> None:
    """Four months in which Haidian carries three applications over; then January turns out to have had five."""
    for number, period in enumerate(MONTHS, 1):
        opening = 0 if number == 1 else 3
        figures = with_open(number, opening, 3, before=3 if number > 1 else 0)
        send_month(office, period, without=("haidian",))
        haidian(office, period, figures)
        one = consolidate(office, FAMILY, period).consolidation
        assert next(each.status for each in one.bureaus if each.bureau == "haidian") == "accepted"
    haidian(office, JANUARY, with_open(1, 0, 5), revision=2)
    consolidate(office, FAMILY, JANUARY)


@pytest.fixture
def corrected(ready_offices: ReadyOffices, tmp_path: Path, warehouse_url: str | None) -> Iterator[Office]:
    """The office after that correction."""
    one = ready_offices.copied(opened, correct, tmp_path, on_server=warehouse_url is not None)
    yield one
    one.warehouse.close()


def shown(found: list) -> list[tuple[str, str, str, int]]:
    return [(one.period, one.indicator, one.column, one.amount) for one in found]


def test_one_delta_is_proposed_for_each_later_cell_that_no_longer_follows(corrected: Office) -> None:
    found = deltas.propose(corrected, FAMILY)
    expected = [
        (period.code, indicator, column, 2)
        for period in (FEBRUARY, MARCH, APRIL)
        for indicator, column in (
            ("applications.opening", "month"),
            ("applications.received", "year_to_date"),
            ("applications.received.letter", "year_to_date"),
            ("applications.closing", "month"),
            ("applications.closing", "year_to_date"),
        )
    ]
    assert sorted(shown(found)) == sorted(expected)
    assert {one.bureau for one in found} == {"haidian"}
    assert deltas.propose(corrected, FAMILY, bureaus=["dongcheng"]) == []


def test_later_accepted_months_stay_accepted_until_they_are_confirmed(corrected: Office) -> None:
    for period in (FEBRUARY, MARCH, APRIL):
        one = corrected.warehouse.consolidation(FAMILY, period)
        assert one is not None
        state = next(each for each in one.bureaus if each.bureau == "haidian")
        assert (state.status, state.stale) == ("accepted", period == FEBRUARY)


def test_confirmed_once_everything_follows_and_nothing_is_left(corrected: Office) -> None:
    proposed = deltas.propose(corrected, FAMILY)
    done = deltas.confirm(corrected, FAMILY, "haidian", WORD)

    assert (list(done.confirmed), done.left) == (proposed, ())
    assert deltas.propose(corrected, FAMILY) == []
    for period in MONTHS:
        one = corrected.warehouse.consolidation(FAMILY, period)
        assert one is not None
        state = next(each for each in one.bureaus if each.bureau == "haidian")
        assert (state.status, state.stale, state.errors, one.found) == ("accepted", False, 0, sum(one.counts.values()))
        assert all(one.failure.kind == "copy" for one in corrected.warehouse.failures(FAMILY, period, "haidian"))
    sent = corrected.warehouse.returns(FAMILY, MARCH, "haidian")
    assert [(one.revision, one.state.value) for one in sent] == [(1, "superseded"), (1, "accepted")]
    (told,) = [one for one in corrected.warehouse.audit_events("confirm") if MARCH.code in one.subject]
    assert (told.actor, told.details["reason"], len(told.details["deltas"])) == (WORD.by, WORD.reason, 5)
    with pytest.raises(UserError, match="no deltas"):
        deltas.confirm(corrected, FAMILY, "haidian", WORD)


def test_the_rest_of_a_confirmed_return_is_as_it_was(corrected: Office) -> None:
    before = corrected.warehouse.stored_batch(default_form(), MARCH, ["haidian"]).submissions[0]
    proposed = {
        (one.indicator, one.column): one.proposed
        for one in deltas.propose(corrected, FAMILY)
        if one.period == "2014-03"
    }
    deltas.confirm(corrected, FAMILY, "haidian", WORD)
    now = corrected.warehouse.stored_batch(default_form(), MARCH, ["haidian"]).submissions[0]
    for cell in default_form().cells:
        place, at = (cell.indicator, cell.column), cell.position
        expected = proposed[place] if cell.measure != "share" and place in proposed else before.numbers[at]
        assert (now.numbers[at], now.meanings[at] in (0, 7)) == (expected, before.meanings[at] in (0, 7)), place
        if cell.measure == "share":
            assert now.decimals[at] == before.decimals[at], place
    assert now.header["preparer"] == WORD.by and now.header["signer"] == before.header["signer"]


def test_what_the_bureau_sends_after_a_confirmation_counts(corrected: Office) -> None:
    """It knows nothing of revisions but its own: its next return has the number of its last."""
    deltas.confirm(corrected, FAMILY, "haidian", WORD)
    haidian(corrected, MARCH, with_open(3, 5, 7, before=5), revision=1)
    consolidate(corrected, FAMILY, MARCH)
    assert [one.state.value for one in corrected.warehouse.returns(FAMILY, MARCH, "haidian")] == [
        "superseded", "superseded", "accepted",
    ]  # fmt: skip


def test_figures_that_go_to_and_fro_are_confirmed_each_time(corrected: Office) -> None:
    for closing, revision in ((3, 3), (5, 4)):
        deltas.confirm(corrected, FAMILY, "haidian", WORD)
        haidian(corrected, JANUARY, with_open(1, 0, closing), revision=revision)
        consolidate(corrected, FAMILY, JANUARY)
    done = deltas.confirm(corrected, FAMILY, "haidian", WORD)
    assert done.left == () and deltas.propose(corrected, FAMILY) == []
    states = [one.state.value for one in corrected.warehouse.returns(FAMILY, MARCH, "haidian")]
    assert states == ["superseded"] * 3 + ["accepted"]


def test_a_month_with_something_held_is_left_and_told(corrected: Office) -> None:
    wrong = with_open(3, 3, 3, before=3)
    wrong[("enquiries.on_site", "month")] += 1
    haidian(corrected, MARCH, wrong, revision=2)
    consolidate(corrected, FAMILY, MARCH)
    done = deltas.confirm(corrected, FAMILY, "haidian", WORD)
    assert {one.period for one in done.confirmed} == {"2014-02"}
    assert [code for code, _ in done.left] == ["2014-03", "2014-04"]  # the opening of April is March's closing
    assert "opening:applications" in done.left[1][1].en
    assert [one.state.value for one in corrected.warehouse.returns(FAMILY, APRIL, "haidian")] == ["accepted"]

    haidian(corrected, MARCH, with_open(3, 5, 5, before=5), revision=3)
    consolidate(corrected, FAMILY, MARCH)
    done = deltas.confirm(corrected, FAMILY, "haidian", WORD)
    assert ({one.period for one in done.confirmed}, done.left) == ({"2014-04"}, ())


def test_a_correction_taken_back_leaves_nothing_to_confirm(corrected: Office) -> None:
    haidian(corrected, JANUARY, with_open(1, 0, 3), revision=3)
    consolidate(corrected, FAMILY, JANUARY)
    assert deltas.propose(corrected, FAMILY) == []


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(0, 20)), min_size=2, max_size=9),
    st.integers(-20, 20),
    st.integers(0, 8),
)
def test_deltas_put_the_whole_chain_right(months: list[tuple[int, int, int]], slip: int, unknown_from: int) -> None:
    """Whatever was received and closed, and by whatever a closing was off: with the deltas added, every opening is the closing
    before, every balance holds, and every cumulative adds up; and nothing is proposed beyond an unknown month."""
    form = default_form()
    steps, closing, so_far = [], 7, 0
    true: list[dict[str, int]] = []
    for number, (received, open_, _) in enumerate(months, 1):
        opening = closing if number > 1 else 7
        closing = opening + received - min(open_, opening + received)
        replied = opening + received - closing
        so_far += received
        month = {"applications.opening": opening, "applications.received": received, "replies": replied, "applications.closing": closing, "applications.withdrawn": 0}  # fmt: skip
        figures = {f"{code}|month|count": value for code, value in month.items()}
        figures["applications.received|year_to_date|count"] = so_far
        true.append(figures)
    reported = [dict(one) for one in true]
    reported[0]["applications.closing|month|count"] += slip
    reported[0]["applications.received|month|count"] += slip
    reported[0]["applications.received|year_to_date|count"] += slip
    cut = unknown_from if 1 <= unknown_from < len(months) else len(months)
    for number, own in enumerate(reported[:cut], 1):
        table = constraint_table(form, Period.parse(f"2014-{number:02d}"))
        own_fails = {}
        if number == 2 and slip:
            own_fails = {("opening:applications", "month"): np.array([slip]), ("year-to-date:applications.received", "year_to_date"): np.array([slip])}  # fmt: skip
        arrays = {name: np.array([value]) for name, value in own.items()}
        steps.append(Step(f"2014-{number:02d}", table, arrays, own_fails))
    for number in range(cut + 1, len(months) + 1):
        table = constraint_table(form, Period.parse(f"2014-{number:02d}"))
        steps.append(Step(f"2014-{number:02d}", table, {name: np.array([UNKNOWN]) for name in true[0]}))
    found = following(["haidian"], steps)
    for one in found:
        reported[int(one.period[5:]) - 1][f"{one.indicator}|{one.column}|{one.measure}"] += one.amount
    assert all(int(one.period[5:]) <= cut for one in found)
    for before, now in itertools.pairwise(reported[:cut]):
        assert now["applications.opening|month|count"] == before["applications.closing|month|count"]
        assert now["applications.opening|month|count"] + now["applications.received|month|count"] == (
            now["replies|month|count"] + now["applications.closing|month|count"]
        )
        assert now["applications.received|year_to_date|count"] == (
            before["applications.received|year_to_date|count"] + now["applications.received|month|count"]
        )


def test_nothing_is_carried_over_into_another_version_of_the_form() -> None:
    """Both versions have cumulatives of applications received; those of the later one begin anew."""
    forms = load_forms(sorted((default_config_dir() / "forms").glob("bureau-monthly-*.yaml"))).forms
    april, may = (
        constraint_table(form, Period.parse(code)) for form, code in zip(forms, ("2019-04", "2019-05"), strict=True)
    )
    steps = [
        Step(code, table, {cell.name: np.array([7]) for cell in table.form.cells}, fails)
        for code, table, fails in (
            ("2019-04", april, {("year-to-date:applications.received", "year_to_date"): np.array([2])}),
            ("2019-05", may, {}),
        )
    ]
    assert shown(following(["haidian"], steps)) == [("2019-04", "applications.received", "year_to_date", 2)]
