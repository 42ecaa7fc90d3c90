"""Which rules follow from which roles."""

from __future__ import annotations

import pytest

from schemas.compiling import constraint_table
from schemas.constraints import Constraint, Kind, Relation, Source
from schemas.errors import ProgramError
from schemas.formfile import load_forms
from schemas.periods import Period
from schemas.records import Severity
from tests.factories import default_form

HEAD = """
family: f
version: "1"
title: {zh: 表, en: Form}
frequency: monthly
valid: {from: 2014-01}
tables:
  - code: main
    title: {zh: 表, en: Form}
    columns:
"""
MONTH = "      - {code: month, label: {zh: 本月, en: Month}}\n"
TO_DATE = "      - {code: to_date, label: {zh: 累计, en: To date}, cumulates: month}\n"
BLOCKS = "    blocks:\n      - code: b\n        label: {zh: 块, en: Block}\n        indicators:\n"


def item(code: str, more: str = "") -> str:
    return f"          - {{code: {code}, label: {{zh: {code}, en: {code}}}, unit: 件{', ' + more if more else ''}}}\n"


def account(**roles: str) -> str:
    return "".join(item(code, f"balance: {{account: a, role: {role}}}") for code, role in roles.items())


def table_of(tmp_path, indicators: str, columns: str = MONTH, period: str = "2014-02"):
    path = tmp_path / "f.yaml"
    path.write_text(HEAD + columns + BLOCKS + indicators, encoding="utf-8")
    return constraint_table(load_forms([path]).forms[0], Period.parse(period))


def told(rule: Constraint) -> str:
    """`+a +b -total =`: the rule in one line."""
    terms = " ".join(
        f"{'+' if term.coefficient > 0 else '-'}{'<' if term.source is Source.PREVIOUS else ''}{term.cell.indicator}.{term.cell.column}"
        for term in rule.terms
    )
    return f"{terms} {rule.relation.value}"


def test_a_complete_list_adds_up_and_an_open_one_bounds_each_part(tmp_path) -> None:
    parts = item("x") + item("y")
    complete = table_of(tmp_path, item("t", "breakdowns: [{name: k, parts: [x, y]}]") + parts)
    open_list = table_of(tmp_path, item("t", "breakdowns: [{name: k, parts: [x, y], complete: false}]") + parts)

    assert [told(rule) for rule in complete.constraints if rule.kind is not Kind.BRANCH] == [
        "+x.month +y.month -t.month ="
    ]
    assert [told(rule) for rule in open_list.constraints if rule.kind is not Kind.BRANCH] == [
        "+x.month -t.month <=",
        "+y.month -t.month <=",
    ]


def test_outcomes_are_bounded_only_where_no_closing_says_it_already(tmp_path) -> None:
    with_closing = table_of(tmp_path, account(o="opening", i="inflow", u="outflow", c="closing"))
    with_opening = table_of(tmp_path, account(o="opening", i="inflow", u="outflow"))
    alone = table_of(tmp_path, account(i="inflow", u="outflow"))

    assert [told(rule) for rule in with_closing.of_kind(Kind.BALANCE)] == ["+o.month +i.month -u.month -c.month ="]
    assert with_closing.of_kind(Kind.OUTCOMES) == ()
    (bounded,) = with_opening.of_kind(Kind.OUTCOMES)
    assert (told(bounded), bounded.severity) == ("-o.month -i.month +u.month <=", Severity.ERROR)
    (running,) = alone.of_kind(Kind.OUTCOMES)
    assert (told(running), running.severity) == ("-i.month +u.month <=", Severity.WARNING)


def test_an_opening_is_the_preceding_closing_of_its_own_column(tmp_path) -> None:
    table = table_of(tmp_path, account(o="opening", i="inflow", u="outflow", c="closing"), MONTH + TO_DATE)

    assert [told(rule) for rule in table.of_kind(Kind.OPENING)] == ["+<c.month -o.month ="]


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (
            "2014-02",
            {"+<o.to_date -o.to_date =", "+<i.to_date +i.month -i.to_date =", "+<u.to_date +u.month -u.to_date =",
             "+c.month -c.to_date ="},
        ),
        ("2014-01", {"+o.month -o.to_date =", "+i.month -i.to_date =", "+u.month -u.to_date =", "+c.month -c.to_date ="}),
    ],
)  # fmt: skip
def test_year_to_date_adds_flows_keeps_januarys_openings_and_the_months_closings(tmp_path, period, expected) -> None:
    table = table_of(tmp_path, account(o="opening", i="inflow", u="outflow", c="closing"), MONTH + TO_DATE, period)

    assert {told(rule) for rule in table.of_kind(Kind.YEAR_TO_DATE)} == expected


def test_a_matrix_row_adds_up(tmp_path) -> None:
    columns = MONTH + "      - {code: firm, label: {zh: 企业, en: Firms}}\n"
    columns += "      - {code: all, label: {zh: 合计, en: All}, sum_of: [month, firm]}\n"

    rows = table_of(tmp_path, item("x"), columns).of_kind(Kind.ROW_TOTAL)
    assert [told(rule) for rule in rows] == ["+x.month +x.firm -x.all ="]


def test_a_subset_is_at_most_its_whole(tmp_path) -> None:
    rows = table_of(tmp_path, item("t") + item("s", "subset_of: t")).of_kind(Kind.SUBSET)
    assert [told(rule) for rule in rows] == ["+s.month -t.month <="]


def test_the_default_forms_rules_have_codes_of_their_own_and_cover_every_count() -> None:
    table = constraint_table(default_form(), Period.parse("2014-05"))

    places = [(rule.code, rule.column) for rule in table.constraints]
    assert len(places) == len(set(places))
    covered = {term.cell.name for rule in table.constraints for term in rule.terms}
    assert {cell.name for cell in table.form.cells if cell.measure != "share"} <= covered
    assert all(rule.relation is Relation.EQUAL for rule in table.of_kind(Kind.BALANCE))


def test_a_period_without_rules_is_an_error_and_no_pass() -> None:
    with pytest.raises(ProgramError, match="no rules for 2019-05"):
        constraint_table(default_form(), Period.parse("2019-05"))
