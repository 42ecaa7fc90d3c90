"""Failures with one cause are one case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from disclosure_etl.quality.cases import into_cases, led_by_the_worst
from disclosure_etl.quality.failures import Found
from schemas.compiling import constraint_table
from schemas.constraints import Kind
from schemas.errors import Message
from schemas.periods import Period
from schemas.records import Failure, Finding, Severity
from tests.factories import default_form
from tests.quality.test_judging import APRIL, quiet, with_changes
from tests.quality.written import history_of, shares_of, verdict, written

FORM = default_form()
MAY = Period.parse("2014-05")


def cases(numbers, shares=None) -> list[set[str]]:
    one = written(FORM, numbers, shares if shares is not None else shares_of(FORM, numbers))
    found: dict[str, set[str]] = {}
    for failure in verdict(one, FORM, history_of(FORM, APRIL)).failures:
        found.setdefault(failure.case or failure.id, set()).add(f"{failure.rule}@{failure.column}")
    return list(found.values())


def test_a_slip_in_one_part_is_one_case_in_month_and_cumulative() -> None:
    (case,) = cases(with_changes(applications__received__letter=7))

    assert case >= {
        "breakdown:applications.received:channel@month",
        "year-to-date:applications.received.letter@year_to_date",
    }


def test_two_slips_are_two_cases() -> None:
    found = cases(with_changes(applications__received__letter=7, enquiries__on_site=8))

    assert {frozenset(rule.split(":")[1].split(".")[0].split("@")[0] for rule in case) for case in found} == {
        frozenset({"applications"}),
        frozenset({"enquiries"}),
    }


def test_a_share_typed_on_the_wrong_part_belongs_to_the_same_case() -> None:
    found = cases(with_changes(publications__business=11), shares_of(FORM, quiet()))

    assert len(found) == 1
    assert "share:publications:class@month" in found[0]


def test_the_cause_breaks_nothing_that_held() -> None:
    """The total is off, and its parts are right: the total is the cause, though each part could be 'repaired' alone."""
    (case,) = cases(with_changes(enquiries=12))

    assert case >= {"breakdown:enquiries:channel@month", "year-to-date:enquiries@year_to_date"}


def test_a_lone_failure_is_a_case_of_its_own() -> None:
    one = verdict(written(FORM, with_changes(publications__full_text=13), shares_of(FORM, quiet())), FORM)

    assert [failure.case for failure in one.failures if failure.rule.startswith("subset")] == [None]


def test_a_cumulative_that_is_off_like_its_month_says_the_same_again() -> None:
    both = with_changes(publications__full_text=13)
    both[("publications.full_text", "year_to_date")] = both[("publications", "year_to_date")] + 1
    [case] = [one for one in cases(both, shares_of(FORM, quiet())) if any("subset" in rule for rule in one)]

    assert case == {"subset:publications.full_text@month", "subset:publications.full_text@year_to_date"}


def test_a_cumulative_that_is_off_by_something_else_is_a_case_of_its_own() -> None:
    both = with_changes(publications__full_text=13) | {("publications.full_text", "year_to_date"): 500}
    found = [one for one in cases(both, shares_of(FORM, quiet())) if any("subset" in rule for rule in one)]

    assert len(found) == 2


def test_a_figure_that_is_odd_in_two_ways_and_its_total_are_one_case() -> None:
    """Four warnings of one figure: it, and its total, beside the last months and beside last year."""
    found = [
        odd(code, kind, 40 if code == "enquiries.telephone" else 42)
        for code in ("enquiries", "enquiries.telephone")
        for kind in (Kind.JUMP, Kind.YEAR_JUMP)
    ]
    told = into_cases([*found, odd("replies", Kind.JUMP, 40)], constraint_table(FORM, MAY), None, {})

    assert [one.case for one in told] == [told[2].id, told[2].id, None, told[2].id, None]


def test_a_total_that_is_odd_the_other_way_than_its_part_has_another_cause() -> None:
    told = into_cases(
        [odd("enquiries", Kind.JUMP, -40), odd("enquiries.telephone", Kind.JUMP, 40)],
        constraint_table(FORM, MAY),
        None,
        {},
    )

    assert [one.case for one in told] == [None, None]


def test_a_total_that_is_odd_by_more_than_its_part_has_another_cause() -> None:
    told = into_cases(
        [odd("enquiries", Kind.JUMP, 100_000), odd("enquiries.telephone", Kind.JUMP, 6)],
        constraint_table(FORM, MAY),
        None,
        {},
    )

    assert [one.case for one in told] == [None, None]


def test_a_slip_in_a_part_is_told_before_the_total_that_does_not_fit_it() -> None:
    """Who mends the total instead would hide the slip."""
    changed = with_changes()
    changed[("enquiries.telephone", "year_to_date")] += 300
    told = verdict(written(FORM, changed, shares_of(FORM, changed)), FORM, history_of(FORM, APRIL)).failures

    [main] = [one for one in told if one.case is None and "enquiries" in str(one.indicators)]
    assert main.rule == "year-to-date:enquiries.telephone"
    assert "breakdown:enquiries:channel" in {one.rule for one in told if one.case == main.id}


@pytest.mark.parametrize("of_lead", [None, Severity.NOTICE, Severity.WARNING])
def test_what_is_made_less_of_hides_nothing_that_holds_a_block(of_lead: Severity | None) -> None:
    """The first of a case is switched off, or made a notice or warning: its errors are led by one of themselves."""
    lead, *others = (replace(odd(code, Kind.JUMP, 1).failure, severity=Severity.ERROR) for code in "abc")
    others = [replace(one, case=lead.id, implied_by=lead.id) for one in others]
    told = led_by_the_worst([*([replace(lead, severity=of_lead)] if of_lead else []), *others])

    [first] = [one for one in told if one.case is None]
    assert first.severity is Severity.ERROR
    assert {one.case for one in told if one is not first} == {first.id}
    assert first.implied_by in ({lead.id} if of_lead else {None})


def test_what_follows_from_what_follows_stays_in_the_same_case() -> None:
    """A share is off because its sum is, and the sum because of the unit."""
    unit, total, share = (odd(code, Kind.JUMP, 1).failure for code in "abc")
    told = led_by_the_worst([unit, replace(total, case=unit.id), replace(share, case=total.id)])

    assert [one.case for one in told] == [None, unit.id, unit.id]


def odd(code: str, kind: Kind, difference: int) -> Found:
    """A figure of the month that is not like others."""
    failure = Failure(
        f"{code} {kind}", str(kind), str(kind), Severity.WARNING, None, (code,), "month", (), (), None, str(difference),
        None, None, None, Message("", ""),
    )  # fmt: skip
    return Found(0, failure, difference=difference)


def test_what_a_wrong_unit_makes_fail_follows_from_it() -> None:
    """A fee in 万元 under a heading in 元 breaks the year to date as well; nobody needs to look at that."""
    code = "fees.collected.search"
    unit = Finding(
        "return:unit", Message("单位", "unit"), ("统计表!B9",), ("万元",), "元", Severity.ERROR, "fees", (code,)
    )
    one = written(FORM, APRIL | {(code, "month"): 500})

    told = verdict(replace(one, findings=(unit,)), FORM, history_of(FORM, APRIL)).failures

    cause = next(failure for failure in told if failure.rule == "return:unit")
    about = [failure for failure in told if code in failure.indicators and failure is not cause]
    assert about
    assert {failure.implied_by for failure in about} == {cause.id} == {failure.case for failure in about}
    assert cause.case is None
