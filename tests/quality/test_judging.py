"""Every rule with returns that pass it, fail it, and cannot be assessed; and what must hold whatever the figures are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from disclosure_etl.quality.judging import judge
from schemas.periods import Period
from schemas.records import Batch, History, Severity
from schemas.values import Meaning, Trouble
from tests.factories import default_form, some_figures
from tests.quality.flows import Figures, months
from tests.quality.written import MAY, failures_of, history_of, rules_of, shares_of, verdict, written

FORM = default_form()
FEBRUARY = Period.parse("2014-02")
slowly = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def quiet() -> Figures:
    """A consistent May of which every cumulative is twice the month, and nothing was or stays open."""
    figures = some_figures(FORM, 2)
    return {
        (code, column): int(value.scaleb(FORM.indicators[code].decimals)) for (code, column), value in figures.items()
    }


APRIL = quiet() | {(code, "year_to_date"): quiet()[(code, "month")] for code in FORM.indicators}


def with_changes(**changes: int) -> Figures:
    """May, with some of the month's figures changed; `__` stands for a dot."""
    return quiet() | {(code.replace("__", "."), "month"): value for code, value in changes.items()}


def rules(one, history: History | None = None) -> set[str]:
    return {failure.rule for failure in failures_of(one, FORM, history)}


def test_a_consistent_return_passes_every_rule_and_leaves_none_open() -> None:
    one = verdict(written(FORM, quiet(), shares_of(FORM, quiet())), FORM, history_of(FORM, APRIL))

    assert (one.failures, one.not_assessable, one.held_blocks) == ((), (), frozenset())


# -- kind by kind: what fails, with the evidence ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "rule", "seen", "expected", "difference"),
    [
        ({"applications__received__letter": 7}, "breakdown:applications.received:channel", "20", "22", "2"),
        ({"applications__received__letter": 4}, "breakdown:applications.received:channel", "20", "19", "-1"),
        ({"reconsiderations__upheld": 1}, "balance:reconsiderations", "0", "1", "1"),
        ({"publications__full_text": 13}, "subset:publications.full_text", "12", "12", "1"),
        ({"fees__collected__copying": 3000}, "breakdown:fees.collected:kind", "30.50", "30", "-0.5"),
    ],
)
def test_a_slip_fails_its_rule_once_with_the_total_last(
    changes: dict[str, int], rule: str, seen: str, expected: str, difference: str
) -> None:
    numbers = with_changes(**changes)
    cumulated = {place: value for place, value in numbers.items() if place[1] == "month"}  # no cumulatives: one place

    (failure,) = [found for found in failures_of(written(FORM, cumulated), FORM) if found.rule == rule]

    assert (failure.seen[-1], failure.expected, failure.difference) == (seen, expected, difference)
    assert failure.severity is Severity.ERROR
    assert len(failure.cells) == len(failure.seen)
    assert all(cell in failure.message.zh or cell.split("!")[1] in failure.message.zh for cell in failure.cells)


def test_a_failure_in_one_block_holds_that_block_alone() -> None:
    one = verdict(
        written(FORM, with_changes(enquiries__on_site=6), shares_of(FORM, quiet())), FORM, history_of(FORM, APRIL)
    )

    assert one.held_blocks == {"enquiries"}
    assert not one.whole_return_held


def test_the_cumulative_is_last_months_plus_this_months() -> None:
    numbers = quiet() | {("enquiries", "year_to_date"): 19}

    found = {failure.rule: failure for failure in failures_of(written(FORM, numbers), FORM, history_of(FORM, APRIL))}

    assert set(found) == {"year-to-date:enquiries", "breakdown:enquiries:channel"}
    told = found["year-to-date:enquiries"]
    assert (told.seen, told.expected, told.difference) == (("9", "9", "19"), "18", "-1")


def test_in_january_the_cumulative_is_the_month_and_asks_for_no_past() -> None:
    january = Period.parse("2014-01")
    numbers = {place: APRIL[place] for place in APRIL}
    one = verdict(written(FORM, numbers, shares_of(FORM, numbers), period=january), FORM, period=january)

    assert one.failures == ()
    assert {rule.split(":")[0] for rule, _ in one.not_assessable} == {"opening"}


def test_an_opening_must_be_the_accepted_closing() -> None:
    april = APRIL | {("applications.closing", "month"): 3}

    (failure,) = [
        one for one in failures_of(written(FORM, quiet()), FORM, history_of(FORM, april)) if one.kind == "opening"
    ]

    assert (failure.seen, failure.expected, failure.difference) == (("3", "0"), "3", "3")


