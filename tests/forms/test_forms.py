"""The forms as shipped: they load together, leave no period without rules, hold the identities that are printed on them,
work at any frequency, and the annual tables can be made from the months."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from disclosure_etl.intake.lexicon import normalised
from schemas.compiling import constraint_table
from schemas.constraints import Kind, Relation
from schemas.forms import Form
from schemas.periods import Frequency, Period
from tests.forms.flows import Figures, by_chance, by_thirds, first_periods, returns
from tests.forms.trials import AS_SHIPPED, FILES, WITH_OPTIONAL, Trial, consistent_trial, judged

KEYS = sorted(AS_SHIPPED)
MONTHLY = AS_SHIPPED["bureau-monthly/2019"]


def table_of(form: Form, code: str) -> set[str]:
    """The indicators of a table."""
    (table,) = (table for table in form.tables if table.code == code)
    return {item.code for block in table.blocks for item in block.indicators}


# -- loading ------------------------------------------------------------------------------------------------------------


def test_all_forms_load_together_and_each_file_is_one_version() -> None:
    assert KEYS == [
        "bureau-monthly/2008", "bureau-monthly/2019", "dingxi-monthly/2008", "key-areas/2014",
        "national-annual/2014", "national-annual/2019", "national-annual/2021",
    ]  # fmt: skip
    assert len(FILES) == len(KEYS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_named_after_what_is_in_it(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))

    assert path.stem in (form["family"], f"{form['family']}-{form['version']}")


@pytest.mark.parametrize("family", ["bureau-monthly", "national-annual"])
def test_the_versions_of_a_family_follow_one_another_and_the_last_is_open(family: str) -> None:
    versions = sorted(
        (form for form in AS_SHIPPED.values() if form.family == family), key=lambda form: Period.parse(form.valid.first)
    )

    for earlier, later in pairwise(versions):
        assert earlier.valid.last is not None
        assert Period.parse(earlier.valid.last).shifted(1) == Period.parse(later.valid.first)
    assert versions[-1].valid.last is None


@pytest.mark.parametrize("key", KEYS)
def test_a_form_compiles_for_its_first_second_and_last_period_and_for_no_other(key: str) -> None:
    form = AS_SHIPPED[key]
    first = Period.parse(form.valid.first)
    last = Period.parse(form.valid.last) if form.valid.last else first.shifted(100)

    for period in (first, first.shifted(1), last):
        assert constraint_table(form, period).constraints
    for period in (first.preceding, *([last.shifted(1)] if form.valid.last else [])):
        assert not form.covers(period)


@pytest.mark.parametrize("key", KEYS)
def test_a_place_of_a_form_has_one_name(key: str) -> None:
    form = WITH_OPTIONAL[key]
    tables, blocks = [table.code for table in form.tables], [block.code for block in form.blocks]

    assert len({cell.name for cell in form.cells}) == len(form.cells)
    assert len(set(tables)) == len(tables)
    assert len(set(blocks)) == len(blocks)
    for block in form.blocks:
        for language in ("zh", "en"):
            labels = [getattr(item.label, language) for item in block.indicators]
            assert len(set(labels)) == len(labels), block.code
        words = [word for item in block.indicators for word in (item.label.zh, *item.aliases)]
        assert len(set(words)) == len(words), block.code
    for table in form.tables:
        words = [word for column in table.columns for word in (column.label.zh, *column.aliases)]
        assert len(set(words)) == len(words), table.code


@pytest.mark.parametrize("key", KEYS)
def test_no_block_is_called_like_an_indicator(key: str) -> None:
    """Its heading in the workbook would be taken for the indicator's row."""
    form = WITH_OPTIONAL[key]
    words = {normalised(word) for item in form.indicators.values() for word in (item.label.zh, *item.aliases)}

    assert words.isdisjoint(normalised(word) for block in form.blocks for word in (block.label.zh, *block.aliases))


@pytest.mark.parametrize("key", KEYS)
def test_columns_of_one_code_mean_the_same_in_every_table(key: str) -> None:
    seen: dict[str, object] = {}
    for table in AS_SHIPPED[key].tables:
        for column in table.columns:
            assert seen.setdefault(column.code, column) == column


# -- what is printed on the forms ---------------------------------------------------------------------------------------


