"""Consolidated figures against a plain model: sums, cumulatives, coarser periods, bureaus, and versions of them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from disclosure_etl.warehouse import BaselineRow, Warehouse
from schemas.consolidation import Consolidation, VersionStatus
from schemas.errors import UserError
from schemas.formfile import Forms
from schemas.forms import Form
from schemas.periods import Period
from tests.warehouse.small import (
    AT,
    CASES,
    FAMILY,
    Figures,
    Story,
    figures_of,
    small_form,
    submission,
    unvalidated,
    values,
    verdict,
)

JAN, FEB, MAR = "2014-01", "2014-02", "2014-03"
EAST = {
    JAN: values((10, 1250, 4, 5, 3, 6)),
    FEB: values((20, 2500, 6, 7, 3, 10)),
    MAR: values((30, 0, 10, 1, 1, 10)),
}
WEST = {JAN: values((1, 5, 1, 2, 3, 0)), FEB: values((2, 0, 0, 8, 4, 4)), MAR: values((3, 10, 4, 0, 4, 0))}
MONTHS = st.lists(st.tuples(*(st.one_of(st.none(), st.integers(0, 10**9)) for _ in range(6))), min_size=1, max_size=4)


def modelled(months: list[list[Figures]]) -> dict[str, int | None]:
    """Year to date by plain Python: `months` holds the returns of each month, in order."""

    def total(returns: list[Figures], name: str) -> int | None:
        there = [one[name] for one in returns if one.get(name) is not None]
        return sum(there) if there else None

    def year(name: str) -> int | None:
        if name == "cases.opening":
            return total(months[0], name)
        if name == "cases.closing":
            return total(months[-1], name)
        there = [value for value in (total(month, name) for month in months) if value is not None]
        return sum(there) if there else None

    return {name: year(name) for name in EAST[JAN]}


def three_months(story: Story) -> list[Consolidation]:
    """January to March of both bureaus."""
    return [story.month(period, {"east": EAST[period], "west": WEST[period]}) for period in (JAN, FEB, MAR)]


def imported(story: Story, rows: list[tuple[str, str, str, int]], *, replace: bool = False) -> None:
    """Take over (bureau, period, indicator, number) as the months' own figures."""
    lines = [
        BaselineRow(bureau, Period.parse(period), indicator, "month", Decimal(number), line)
        for line, (bureau, period, indicator, number) in enumerate(rows, 2)
    ]
    run = story.run(rows[0][1])
    story.warehouse.import_baseline(run, FAMILY, Forms((story.form,)), lines, "old.csv", AT, replace=replace)


def test_a_month_is_the_sum_over_bureaus(story: Story) -> None:
    january = three_months(story)[0]
    assert figures_of(january) == {name: EAST[JAN][name] + WEST[JAN][name] for name in EAST[JAN]}
    assert not unvalidated(january)


def test_the_cumulative_is_computed_from_months(story: Story) -> None:
    march = three_months(story)[-1]
    assert figures_of(march, "year_to_date") == modelled([[EAST[period], WEST[period]] for period in (JAN, FEB, MAR)])


def test_a_reported_cumulative_is_never_loaded_as_a_figure(story: Story) -> None:
    wrong = dict.fromkeys(EAST[JAN], 999)
    story.receive(verdict(submission(story.form, "east", JAN, EAST[JAN], year_to_date=wrong)))
    assert figures_of(story.freeze(JAN), "year_to_date") == dict(EAST[JAN])


def test_a_quarter_adds_up_flows_and_takes_the_ends_of_balances(story: Story) -> None:
    three_months(story)
    quarter = story.freeze("2014Q1")
    assert figures_of(quarter) == modelled([[EAST[period], WEST[period]] for period in (JAN, FEB, MAR)])
    assert figures_of(quarter, "year_to_date") == {}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(east=MONTHS)
