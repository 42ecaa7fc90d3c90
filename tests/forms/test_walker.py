"""Every rule of every form, each with a return that passes it, one that fails it, and one of which it cannot be assessed.

The examples are built from one consistent return of the form by the rule's own terms, so a rule that is added tomorrow is
walked too, or this test fails for it. What is looked at over time and what concerns a return as a whole is tested elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import pytest

from schemas.constraints import TRENDS, Constraint, Kind, Relation, ShareGroup, Source, Term
from schemas.forms import SHARE_DECIMALS
from schemas.periods import Frequency
from schemas.rulecodes import FINDINGS, rule_codes
from schemas.rules import RuleSet
from tests.forms.flows import by_thirds, first_periods, returns
from tests.forms.trials import WITH_OPTIONAL, Rule, Trial, answers, consistent_trial, known_of, positions_of
from tests.quality.written import rules_of

FORMS = sorted(WITH_OPTIONAL)

# Kinds that always have an answer, and why.
ALWAYS_ASSESSABLE = {
    Kind.REQUIRED: "a cell is blank or it is not",
    Kind.NEGATIVE: "a figure that is not there is not below zero; that it is missing is told by another rule",
}


@dataclass(frozen=True)
class Walk:
    """The examples of one rule; `open` is None where the rule is always assessable."""

    passing: Trial
    failing: Trial
    open: Trial | None


def changed(trial: Trial, term: Term, value: int) -> Trial:
    """The trial with another figure at a term, whosever it is."""
    if term.source is Source.OWN:
        return replace(trial, figures=trial.figures | {(term.cell.indicator, term.cell.column): value})
    return replace(trial, looked_up={**trial.looked_up, term.name: value})


def missing(trial: Trial, term: Term) -> Trial:
    """The trial with nothing at a term."""
    if term.source is Source.OWN:
        return replace(trial, blank=trial.blank | {(term.cell.indicator, term.cell.column)})
    return replace(trial, without=trial.without | {term.name})


def value_of(trial: Trial, term: Term) -> int:
    """The figure at a term."""
    figures = trial.figures if term.source is Source.OWN else known_of(trial, term.source)
    assert figures is not None
    return figures[term.cell.indicator, term.cell.column]


def walk_linear(right: Trial, rule: Constraint) -> Walk:
    """Failing: the last figure is one off an equality, or one that counts up goes one beyond the bound. Open: what is looked
    up is not there; else the figure that is too large may be, or what it is too large for may be any number."""
    total = sum(term.coefficient * value_of(right, term) for term in rule.terms)
    if rule.relation is Relation.EQUAL:
        moved = rule.terms[-1]
        step = rule.tolerance + 1
    else:
        moved = next(term for term in rule.terms if term.coefficient > 0)
        step = -(-(rule.tolerance + 1 - total) // moved.coefficient)
    failing = changed(right, moved, value_of(right, moved) + step)
    outside = [term for term in rule.terms if term.source is not Source.OWN]
    if outside:
        return Walk(right, failing, missing(right, outside[0]))
    if rule.relation is Relation.AT_MOST:
        return Walk(right, failing, missing(right, moved))
    counterpart = next(term for term in rule.terms if term.coefficient * moved.coefficient < 0)
    return Walk(right, failing, missing(failing, counterpart))


def walk_cell(right: Trial, kind: Kind, indicator: str, column: str) -> Walk:
    place = (indicator, column)
    if kind is Kind.REQUIRED:
        return Walk(right, replace(right, blank=frozenset({place})), None)
    return Walk(right, replace(right, figures=right.figures | {place: -1}), None)


def walk_shares(right: Trial, kind: Kind, group: ShareGroup) -> Walk:
    part = group.parts[0]
    place, total = (part.indicator, part.column), (group.total.indicator, group.total.column)
    assert right.shares is not None
    shares = dict(right.shares)
    unknown_part = replace(right, blank=frozenset({place}))
    match kind:
        case Kind.SHARE:
            off = str(float(shares[part.indicator]) + 10)
            return Walk(right, replace(right, shares=shares | {part.indicator: off}), unknown_part)
        case Kind.SHARE_COLUMN:
            off = str(float(shares[part.indicator]) + 50)
            unprinted = {code: share for code, share in shares.items() if code != part.indicator}
            return Walk(right, replace(right, shares=shares | {part.indicator: off}), replace(right, shares=unprinted))
        case _:  # of a few hundred cases none is a ten-thousandth
            no_such = replace(unknown_part, shares=shares | {part.indicator: "0.01"})
            return Walk(unknown_part, no_such, replace(right, blank=frozenset({place, total})))


def walks(rules: RuleSet, right: Trial) -> Iterator[tuple[Rule, Walk]]:
    """Every rule over figures at every column, with its examples."""
    for kind in (Kind.REQUIRED, Kind.NEGATIVE):
        for code, column in positions_of(kind, rules):
            yield (code, column), walk_cell(right, kind, code.partition(":")[2], column)
    for row in rules.table.constraints:
        yield (row.code, row.column), walk_linear(right, row)
    for kind in (Kind.SHARE, Kind.SHARE_COLUMN, Kind.SHARE_ATTAINABLE):
        for group in rules.table.share_groups(kind):
            yield (group.code(kind), group.column), walk_shares(right, kind, group)


@lru_cache
def material(key: str, nth: int = 2) -> tuple[RuleSet, Trial]:
    """The rules of a form in the n-th period, and a return that they all pass, with hardly a zero in it."""
    form = WITH_OPTIONAL[key]
    *_, before, now = returns(form, nth, by_thirds)
    period = first_periods(form, nth)[-1]
    return rules_of(form, period), consistent_trial(form, before, now)


SECOND = [(key, 2) for key in FORMS]
NEXT_JANUARY = [(key, 13) for key in FORMS if WITH_OPTIONAL[key].frequency is Frequency.MONTHLY]


@pytest.mark.parametrize(("key", "nth"), SECOND + NEXT_JANUARY)
def test_every_rule_has_a_return_that_passes_fails_and_leaves_it_open(key: str, nth: int) -> None:
    """In February, and in January, when cumulatives begin anew and what was open in December is brought forward."""
    rules, right = material(key, nth)
    told = list(walks(rules, right))
    trials = [trial for _, walk in told for trial in (walk.passing, walk.failing, walk.open or walk.passing)]

    found = answers(rules.form, rules.period, trials)

    wrong = []
    for number, (rule, walk) in enumerate(told):
        fails, unassessable = (marks[3 * number : 3 * number + 3].tolist() for marks in found[rule])
        always = rule[0].partition(":")[0] in ALWAYS_ASSESSABLE
        assert always == (walk.open is None), rule
        if fails != [False, True, False] or unassessable != [False, False, not always]:
            wrong.append((rule, fails, unassessable))
    assert wrong == []


@pytest.mark.parametrize("key", FORMS)
def test_no_rule_of_figures_is_left_out(key: str) -> None:
    """The rule book's own list, without what concerns the return as a whole, reading, the course of figures, and lists."""
    rules, right = material(key)
    elsewhere = {str(kind) for kind in TRENDS} | set(FINDINGS)
    others = ("reading:", "list:")
    listed = {code for code in rule_codes(rules) if code not in elsewhere and not code.startswith(others)}

    assert {code for (code, _), _ in walks(rules, right)} == listed


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("key", FORMS)
def test_a_bureau_without_units_or_siblings_has_nothing_to_hold(key: str, beside: bool) -> None:
    """It is neither broken nor waited for: the rule does not apply, though it may to another of the same period."""
    rules, right = material(key)
    codes = {(row.code, row.column) for kind in (Kind.BRANCH, Kind.BRIDGE) for row in rules.table.of_kind(kind)}
    alone = replace(right, units=None, siblings=None, predecessors=None)

    found = answers(rules.form, rules.period, [alone, *([right] if beside else [])])

    assert codes
    for rule in codes:
        fails, unassessable = found[rule]
        assert not fails[0]
        assert not unassessable[0] or (beside and rule[0].startswith("branch:"))  # of it alone nothing is known


def test_shares_are_walked_at_the_precision_that_the_form_prints() -> None:
    """Should a form print none any more, the share kinds are walked nowhere, and this says so."""
    printed = {key for key in FORMS if material(key)[0].table.shares}

    assert printed == {"bureau-monthly/2008"}
    assert SHARE_DECIMALS >= 2
