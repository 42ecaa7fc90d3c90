"""The vectorised arithmetic against slow counting out, over fractions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.constraints import Constraint, Kind, Relation, ShareGroup, Source, Term
from schemas.forms import SHARE_DECIMALS, Cell
from schemas.kernels import (
    Columns,
    Diagnosis,
    column_of_shares,
    diagnose_shares,
    linear,
    precision_name,
    share_of_total,
)
from schemas.records import Severity
from schemas.values import UNKNOWN

quickly = settings(max_examples=120, deadline=None)
_HIGHEST = 9


def cell(position: int, measure: str = "count") -> Cell:
    return Cell(position, f"i{position}", "month", measure, "b", "t", 0 if measure == "count" else SHARE_DECIMALS)  # type: ignore[arg-type]


def column(values: list[int | None]) -> np.ndarray:
    return np.array([UNKNOWN if value is None else value for value in values])


# -- linear rows --------------------------------------------------------------------------------------------------------


def reachable(values: list[int | None], coefficients: list[int]) -> set[int]:
    """Every sum that some filling-in of the unknowns gives; known figures stay below `_HIGHEST`, so 3 × that is enough."""
    choices = [range(4 * _HIGHEST) if value is None else (value,) for value in values]
    return {sum(c * v for c, v in zip(coefficients, chosen, strict=True)) for chosen in product(*choices)}


@quickly
@given(
    st.lists(
        st.tuples(st.one_of(st.integers(0, _HIGHEST), st.none()), st.sampled_from((-1, 1))), min_size=2, max_size=4
    ).filter(lambda terms: sum(value is None for value, _ in terms) <= 2),
    st.sampled_from(list(Relation)),
)
def test_a_row_fails_exactly_where_no_filling_in_of_the_unknowns_makes_it_hold(terms, relation: Relation) -> None:
    values, coefficients = [value for value, _ in terms], [sign for _, sign in terms]
    cells = [cell(at) for at in range(len(terms))]
    rule = Constraint(
        "r", Kind.BREAKDOWN, "b", "month", tuple(map(Term, coefficients, cells)), relation, Severity.ERROR, None, "i0"
    )
    frame = pd.DataFrame({one.name: column([value]) for one, value in zip(cells, values, strict=True)})

    outcome = linear(Columns(frame), [rule])

    sums = reachable(values, coefficients)
    if relation is Relation.EQUAL:
        holding = {total for total in sums if total == 0}
    else:
        holding = {total for total in sums if total <= 0}
    known = sum(c * (value or 0) for c, value in zip(coefficients, values, strict=True))
    assert outcome.fails[0, 0] == (not holding)
    if not holding:
        assert outcome.difference[0, 0] == known
    if all(value is not None for value in values):
        assert not outcome.unassessable[0, 0]
    if holding and holding != sums and values[-1] is None:
        assert outcome.unassessable[0, 0]  # the implied figure is not there, so nothing can be said to hold
    if relation is Relation.AT_MOST and holding and holding != sums:
        assert outcome.unassessable[0, 0]
    assert not (outcome.fails & outcome.unassessable).any()


def test_a_row_that_looks_back_waits_whatever_else_is_known() -> None:
    now, before = cell(0), cell(0)
    rule = Constraint(
        "r", Kind.OPENING, "b", "month", (Term(1, before, Source.PREVIOUS), Term(-1, now)), Relation.EQUAL,
        Severity.ERROR, None, "i0",
    )  # fmt: skip
    frame = pd.DataFrame({now.name: column([5, 5, 5]), Term(1, before, Source.PREVIOUS).name: column([None, 5, 6])})

    outcome = linear(Columns(frame), [rule])

    assert outcome.fails[:, 0].tolist() == [False, False, True]
    assert outcome.unassessable[:, 0].tolist() == [True, False, False]
    assert outcome.difference[2, 0] == 1


# -- shares -------------------------------------------------------------------------------------------------------------


def group_of(parts: int, *, complete: bool = True, others: int = 0) -> ShareGroup:
    return ShareGroup(
        "i0:x", "b", "month",
        tuple(cell(1 + at) for at in range(parts)), tuple(cell(100 + at, "share") for at in range(parts)), cell(0),
        complete, None, tuple(cell(200 + at) for at in range(others)),
    )  # fmt: skip


def frame_of(group: ShareGroup, total: int, parts: list[int], printed: list[str], others: tuple[int, ...] = ()):
    columns: dict[str, object] = {group.total.name: column([total])}
    columns |= {one.name: column([value]) for one, value in zip(group.parts, parts, strict=True)}
    columns |= {
        one.name: column([int(Decimal(text).scaleb(SHARE_DECIMALS))])
        for one, text in zip(group.shares, printed, strict=True)
    }
    columns |= {one.name: column([value]) for one, value in zip(group.alternatives, others, strict=True)}
    columns[precision_name(group)] = np.array([max(len(text.partition(".")[2]) for text in printed)])
    return Columns(pd.DataFrame(columns))


def diagnosed(group: ShareGroup, frame: Columns, part: int = 0):
    codes, others = diagnose_shares(frame, group, np.array([0]), np.array([part]))
    return codes[0], others[0]


@quickly
@given(st.integers(1, 300), st.data(), st.integers(0, 3))
def test_a_share_holds_within_half_a_unit_of_its_last_printed_place(
    total: int, data: st.DataObject, places: int
) -> None:
    part = data.draw(st.integers(0, total))
    true = Fraction(100 * part, total)
    step = Fraction(1, 10**places)
    printed = round(true / step) * step + data.draw(st.sampled_from((-2, -1, 0, 0, 0, 1, 2))) * step
    if printed < 0:
        printed = Fraction(0)
    text = f"{Decimal(printed.numerator) / Decimal(printed.denominator):.{places}f}"
    group = group_of(1, complete=False)

    outcome = share_of_total(frame_of(group, total, [part], [text]), group)

    assert outcome.fails[0, 0] == (abs(Fraction(text) - true) > step / 2)


@quickly
@given(st.lists(st.integers(0, 60), min_size=2, max_size=7).filter(any), st.integers(0, 3), st.integers(-12, 12))
def test_a_column_adds_to_100_within_half_a_unit_a_share(parts: list[int], places: int, off: int) -> None:
    total, step = sum(parts), Fraction(1, 10**places)
    shares = [round(Fraction(100 * part, total) / step) * step for part in parts]
    shares[0] = max(Fraction(0), shares[0] + off * step)
    texts = [f"{Decimal(one.numerator) / Decimal(one.denominator):.{places}f}" for one in shares]
    group = group_of(len(parts))

    outcome = column_of_shares(frame_of(group, total, parts, texts), group)

    assert outcome.fails[0, 0] == (abs(sum(map(Fraction, texts)) - 100) > len(parts) * step / 2)


@quickly
@given(st.integers(1, 60), st.data())
def test_unattainable_means_that_no_number_of_cases_has_the_share(total: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, total))
    text = f"{data.draw(st.integers(0, 1000))}.{data.draw(st.integers(0, 9))}"
    printed, true = Fraction(text), Fraction(100 * part, total)
    group = group_of(1, complete=False)
    frame = frame_of(group, total, [part], [text])
    if not share_of_total(frame, group).fails[0, 0]:
        return

    code, _ = diagnosed(group, frame)

    attainable = any(abs(printed - Fraction(100 * count, total)) <= Fraction(1, 20) for count in range(total + 1))
    if code == Diagnosis.UNATTAINABLE:
        assert not attainable
    if code == Diagnosis.WRONG:
        assert attainable
    if code == Diagnosis.TRUNCATED:
        assert printed <= true < printed + Fraction(1, 10)


@pytest.mark.parametrize(
    ("total", "parts", "printed", "others", "told"),
    [
        # The published report of 2014: 12,150 of 12,176 printed 99.78 so that the column adds to 100.
        (12176, [12150, 12, 7, 6, 1], ["99.78", "0.10", "0.06", "0.05", "0.01"], (), ("adjusted", None)),
        (7390, [1759, 5604, 8, 19], ["12.00", "75.83", "0.11", "0.26"], (14658,), ("other_total", 14658)),
        (3, [2], ["66.6"], (), ("truncated", None)),
        (3, [1], ["66.7"], (), ("wrong", None)),
        (3, [1], ["50.0"], (), ("unattainable", None)),
    ],
)
def test_why_a_share_is_off(total: int, parts: list[int], printed: list[str], others: tuple[int, ...], told) -> None:
    group = group_of(len(parts), complete=len(parts) > 1, others=len(others))
    frame = frame_of(group, total, parts, printed, others)

    assert share_of_total(frame, group).fails[0, 0]
    assert diagnosed(group, frame) == told


def test_the_real_reports_shares_of_its_wrong_sum_are_right_ones_of_its_printed_total() -> None:
    """1,759 letters are 23.80% of the printed 7,390 and of the channels' 7,392 alike: shares could not have told."""
    group = group_of(4)
    frame = frame_of(group, 7390, [1759, 5604, 8, 21], ["23.80", "75.83", "0.11", "0.28"])

    assert not share_of_total(frame, group).fails.any()
    assert not column_of_shares(frame, group).fails.any()