def test_any_months_add_up_to_their_year(east: list[tuple[int | None, ...]]) -> None:
    warehouse = Warehouse.open("sqlite://")
    story = Story(warehouse)
    returns = [{name: value for name, value in values(month).items() if value is not None} for month in east]
    for number, figures in enumerate(returns, 1):
        frozen = story.month(f"2014-{number:02d}", {"east": figures, "west": figures})
    assert figures_of(frozen, "year_to_date") == modelled([[one, one] for one in returns])
    warehouse.close()


def test_a_held_block_makes_the_years_figure_unvalidated(story: Story) -> None:
    story.receive(verdict(submission(story.form, "east", JAN, EAST[JAN]), CASES))
    story.freeze(JAN)
    february = story.month(FEB, {"east": EAST[FEB]})
    assert not unvalidated(february)
    assert unvalidated(february, "year_to_date") == {"cases.opening", "cases.received", "cases.closed"}


def test_figures_of_bureaus_add_up_to_the_consolidated_ones(story: Story) -> None:
    march = three_months(story)[-1]
    for column in ("month", "year_to_date"):
        sums = dict.fromkeys(EAST[JAN], 0)
        for figure in story.warehouse.bureau_figures(story.form, Period.parse(MAR)):
            if figure.column == column:
                sums[figure.indicator] += figure.value or 0
        assert sums == figures_of(march, column), column


def test_the_same_content_makes_no_new_version(story: Story) -> None:
    first = three_months(story)[0]
    again = story.freeze(JAN)
    assert again == first
    assert story.warehouse.consolidation(FAMILY, Period.parse(JAN)) == first


def test_a_correction_makes_a_new_version_and_keeps_the_old_one(story: Story) -> None:
    first = three_months(story)[0]
    story.receive(verdict(submission(story.form, "east", JAN, EAST[FEB], revision=2)))
    second = story.freeze(JAN)
    assert (first.version, second.version) == (1, 2)
    assert story.warehouse.consolidation(FAMILY, Period.parse(JAN), 1) == first
    assert figures_of(story.freeze(MAR), "year_to_date") == modelled(
        [[EAST[FEB], WEST[JAN]], [EAST[FEB], WEST[FEB]], [EAST[MAR], WEST[MAR]]]
    )


def test_fewer_unanswered_rules_are_news_too(story: Story) -> None:
    """What waited for an earlier month is judged when it comes; the account must not go on saying that it waits."""
    sent = submission(story.form, "east", FEB, EAST[FEB])
    story.receive(verdict(sent, waiting=3))
    assert story.freeze(FEB).not_assessable == 3
    story.renew(verdict(sent))
    assert story.freeze(FEB).not_assessable == 0


def test_later_periods_are_those_with_submissions_in_order(story: Story) -> None:
    for period in (MAR, JAN, FEB):
        story.month(period, {"east": EAST[period]})
    found = story.warehouse.later_periods(FAMILY, Period.parse(JAN))
    assert [period.code for period in found] == [FEB, MAR]


def test_earlier_figures_of_the_office_enter_the_cumulative_unverified(story: Story) -> None:
    imported(story, [("", JAN, name, 100) for name in EAST[JAN]])
    january = story.warehouse.consolidation(FAMILY, Period.parse(JAN))
    assert january is not None
    assert january.status is VersionStatus.UNVERIFIED
    february = story.month(FEB, {"east": EAST[FEB]})
    year = figures_of(february, "year_to_date")
    assert year["publications"] == 100 + EAST[FEB]["publications"]
    assert year["fees"] == 100_00 + EAST[FEB]["fees"]
    assert (year["cases.opening"], year["cases.closing"]) == (100, EAST[FEB]["cases.closing"])
    assert "publications" in unvalidated(february, "year_to_date")