def test_table_three_of_2021_has_175_cells_and_39_equalities() -> None:
    form = AS_SHIPPED["national-annual/2021"]
    rows = table_of(form, "applications")
    own = [
        row
        for row in constraint_table(form, Period.parse("2021")).constraints
        if row.block == "applications" and row.relation is Relation.EQUAL and not row.waits
    ]

    assert len([cell for cell in form.cells if cell.indicator in rows]) == 175
    assert len(rows) == 25
    assert len(own) == 39
    assert {kind: len([row for row in own if row.kind is kind]) for kind in {row.kind for row in own}} == {
        Kind.BALANCE: 7, Kind.BREAKDOWN: 7, Kind.ROW_TOTAL: 25,
    }  # fmt: skip


def test_table_four_of_2021_has_15_cells_and_a_total_a_row() -> None:
    form = AS_SHIPPED["national-annual/2021"]
    rows = table_of(form, "remedies")
    totals = [
        row for row in constraint_table(form, Period.parse("2021")).of_kind(Kind.ROW_TOTAL) if row.indicator in rows
    ]

    assert len([cell for cell in form.cells if cell.indicator in rows]) == 15
    assert len(totals) == 3


def test_the_version_of_2019_has_other_handling_in_one_row() -> None:
    rows = {version: table_of(AS_SHIPPED[f"national-annual/{version}"], "applications") for version in ("2019", "2021")}

    assert rows["2019"] - rows["2021"] == {"replies.other"}
    assert rows["2021"] - rows["2019"] == {
        "replies.other.not_corrected",
        "replies.other.fee_unpaid",
        "replies.other.other",
    }


def test_dingxi_has_its_identities_by_the_codes_that_the_form_prints() -> None:
    form = AS_SHIPPED["dingxi-monthly/2008"]
    number = {code: item.number for code, item in form.indicators.items()}
    told = {}
    for row in constraint_table(form, Period.parse("2014-02")).constraints:
        if row.column == "month" and row.kind in (Kind.BREAKDOWN, Kind.SUBSET, Kind.STATED):
            *parts, whole = (number[term.cell.indicator] for term in row.terms)
            told[whole, row.relation.value, tuple(parts)] = row.severity.value

    def upto(first: int, last: int) -> tuple[str, ...]:
        return tuple(f"{one:02d}" for one in range(first, last + 1))

    assert list(number.values()) == list(upto(1, 35))
    assert told == {
        ("10", "=", upto(11, 16)): "error",
        ("17", "=", upto(18, 20)): "error",
        ("20", "=", upto(21, 31)): "error",
        ("01", "<=", ("02",)): "error",
        ("34", "<=", ("35",)): "error",
        ("01", "<=", ("03",)): "warning",
    }


def test_the_stages_of_an_expropriation_hand_on_what_they_have_done() -> None:
    form = AS_SHIPPED["key-areas/2014"]
    table = constraint_table(form, Period.parse("2014-02"))

    assert {row.code for row in table.of_kind(Kind.BALANCE)} == {
        "balance:notices",
        "balance:agreements",
        "balance:closures",
    }
    assert {tuple(term.cell.indicator for term in row.terms) for row in table.of_kind(Kind.STATED)} == {
        ("approvals", "notices.due"), ("notices.done", "agreements.due"), ("agreements.done", "closures.due"),
    }  # fmt: skip


# -- any frequency ------------------------------------------------------------------------------------------------------

FIRST = {
    Frequency.MONTHLY: "2015-01",
    Frequency.QUARTERLY: "2015Q1",
    Frequency.HALF_YEARLY: "2015H1",
    Frequency.YEARLY: "2015",
}


@pytest.mark.parametrize("frequency", list(Frequency))
@pytest.mark.parametrize("key", KEYS)
def test_any_family_works_at_any_frequency(key: str, frequency: Frequency) -> None:
    """The same file with another frequency: cumulatives, openings and stocks follow the new periods."""
    shipped = AS_SHIPPED[key].model_dump(by_alias=True, mode="json")
    changes = {"frequency": frequency.value, "valid": {"from": FIRST[frequency]}, "adds_up": None}
    rules = [rule | {"valid": None} for rule in shipped["rules"]]
    form = Form.model_validate(shipped | changes | {"rules": rules})
    before = None

    for period, now in zip(first_periods(form, 3), returns(form, 3, by_chance(7)), strict=True):
        assert period.frequency is frequency
        verdict = judged(form, period, consistent_trial(form, before, now))

        assert verdict.failures == ()
        before = now


# -- months and years ---------------------------------------------------------------------------------------------------


