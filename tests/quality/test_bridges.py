"""What a bureau looks back on that took over from others: sums, what is unknown, and what several share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from disclosure_etl.quality.bridges import carried_over, siblings_figures
from disclosure_etl.quality.judging import judge
from disclosure_etl.succession import Changeover
from schemas.constraints import Kind
from schemas.errors import Message
from schemas.kernels import BRIDGED
from schemas.records import Batch, Bridge, Heir, History
from schemas.values import UNKNOWN
from tests.factories import default_form
from tests.forms.flows import by_thirds, first_periods, returns
from tests.forms.trials import WITH_OPTIONAL, batch_of, consistent_trial
from tests.forms.trials import history_of as trials_history
from tests.quality.test_judging import quiet
from tests.quality.written import MAY, rules_of, written

FORM = default_form()
ASKED = ["m", "c", "a", "b"]  # of which the first two have sent something


def looked_up(*values: int) -> History:
    return History({"previous:closing": np.array(values)}, np.array([[[value, 1] for value in values]] * 2))


def merged(*values: int) -> History:
    return carried_over(
        looked_up(*values), ASKED, 2, ({"m": ("a", "b")}, {"m": ("a",)}), (Changeover(("a", "b"), ("m",)),)
    )


def test_a_figure_before_a_merger_is_the_sum_and_nobody_elses_changes() -> None:
    found = merged(UNKNOWN, 9, 3, 4)

    assert found.figures["previous:closing"].tolist() == [7, 9]
    assert BRIDGED not in found.figures
    assert found.past is not None
    assert found.past.tolist() == [[[7, 2], [9, 1]], [[3, 1], [9, 1]]]  # a step further back only one of them was there


def test_a_sum_is_unknown_as_soon_as_one_of_it_is() -> None:
    found = merged(5, 9, 3, UNKNOWN)

    assert found.figures["previous:closing"].tolist() == [UNKNOWN, 9]
    assert found.past is not None and found.past[0].tolist() == [[UNKNOWN, 2], [9, 1]]


def test_after_a_split_nobody_has_a_figure_of_its_own_and_each_the_sum_before() -> None:
    over = Changeover(("a", "b"), ("m", "n"))

    found = carried_over(looked_up(5, 9, 3, 4), ASKED, 2, ({"m": (), "n": ()},), (over,))

    assert found.figures["previous:closing"].tolist() == [UNKNOWN, 9]
    assert found.figures["predecessors:closing"].tolist() == [7, UNKNOWN]
    assert found.figures[BRIDGED].tolist() == [1, 0]


def test_siblings_are_what_the_others_sent_last_and_unknown_while_one_is_missing() -> None:
    cell = FORM.figure_cell("applications.opening", "month")
    assert cell is not None
    first = written(FORM, quiet() | {("applications.opening", "month"): 2}, bureau="y")
    second = replace(written(FORM, quiet() | {("applications.opening", "month"): 3}, bureau="y"), revision=2)
    own = written(FORM, quiet(), bureau="x")
    beside = {"x": ("y",), "y": ("x",), "p": ("q",)}

    found = siblings_figures(Batch(FORM, MAY, (second, first, own)), [cell], beside, ["x", "p", "other"])

    assert found[f"siblings:{cell.name}"].tolist() == [3, UNKNOWN, UNKNOWN]
    assert siblings_figures(Batch(FORM, MAY, (own,)), [cell], beside, ["other"]) == {}


def test_of_a_stock_each_successor_is_told_with_what_it_must_have_begun_with() -> None:
    """In force at the end, without what came and with what went: that is what was taken over."""
    form = WITH_OPTIONAL["bureau-monthly/2019"]
    *_, before, now = returns(form, 2, by_thirds)
    period = first_periods(form, 2)[-1]
    right = consistent_trial(form, before, now)
    place = next((row.terms[-1].cell for row in rules_of(form, period).table.of_kind(Kind.STOCK)), None)
    assert place is not None
    carried = before[place.indicator, place.column]
    wrong = replace(right, figures=now | {(place.indicator, place.column): now[place.indicator, place.column] + 4})
    other = written(form, now, bureau="y", period=period)
    heirs = (Heir("dongcheng", Message("东城", "East"), None), Heir("y", Message("西城", "West"), other))
    rules = rules_of(form, period)
    history = replace(trials_history(rules, [wrong]), bridges={"dongcheng": Bridge(Message("甲、乙", "A, B"), heirs)})

    verdict = judge(batch_of(form, period, [wrong]), rules, history).judged[0]

    (told,) = [one for one in verdict.failures if one.kind == Kind.BRIDGE]
    assert (told.rule, told.severity.value, told.column) == (f"bridge:{place.indicator}", "warning", place.column)
    assert told.seen == (str(carried + 4), str(carried), str(2 * carried))
    assert (told.expected, told.difference) == (str(2 * carried), "4")
    assert f"东城 {carried + 4} + 西城 {carried}" in told.message.zh and "甲、乙" in told.message.zh