def test_earlier_figures_of_bureaus_stay_when_one_of_them_reports_after_all(story: Story) -> None:
    """A late January of one bureau takes the place of that bureau's earlier figure, not of everyone's."""
    imported(story, [(code, JAN, "publications", number) for code, number in (("east", 100), ("west", 40))])
    story.month(JAN, {"east": EAST[JAN]})
    february = story.month(FEB, {"east": EAST[FEB], "west": WEST[FEB]})
    total = EAST[JAN]["publications"] + 40 + EAST[FEB]["publications"] + WEST[FEB]["publications"]
    assert figures_of(february, "year_to_date")["publications"] == total


def test_a_quarter_counts_no_month_twice_where_the_last_one_lacks_an_indicator(story: Story) -> None:
    for period in (JAN, FEB):
        story.month(period, {"east": EAST[period]})
    imported(story, [("", MAR, "fees", 1)])
    total = EAST[JAN]["publications"] + EAST[FEB]["publications"]
    assert figures_of(story.freeze("2014Q1"))["publications"] == total


def test_the_years_opening_is_that_of_its_first_month(story: Story) -> None:
    """Where January was never received, nobody knows the year's opening: March's is another figure."""
    march = story.month(MAR, {"east": EAST[MAR]})
    assert figures_of(march)["cases.opening"] == EAST[MAR]["cases.opening"]
    assert figures_of(march, "year_to_date")["cases.opening"] is None


def test_bureaus_opening_of_the_year_is_that_of_the_first_month_of_the_form(warehouse: Warehouse) -> None:
    """A year in which the form itself began begins with it, for the bureaus as for all of them together."""
    story = Story(warehouse, small_form(**{"from": FEB}))
    for period in (FEB, MAR):
        one = story.month(period, {"east": EAST[period], "west": WEST[period]})
        own = warehouse.bureau_figures(story.form, Period.parse(period), ["year_to_date"], one.version)
        added_up = sum(each.value or 0 for each in own if each.indicator == "cases.opening")
        assert added_up == figures_of(one, "year_to_date")["cases.opening"] == 6


def test_earlier_figures_are_imported_once_and_replaced_only_when_told(story: Story) -> None:
    imported(story, [("east", JAN, "publications", 100)])
    imported(story, [("east", JAN, "publications", 100)])
    with pytest.raises(UserError, match="100"):
        imported(story, [("east", JAN, "publications", 101)])
    imported(story, [("east", JAN, "publications", 101)], replace=True)
    january = story.warehouse.consolidation(FAMILY, Period.parse(JAN))
    assert january is not None
    assert figures_of(january) == {"publications": 101}


def test_an_earlier_figure_that_no_form_has_is_refused(story: Story) -> None:
    with pytest.raises(UserError, match="nonsense"):
        imported(story, [("east", JAN, "nonsense", 1)])


def test_an_earlier_figure_of_a_bureau_that_there_is_not_is_refused(story: Story) -> None:
    """A misspelt code would otherwise wait for ever for a bureau of that name."""
    with pytest.raises(UserError, match="esat"):
        imported(story, [("esat", JAN, "publications", 1)])


def test_a_year_on_two_versions_is_not_validated_where_the_first_did_not_ask(story: Story) -> None:
    first = story.form
    second = small_form(version="2", **{"from": FEB}).model_dump(mode="json", by_alias=True)
    asked = second["tables"][0]["blocks"][0]["indicators"]
    asked.append({**asked[0], "code": "new", "label": {"zh": "新", "en": "new"}})
    story.form = Form.model_validate(second)
    story.warehouse.sync(story.owing, [first, story.form])
    story.form = first
    story.month(JAN, {"east": EAST[JAN], "west": WEST[JAN]})
    story.form = Form.model_validate(second)

    february = story.month(FEB, {code: {**one[FEB], "new": 5} for code, one in (("east", EAST), ("west", WEST))})

    assert (figures_of(february, "year_to_date")["new"], figures_of(february)["new"]) == (10, 10)
    assert unvalidated(february) == set()
    assert unvalidated(february, "year_to_date") == {"new"}