def of_the_year(form: Form, months: list[Figures]) -> Figures:
    """The annual tables as the months give them: flows added up, what was open at the start of the first, what is open or in
    force at the end of the last."""
    year: Figures = {}
    for cell in form.cells:
        item, column = form.indicators[cell.indicator], form.columns[cell.column]
        place = (cell.indicator, cell.column)
        role = item.balance.role if item.balance else None
        if place == ("replies.other", cell.column):
            others = ("replies.other.not_corrected", "replies.other.fee_unpaid", "replies.other.other")
            year[place] = sum(month[code, cell.column] for month in months for code in others)
        elif cell.column == "items_before":
            year[place] = months[0][item.code, "items"] - months[0][item.code, "change"]
        elif column.sum_of and column.code == "all_results":
            year[place] = sum(year[item.code, part] for part in column.sum_of)
        elif role == "opening":
            year[place] = months[0][place]
        elif role == "closing" or column.stock:
            year[place] = months[-1][place]
        else:
            year[place] = sum(month[place] for month in months)
    return year


def test_the_annual_tables_are_made_from_the_months_and_nothing_else() -> None:
    """Two years of months on end, as the tables of 2019–2020 (for 2020) and of 2021 on (for the year after)."""
    months = returns(MONTHLY, 24, by_thirds)
    assert [period.year for period in first_periods(MONTHLY, 24)][::12] == [2020, 2021]
    versions = [AS_SHIPPED["national-annual/2019"], AS_SHIPPED["national-annual/2021"]]
    years = [of_the_year(form, months[at : at + 12]) for form, at in zip(versions, (0, 12), strict=True)]

    first = judged(versions[0], Period.parse("2020"), Trial(years[0], finer=years[0]))
    second = judged(versions[1], Period.parse("2021"), Trial(years[1], before=years[0], finer=years[1]))

    assert (first.failures, second.failures) == ((), ())
    # What 2020 did not ask for cannot be carried into 2021.
    assert {rule for rule, _ in second.not_assessable} == {"stock:documents.regulations", "stock:documents.normative"}


@pytest.mark.parametrize("version", ["2019", "2021"])
def test_the_months_answer_for_every_cell_of_the_annual_tables_but_those_named_here(version: str) -> None:
    form = AS_SHIPPED[f"national-annual/{version}"]
    assert form.adds_up is not None
    theirs = {cell.name: cell for cell in MONTHLY.cells}
    held, without_counterpart = set(), set()
    for row in constraint_table(form, Period.parse(version)).of_kind(Kind.PERIODS):
        cell = row.terms[-1].cell
        column = form.adds_up.columns.get(cell.column, cell.column)
        found = theirs.get(f"{cell.indicator}|{column}|{cell.measure}")
        (held if found is not None and found.scale == cell.scale else without_counterpart).add(cell.name)
    left = {(cell.indicator, cell.column) for cell in form.cells if cell.name not in held}

    # Pending cases are a state, and a total that has them among its parts does not add up over months.
    expected = {(code, "all_results") for code in table_of(form, "remedies")}
    if version == "2019":
        # Last year's number of items is no month's of this one; (六) is counted by its three reasons in the months, and
        # only their sum would answer to the one row of 2019.
        expected |= {(code, "items_before") for code in (*table_of(form, "services"), *table_of(form, "fee_items"))}
        expected |= {("replies.other", column.code) for column in form.tables[-2].columns}
    assert left == expected
    assert {name.split("|")[0] for name in without_counterpart} == ({"replies.other"} if version == "2019" else set())


@pytest.mark.parametrize("key", KEYS)
def test_every_form_has_figures_that_tell_a_period_at_a_glance(key: str) -> None:
    """In the column of the row's total where there is one, else in the period's own."""
    form = AS_SHIPPED[key]
    assert 2 <= len(form.headline) <= 4
    for cell in form.headline:
        table = next(table for table in form.tables if table.code == cell.table)
        totals = [column.code for column in table.columns if column.sum_of]
        assert cell.column == (totals or [table.columns[0].code])[0]
        assert form.columns[cell.column].cumulates is None


def test_the_form_of_2019_is_told_by_what_came_what_was_settled_and_what_is_left() -> None:
    assert [(cell.indicator, cell.column) for cell in MONTHLY.headline] == [
        ("applications.received", "total"), ("replies", "total"), ("applications.closing", "total"),
    ]  # fmt: skip


def test_what_is_counted_in_the_same_unit_keeps_its_code_and_scale() -> None:
    for version in ("2019", "2021"):
        for code, item in AS_SHIPPED[f"national-annual/{version}"].indicators.items():
            if code in MONTHLY.indicators:
                theirs = MONTHLY.indicators[code]
                assert (item.unit, item.decimals) == (theirs.unit, theirs.decimals), code