def test_what_waits_for_april_is_not_assessable_and_holds_nothing() -> None:
    one = verdict(written(FORM, quiet(), shares_of(FORM, quiet())), FORM)

    assert one.failures == ()
    assert {rule.split(":")[0] for rule, _ in one.not_assessable} == {"year-to-date", "opening"}


def test_a_month_above_its_own_cumulative_is_wrong_whatever_came_before() -> None:
    numbers = with_changes(enquiries=30, enquiries__on_site=26)

    found = {failure.rule: failure for failure in failures_of(written(FORM, numbers), FORM)}

    assert set(found) == {"year-to-date:enquiries", "year-to-date:enquiries.on_site"}
    assert found["year-to-date:enquiries"].seen == ("", "30", "18")
    assert "—" in found["year-to-date:enquiries"].message.zh


def test_a_blank_is_not_zero() -> None:
    """Known parts above the total fail, equal to it pass, below it say nothing; the blank itself is an error."""
    hole = {("enquiries.online", "month")}
    month = {place: value for place, value in quiet().items() if place[1] == "month"}

    equal = verdict(written(FORM, month, blank=hole), FORM)
    above = verdict(written(FORM, month | {("enquiries.on_site", "month"): 6}, blank=hole), FORM)
    below = verdict(written(FORM, month | {("enquiries.on_site", "month"): 4}, blank=hole), FORM)

    place = ("breakdown:enquiries:channel", "month")
    assert [one.rule for one in equal.failures] == ["required:enquiries.online"]
    assert place not in equal.not_assessable
    assert place[0] in {one.rule for one in above.failures}
    assert place in below.not_assessable
    assert place[0] not in {one.rule for one in below.failures}


def test_a_negative_count_fails() -> None:
    assert "negative:publications.plans" in rules(written(FORM, with_changes(publications__plans=-1)))


def test_a_figure_that_was_not_understood_is_a_failure_of_its_own() -> None:
    one = written(FORM, quiet(), blank={("enquiries", "month")}, troubles={("enquiries", "month"): Trouble.TEXT})
    at = next(cell.position for cell in FORM.cells if (cell.indicator, cell.column) == ("enquiries", "month"))
    meanings = bytearray(one.meanings)
    meanings[at] = Meaning.TEXT

    found = verdict(replace(one, meanings=bytes(meanings)), FORM)

    assert {"reading:text"} == {failure.rule for failure in found.failures}
    assert found.held_blocks == {"enquiries"}


# -- shares ------------------------------------------------------------------------------------------------------------

PUBLISHED = {"organisation": 12, "regulations": 7, "plans": 6, "duties": 1, "business": 12150}


def published(**shares: str):
    """The 12,176 items of the real report, with their printed shares."""
    month = {place: value for place, value in quiet().items() if place[1] == "month"}
    month[("publications", "month")] = 12176
    month |= {(f"publications.{code}", "month"): count for code, count in PUBLISHED.items()}
    printed = shares_of(FORM, month) | {f"publications.{code}": text for code, text in shares.items()}
    return written(FORM, month, printed)


@pytest.mark.parametrize(
    ("shares", "diagnosis", "severity"),
    [
        ({"business": "99.78"}, "adjusted", Severity.NOTICE),  # 99.786…: lowered so that the printed column adds to 100
        ({"business": "99.78", "plans": "0.04"}, "truncated", Severity.WARNING),
        ({"business": "98.78"}, "wrong", Severity.ERROR),
    ],
)
def test_a_share_off_its_rounding_says_which_way(shares: dict[str, str], diagnosis: str, severity: Severity) -> None:
    found = [
        failure
        for failure in failures_of(published(**shares), FORM)
        if failure.kind == "share" and failure.seen[0] == "12150"
    ]

    assert [(one.diagnosis, one.severity) for one in found] == [(diagnosis, severity)]
    assert found[0].expected == "99.79"


def test_an_adjusted_share_is_noted_and_holds_nothing() -> None:
    one = verdict(published(business="99.78"), FORM)

    assert [failure.severity for failure in one.failures] == [Severity.NOTICE]
    assert one.held_blocks == frozenset()


def test_shares_moved_to_both_sides_were_not_adjusted_to_add_up() -> None:
    """Even where the column then adds to 100: 99.77, and 0.11 for 0.10."""
    found = failures_of(published(business="99.77", organisation="0.11"), FORM)

    assert {one.seen[0]: one.diagnosis for one in found if one.kind == "share"} == {"12150": "wrong", "12": "wrong"}