def test_of_nothing_every_share_is_nothing() -> None:
    group = group_of(2)

    assert not share_of_total(frame_of(group, 0, [0, 0], ["0", "0"]), group).fails.any()
    assert share_of_total(frame_of(group, 0, [0, 0], ["50", "0"]), group).fails[0].tolist() == [True, False]
    assert not column_of_shares(frame_of(group, 0, [0, 0], ["0", "0"]), group).fails.any()


def test_large_figures_do_not_overflow() -> None:
    group = group_of(1, complete=False)
    total = 90_000_000_000_000

    assert not share_of_total(frame_of(group, total, [total // 3], ["33.33"]), group).fails[0, 0]
    assert share_of_total(frame_of(group, total, [total // 3], ["33.34"]), group).fails[0, 0]


def test_wrong_shares_that_add_to_100_are_no_adjustment_where_rounding_adds_up_too() -> None:
    group = group_of(3)
    frame = frame_of(group, 1000, [500, 300, 200], ["50.01", "29.99", "20.00"])

    assert "adjusted" not in [diagnosed(group, frame, part)[0] for part in (0, 1)]


@quickly
@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=8).filter(any), st.integers(0, 6))
def test_largest_remainder_shares_of_any_precision_are_noted_at_most(parts: list[int], places: int) -> None:
    """Hamilton's apportionment of 100 per cent at any printed precision: right shares hold, moved ones are `adjusted`."""
    total, step = sum(parts), Fraction(1, 10**places)
    exact = [Fraction(100 * part, total) for part in parts]
    floors = [one // step * step for one in exact]
    order = sorted(range(len(parts)), key=lambda at: floors[at] - exact[at])
    for at in order[: int((100 - sum(floors)) / step)]:
        floors[at] += step
    texts = [f"{Decimal(one.numerator) / Decimal(one.denominator):.{places}f}" for one in floors]
    group = group_of(len(parts))
    frame = frame_of(group, total, parts, texts)

    outcome = share_of_total(frame, group)

    assert not column_of_shares(frame, group).fails.any()
    assert {diagnosed(group, frame, int(part))[0] for part in np.flatnonzero(outcome.fails[0])} <= {"adjusted"}


@quickly
@given(st.integers(1, 10**14), st.integers(0, 10**14), st.integers(0, 10**16))
@example(1, 92_233_720_369, 0)  # its true share in 10^-6 per cent is more than an int64 holds
def test_no_figure_is_too_large_to_be_compared_exactly(total: int, part: int, share: int) -> None:
    group = group_of(1, complete=False)
    printed = f"{Decimal(share).scaleb(-SHARE_DECIMALS):.{SHARE_DECIMALS}f}"

    outcome = share_of_total(frame_of(group, total, [part], [printed]), group)

    off = abs(Fraction(printed) - Fraction(100 * part, total))
    assert outcome.fails[0, 0] == (off > Fraction(1, 2 * 10**SHARE_DECIMALS))
