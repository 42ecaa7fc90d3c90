"""Whatever honest clerks write passes every rule; and what a slip at each cell sets off is what its detection power says."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.constraints import Kind
from schemas.periods import Frequency
from schemas.power import detection_power, undetectable
from tests.forms.flows import by_chance, first_periods, returns
from tests.forms.trials import WITH_OPTIONAL, answers, consistent_trial, judged
from tests.quality.written import rules_of

FORMS = sorted(WITH_OPTIONAL)
slowly = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("key", FORMS)
@slowly
@given(seed=st.integers(0, 2**32))
def test_whatever_follows_from_consistent_flows_passes_every_rule(key: str, seed: int) -> None:
    form = WITH_OPTIONAL[key]
    before = None
    for period, now in zip(first_periods(form, 3), returns(form, 3, by_chance(seed)), strict=True):
        if not form.covers(period):
            break
        verdict = judged(form, period, consistent_trial(form, before, now))

        assert [(one.rule, one.column) for one in verdict.failures] == []
        if before is not None:  # with its history and what it is the sum of, nothing is left open
            open_rules = [
                rule for rule, _ in verdict.not_assessable if not rule.startswith("list:")
            ]  # it lists no items
            assert open_rules == []
        before = now


@pytest.mark.parametrize("key", [key for key in FORMS if WITH_OPTIONAL[key].frequency is Frequency.MONTHLY])
def test_the_turn_of_the_year_is_no_break(key: str) -> None:
    form = WITH_OPTIONAL[key]
    before = None
    for period, now in zip(first_periods(form, 14), returns(form, 14, by_chance(14)), strict=True):
        verdict = judged(form, period, consistent_trial(form, before, now))

        assert verdict.failures == (), period
        before = now


@pytest.mark.parametrize("key", FORMS)
@slowly
@given(seed=st.integers(0, 2**32))
def test_a_slip_at_any_cell_sets_off_what_its_detection_power_says(key: str, seed: int) -> None:
    """Every cell in turn, by any amount: each rule that always catches it does, and where none does, none fails."""
    form = WITH_OPTIONAL[key]
    _, period = first_periods(form, 2)
    before, now = returns(form, 2, by_chance(seed))
    right = replace(consistent_trial(form, before, now), units=None, siblings=None)
    powers = detection_power(rules_of(form, period).table)
    chance = random.Random(seed)
    slips = []
    for power in powers:
        place = (power.cell.indicator, power.cell.column)
        up, down = chance.randint(1, 50), -chance.randint(0, max(now[place], 0))
        slips.append(replace(right, figures=now | {place: now[place] + (down or up)}))

    found = answers(form, period, slips)

    for row, power in enumerate(powers):
        failing = {code for (code, _), (fails, _) in found.items() if fails[row]}
        shares = {code for code in failing if code.startswith(Kind.SHARE)}
        assert set(power.always) <= failing - shares, power
        assert failing - shares - set(power.always) <= set(power.bounded), power
        assert bool(failing) or power.level != "always", power


def unguarded(key: str, **changes: object) -> dict[tuple[str, str], str]:
    """Of a form in the second period of a year: the cells at which a slip may pass, and how far it is held."""
    form = WITH_OPTIONAL[key].model_copy(update=changes)
    table = rules_of(form, first_periods(form, 2)[1]).table
    return {(power.cell.indicator, power.cell.column): power.level for power in undetectable(table)}


@pytest.mark.parametrize("key", [key for key in FORMS if key != "national-annual/2014"])
def test_a_return_with_its_history_guards_every_cell(key: str) -> None:
    """Months by their cumulatives and stocks, the annual tables by their months and by the year before."""
    assert unguarded(key) == {}


def test_without_its_months_the_annual_table_guards_what_it_can() -> None:
    """What is counted by itself in table two; the rest hangs together by its rows, columns and last year's figures."""
    assert unguarded("national-annual/2021", adds_up=None) == {
        ("permits", "decisions"): "none",
        ("penalties", "decisions"): "none",
        ("coercion", "decisions"): "none",
        ("administrative_fees", "collected"): "none",
    }


def test_the_list_of_2014_leaves_what_is_counted_by_itself_unguarded() -> None:
    levels = unguarded("national-annual/2014")

    assert {code for (code, _), level in levels.items() if level == "none"} == {
        "normative_issued", "responses", "responses.explanations", "responses.microblog", "responses.other", "complaints",
        "application_fees", "offices", "reading_points", "budget", "training.meetings", "training.sessions", "training.people",
    }  # fmt: skip
    assert {code for (code, _), level in levels.items() if level == "bounded"} == {
        "publications", "publications.normative", "channels.gazette", "channels.website", "channels.microblog",
        "channels.wechat", "channels.other", "key_areas", "key_areas.budgets", "key_areas.safety", "key_areas.audits",
        "responses.press", "responses.press.head", "responses.interviews", "responses.interviews.head",
    }  # fmt: skip


@pytest.mark.parametrize("key", FORMS)
def test_every_undetectable_cell_says_why_in_both_languages(key: str) -> None:
    form = WITH_OPTIONAL[key]
    for period in first_periods(form, 2):
        powers = detection_power(rules_of(form, period).table)

        assert [power.cell for power in powers] == [cell for cell in form.cells if cell.measure != "share"]
        for power in powers:
            assert power.reason.zh
            assert power.reason.en
            assert not set(power.always) & set(power.bounded)