def test_the_real_reports_column_adds_up_only_because_it_was_adjusted() -> None:
    assert failures_of(published(), FORM) == []
    assert [one.diagnosis for one in failures_of(published(business="99.78"), FORM)] == ["adjusted"]


def test_a_column_of_shares_off_by_more_than_rounding_is_attached_to_its_cause() -> None:
    one = verdict(published(business="90.00"), FORM)

    causes = {failure.id for failure in one.failures if failure.kind == "share"}
    (column,) = [failure for failure in one.failures if failure.kind == "share-column"]
    assert column.implied_by in causes


# -- whatever the figures are ------------------------------------------------------------------------------------------


def _february(told: list[Figures]):
    return written(FORM, told[1], shares_of(FORM, told[1]), period=FEBRUARY)


@slowly
@given(months(FORM))
def test_consistent_flows_pass_every_rule(told: list[Figures]) -> None:
    one = verdict(_february(told), FORM, history_of(FORM, told[0], period=FEBRUARY), FEBRUARY)

    assert [failure.message.en for failure in one.failures if failure.diagnosis != "adjusted"] == []
    assert one.not_assessable == ()


@slowly
@given(months(FORM), st.data())
def test_one_changed_count_is_never_missed(told: list[Figures], data: st.DataObject) -> None:
    """Every count hangs together with others: whichever is changed, by however little, some rule fails. The two that
    are bounded only from above may become another true-looking number, but their cumulatives tell."""
    cell = data.draw(st.sampled_from([cell for cell in FORM.cells if cell.measure != "share"]))
    place = (cell.indicator, cell.column)
    by = data.draw(st.integers(-50, 50).filter(bool))
    changed = [told[0], told[1] | {place: told[1][place] + by}]
    one = written(FORM, changed[1], shares_of(FORM, told[1]), period=FEBRUARY)

    found = verdict(one, FORM, history_of(FORM, told[0], period=FEBRUARY), FEBRUARY).failures

    assert any(failure.severity is Severity.ERROR and cell.block == failure.block for failure in found)


@slowly
@given(st.lists(months(FORM, 1), min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_a_verdict_depends_on_nobody_else(told: list[list[Figures]], dealer) -> None:
    january = Period.parse("2014-01")
    returns = [
        written(FORM, one[0] | {("enquiries", "month"): one[0][("enquiries", "month")] + number}, shares_of(FORM, one[0]),
                bureau=f"b{number}", period=january)
        for number, one in enumerate(told)
    ]  # fmt: skip
    alone = {one.bureau: verdict(one, FORM, period=january) for one in returns}
    shuffled = list(returns)
    dealer.shuffle(shuffled)

    together = judge(Batch(FORM, january, tuple(shuffled)), rules_of(FORM, january)).judged

    for one in together:
        assert (one.failures, one.held_blocks, one.not_assessable) == (
            alone[one.submission.bureau].failures,
            alone[one.submission.bureau].held_blocks,
            alone[one.submission.bureau].not_assessable,
        )


def test_a_rule_that_raises_costs_only_those_that_make_it_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    from disclosure_etl.quality import judging

    truly = judging.validate

    def fragile(frame, *rest):
        if (frame["enquiries|month|count"] == 77).any():
            raise ZeroDivisionError("seventy-seven")
        return truly(frame, *rest)

    monkeypatch.setattr(judging, "validate", fragile)
    good = [written(FORM, quiet(), bureau=f"b{number}") for number in range(5)]
    bad = written(FORM, with_changes(enquiries=77), bureau="bad")

    found = judge(Batch(FORM, MAY, (*good[:2], bad, *good[2:])), rules_of(FORM)).judged

    assert [one.submission.bureau for one in found if one.fault] == ["bad"]
    assert "seventy-seven" in str(found[2].fault)
    assert found[2].failures == ()
    assert all(one.fault is None and one.failures == () for one in found if one.submission.bureau != "bad")


def test_the_expected_share_is_rounded_half_up_as_on_the_form() -> None:
    """1 of 800 is 0.125 per cent, printed 0.13 and not 0.12."""
    numbers = quiet() | {
        ("applications.received", "month"): 800,
        ("applications.received.letter", "month"): 1,
        ("applications.received.internet", "month"): 799,
        ("applications.received.in_person", "month"): 0,
        ("applications.received.fax", "month"): 0,
    }
    shares = shares_of(FORM, numbers) | {"applications.received.letter": "0.20"}

    (failure,) = [
        one
        for one in verdict(written(FORM, numbers, shares), FORM, history_of(FORM, APRIL)).failures
        if one.kind == "share"
    ]

    assert failure.expected == "0.13"
