"""The arithmetic of rules over whole columns: which rows hold, fail, or cannot be assessed. Pure numpy, exact integers.

A frame has one row a submission. Figures are nullable integers (a missing one is an unknown, not a zero), beside them
`meaning:` and `trouble:` columns of small integers. Every kernel decides about unknowns itself and returns plain bool.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from schemas.constraints import Constraint, Relation, ShareGroup
from schemas.forms import SHARE_DECIMALS

_HUNDRED = 10 ** (2 + SHARE_DECIMALS)  # 100 %, as shares are kept
_EXACT = 2**62


@dataclass(frozen=True)
class Outcome:
    """The verdict of one kind over a frame: bool arrays rows × rules, and the difference that was found (object or
    int64, in the scale of the rule's figures; 0 where it holds or is unknown)."""

    fails: np.ndarray
    unassessable: np.ndarray
    difference: np.ndarray

    @property
    def holds(self) -> np.ndarray:
        """Everything that does not fail; what cannot be assessed holds nothing up."""
        return ~self.fails


def known(frame: pd.DataFrame, name: str) -> np.ndarray:
    """bool, one a row: whether the figure is there. A column that is absent is unknown throughout."""
    if name not in frame:
        return np.zeros(len(frame), dtype=bool)
    return ~frame[name].isna().to_numpy(dtype=bool)


def numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    """int64, one a row, 0 where unknown."""
    if name not in frame:
        return np.zeros(len(frame), dtype=np.int64)
    return frame[name].to_numpy(dtype=np.int64, na_value=0)


def linear(frame: pd.DataFrame, rules: Sequence[Constraint]) -> Outcome:
    """Evaluate Σ coefficient × cell (= or <=) 0 for every rule at once.

    An unknown is some number in [0, ∞), so a rule may fail or hold although not everything is known: known parts above
    the total fail, known parts equal to it hold. A rule that looks back is not assessable until its figure is accepted.
    """
    shape = (len(frame), len(rules))
    fails, open_, difference = np.zeros(shape, bool), np.zeros(shape, bool), np.zeros(shape, np.int64)
    cache: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for index, rule in enumerate(rules):
        total = np.zeros(len(frame), np.int64)
        raised = np.zeros(len(frame), bool)  # an unknown could push the sum up
        lowered = np.zeros(len(frame), bool)
        waiting = np.zeros(len(frame), bool)
        for term in rule.terms:
            if term.name not in cache:
                cache[term.name] = (numbers(frame, term.name), ~known(frame, term.name))
            values, missing = cache[term.name]
            total += term.coefficient * values
            if term.previous:
                waiting |= missing
            elif term.coefficient > 0:
                raised |= missing
            else:
                lowered |= missing
        if rule.relation is Relation.EQUAL:
            failing = ((total > 0) & ~lowered) | ((total < 0) & ~raised)
            holding = (total == 0) & ~(raised & lowered)
        else:
            failing = (total > 0) & ~lowered
            holding = (total <= 0) & ~raised
        failing &= ~waiting
        fails[:, index] = failing
        open_[:, index] = ~failing & (~holding | waiting)
        difference[:, index] = np.where(failing, total, 0)
    return Outcome(fails, open_, difference)


def _exact(values: np.ndarray, factor: int) -> np.ndarray:
    """The same whole numbers in a type in which `values` × `factor` does not overflow."""
    if values.size and int(np.abs(values).max()) > _EXACT // factor:
        return values.astype(object)
    return values


@dataclass(frozen=True)
class ShareInputs:
    """What the share kernels work on: arrays rows × parts, per share group."""

    parts: np.ndarray
    shares: np.ndarray
    total: np.ndarray  # rows × 1
    parts_known: np.ndarray
    shares_known: np.ndarray
    total_known: np.ndarray  # rows × 1
    unit: np.ndarray  # rows × 1: one unit of the last printed place of the column, as shares are kept


def precision_name(group: ShareGroup) -> str:
    """The frame column with the printed precision of a group: the largest number of decimals among its shares."""
    return f"precision:{group.name}"


def share_inputs(frame: pd.DataFrame, group: ShareGroup) -> ShareInputs:
    """Gather one group from the frame."""

    def matrix(cells: Sequence) -> tuple[np.ndarray, np.ndarray]:
        names = [cell.name for cell in cells]
        return (
            np.column_stack([numbers(frame, name) for name in names]),
            np.column_stack([known(frame, name) for name in names]),
        )

    parts, parts_known = matrix(group.parts)
    shares, shares_known = matrix(group.shares)
    total, total_known = matrix([group.total])
    places = np.minimum(frame[precision_name(group)].to_numpy(dtype=np.int64), SHARE_DECIMALS)
    unit = 10 ** (SHARE_DECIMALS - places)[:, None]
    return ShareInputs(parts, shares, total, parts_known, shares_known, total_known, unit)


def share_of_total(frame: pd.DataFrame, group: ShareGroup) -> Outcome:
    """Each printed share against part ÷ *stated* total: right if the true share lies within half a unit of the last
    printed place (57% stands for 56.5 to 57.5). Of a total of nothing every share is 0. The difference is printed −
    true share, rounded to 10^-6 per cent.
    """
    given = share_inputs(frame, group)
    total = _exact(given.total, _HUNDRED)
    shares, parts = _exact(given.shares, 1), given.parts
    if total.dtype == object or _exact(parts, _HUNDRED).dtype == object:
        total, shares, parts = given.total.astype(object), shares.astype(object), parts.astype(object)
    assessable = given.shares_known & given.parts_known & given.total_known
    off = 2 * np.abs(shares * total - parts * _HUNDRED) > given.unit * total
    nothing = total == 0
    wrong = np.where(nothing, given.shares != 0, off).astype(bool) & assessable
    with np.errstate(divide="ignore", invalid="ignore"):
        true_share = np.where(nothing, 0.0, given.parts.astype(float) * _HUNDRED / np.where(nothing, 1, given.total))
    difference = np.where(wrong, np.rint(given.shares - true_share), 0).astype(np.int64)
    return Outcome(wrong, ~assessable, difference)


def column_of_shares(frame: pd.DataFrame, group: ShareGroup) -> Outcome:
    """Whether a complete column of shares adds to 100 within ± n × half a unit of the last place (n shares).

    With shares unknown it can only fail by exceeding 100. Rows × 1; the difference is the sum − 100.
    """
    given = share_inputs(frame, group)
    total = given.shares.sum(axis=1, keepdims=True)
    all_known = given.shares_known.all(axis=1, keepdims=True)
    applies = given.total_known & (given.total != 0) & given.shares_known.any(axis=1, keepdims=True)
    slack = given.unit * len(group.parts)
    above = 2 * (total - _HUNDRED) > slack
    below = 2 * (_HUNDRED - total) > slack
    fails = applies & (above | (below & all_known))
    empty = given.total_known & (given.total == 0)  # nothing to share out: nothing to add up
    return Outcome(fails, ~fails & ~empty & ~(applies & all_known), np.where(fails, total - _HUNDRED, 0))


class Diagnosis:
    """Why a share is off its rounding: stable codes, in order of precedence (DESIGN: values)."""

    ADJUSTED = "adjusted"  # moved by one unit of its last place so that the column adds to 100
    OTHER_TOTAL = "other_total"  # right for another total
    TRUNCATED = "truncated"  # cut off instead of rounded
    UNATTAINABLE = "unattainable"  # no whole number of cases has this share of this total
    WRONG = "wrong"  # some case count has it, but not the one that stands there


def diagnose_shares(
    frame: pd.DataFrame, group: ShareGroup, rows: np.ndarray, parts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Explain failing shares: for each (row, part) the first `Diagnosis` that fits, and for OTHER_TOTAL that total.

    Args:
        rows: int, positions in the frame; parts: int, positions in `group.parts`; both of one length.

    Returns:
        Two object arrays of that length: codes, and totals as int (None elsewhere).
    """
    given = share_inputs(frame, group)
    printed = given.shares[rows, parts].astype(object)
    part = given.parts[rows, parts].astype(object)
    total = given.total[rows, 0].astype(object)
    unit = given.unit[rows, 0].astype(object)
    column_exact = (given.shares.sum(axis=1) == _HUNDRED) & given.shares_known.all(axis=1)
    codes = np.full(len(rows), Diagnosis.WRONG, dtype=object)
    others = np.full(len(rows), None, dtype=object)
    sums = given.parts.sum(axis=1).astype(object)
    sums_known = given.parts_known.all(axis=1)
    alternatives = [(sums, sums_known)] + [
        (numbers(frame, cell.name).astype(object), known(frame, cell.name)) for cell in group.alternatives
    ]
    for place, (share, count, whole, step) in enumerate(zip(printed, part, total, unit, strict=True)):
        if not whole:
            continue
        row = rows[place]
        rounded = (2 * count * _HUNDRED + step * whole) // (2 * step * whole) * step
        if column_exact[row] and abs(share - rounded) == step:
            codes[place] = Diagnosis.ADJUSTED
            continue
        fits = [
            int(values[row])
            for values, there in alternatives
            if there[row] and values[row] > 0 and values[row] != whole
            and 2 * abs(share * values[row] - count * _HUNDRED) <= step * values[row]
        ]  # fmt: skip
        if fits:
            codes[place], others[place] = Diagnosis.OTHER_TOTAL, fits[0]
        elif share == count * _HUNDRED // (step * whole) * step:
            codes[place] = Diagnosis.TRUNCATED
        else:
            nearest = (2 * share * whole + _HUNDRED) // (2 * _HUNDRED)
            if 2 * abs(share * whole - nearest * _HUNDRED) > step * whole or not 0 <= nearest <= whole:
                codes[place] = Diagnosis.UNATTAINABLE
    return codes, others
