"""A nil return as the figures it stands for, and whole returns that are not what they seem."""

from __future__ import annotations

from disclosure_etl.quality.judging import judge
from disclosure_etl.quality.nil import fill_nil
from disclosure_etl.quality.returns import mark_two_returns
from schemas.periods import Period
from schemas.records import NO_DECIMALS, Batch, History
from schemas.values import Meaning
from tests.factories import default_form
from tests.forms.trials import AS_SHIPPED
from tests.quality.test_judging import APRIL, quiet
from tests.quality.written import MAY, history_of, rules_of, verdict, written

FORM = default_form()
OPEN = ("applications.opening", "applications.closing")
LEFT_OPEN = APRIL | {(code, column): 3 for code in OPEN for column in ("month", "year_to_date")}


def filled(one, history: History, period: Period = MAY) -> dict[tuple[str, str], tuple[int, Meaning]]:
    """The number and meaning of every cell that has a number."""
    (returned,) = fill_nil(Batch(FORM, period, (one,)), history, period.opens_year).submissions
    return {
        (cell.indicator, cell.column): (returned.numbers[cell.position], Meaning(returned.meanings[cell.position]))
        for cell in FORM.cells
        if returned.decimals[cell.position] != 255
    }


def test_flows_are_zero_balances_stay_and_cumulatives_go_on() -> None:
    cells = filled(written(FORM, {}, nil=True), history_of(FORM, LEFT_OPEN))

    assert cells[("publications", "month")] == (0, Meaning.NIL)
    assert cells[("applications.opening", "month")] == (3, Meaning.NIL)
    assert cells[("applications.closing", "month")] == (3, Meaning.NIL)
    assert cells[("publications", "year_to_date")] == (12, Meaning.NIL)


def test_in_january_cumulatives_begin_anew() -> None:
    january = Period.parse("2014-01")
    cells = filled(written(FORM, {}, nil=True, period=january), history_of(FORM, LEFT_OPEN, period=january), january)

    assert cells[("publications", "year_to_date")] == (0, Meaning.NIL)
    assert cells[("applications.opening", "year_to_date")] == (3, Meaning.NIL)


def test_a_balance_that_is_not_known_yet_stays_open() -> None:
    cells = filled(written(FORM, {}, nil=True), History())

    assert ("applications.closing", "month") not in cells
    assert cells[("publications", "month")] == (0, Meaning.NIL)


def test_a_total_of_flows_and_states_is_what_its_parts_are() -> None:
    """Nothing came and nothing was settled, but what was pending still is, and is among all results."""
    form, period = AS_SHIPPED["bureau-monthly/2019"], Period.parse("2022-03")
    before = {(cell.indicator, cell.column): 0 for cell in form.cells} | {("reconsiderations", "pending"): 3}
    before |= {("reconsiderations", "all_results"): 8}

    one = verdict(
        written(form, {}, nil=True, period=period), form, history_of(form, before, period=period), period=period
    )
    open_still = verdict(written(form, {}, nil=True, period=period), form, History(), period=period)

    place = form.cell_at[("reconsiderations", "all_results", "count")].position
    assert (one.failures, one.submission.numbers[place]) == ((), 3)
    assert (open_still.failures, open_still.submission.decimals[place]) == ((), NO_DECIMALS)


def test_how_things_stood_before_is_not_how_they_stood_before_that() -> None:
    form, period = AS_SHIPPED["national-annual/2019"], Period.parse("2020")
    before = {(cell.indicator, cell.column): 2 for cell in form.cells}

    one = verdict(
        written(form, {}, nil=True, period=period), form, history_of(form, before, period=period), period=period
    )

    place = form.cell_at[("permits", "items_before", "count")].position
    assert one.submission.decimals[place] == NO_DECIMALS
    assert not [failure for failure in one.failures if failure.column == "items_before"]


def test_a_nil_return_passes_every_rule() -> None:
    one = verdict(written(FORM, {}, nil=True), FORM, history_of(FORM, LEFT_OPEN))

    assert (one.failures, one.whole_return_held) == ((), False)


def test_typed_figures_of_a_nil_return_stay_and_contradict_it() -> None:
    typed = written(FORM, {("enquiries", "month"): 4}, nil=True)

    assert filled(typed, history_of(FORM, LEFT_OPEN))[("enquiries", "month")] == (4, Meaning.NUMBER)
    one = verdict(typed, FORM, history_of(FORM, LEFT_OPEN))
    assert one.whole_return_held
    (failure,) = [failure for failure in one.failures if failure.rule == "return:nil_with_figures"]
    assert failure.seen == ("4",)


def test_an_untouched_blank_is_told_once_and_not_cell_by_cell() -> None:
    one = verdict(written(FORM, {}), FORM, history_of(FORM, APRIL))

    assert [failure.rule for failure in one.failures] == ["return:untouched"]
    assert one.whole_return_held


def test_two_returns_of_one_revision_are_both_marked_with_both_names() -> None:
    first, second = written(FORM, quiet()), written(FORM, quiet() | {("enquiries", "month"): 8})
    other = written(FORM, quiet(), bureau="xicheng")

    marked = mark_two_returns([first, other, second])

    assert [[finding.code for finding in one.findings] for one in marked] == [
        ["return:two_returns"], [], ["return:two_returns"],
    ]  # fmt: skip
    assert marked[0].findings[0].seen == (first.file, second.file)
    assert all(one.whole_return_held for one in judge(Batch(FORM, MAY, (marked[0], marked[2])), rules_of(FORM)).judged)
