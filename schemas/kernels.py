"""The arithmetic of rules over whole columns: which rows hold, fail, or cannot be assessed. Pure numpy, exact integers.

A frame has one row a submission. Figures are whole numbers; `UNKNOWN` stands where there is none, and is no zero. Every
kernel decides about unknowns itself and returns plain bool.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from schemas.constraints import Constraint, Kind, Relation, ShareGroup, Source, Term
from schemas.forms import SHARE_DECIMALS
from schemas.values import UNKNOWN

_HUNDRED = 10 ** (2 + SHARE_DECIMALS)  # 100 %, as shares are kept
_EXACT = 2**62
BRIDGED = "bridged"  # the frame column that is 1 where a bureau shares with others what was left to them, else 0
_WHERE_THERE = (Source.UNITS, Source.SIBLINGS)  # looked up for some bureaus: without its column a rule concerns nobody


@dataclass(frozen=True)
class Outcome:
    """The verdict of one kind over a frame: bool arrays rows × rules, and the difference that was found (in the scale of
    the rule's figures; meaningless where it holds or is unknown)."""

    fails: np.ndarray
    unassessable: np.ndarray
    difference: np.ndarray

    @property
    def holds(self) -> np.ndarray:
        """Everything that does not fail; what cannot be assessed holds nothing up."""
        return ~self.fails


@dataclass
class Columns:
    """A frame's figures, column by column, each looked at once: most columns of a month have no unknown in them."""

    frame: pd.DataFrame
    _known: dict[str, tuple[np.ndarray, np.ndarray | None]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frame)

    def __contains__(self, name: str) -> bool:
        return name in self.frame.columns

    def column(self, name: str) -> tuple[np.ndarray, np.ndarray | None]:
        """int64, one a row, 0 where unknown; and bool where it is unknown, None where it is nowhere. A column that is
        absent is unknown throughout."""
        if name not in self._known:
            self._known[name] = self._looked_up(name)
        return self._known[name]

    def _looked_up(self, name: str) -> tuple[np.ndarray, np.ndarray | None]:
        if name not in self.frame.columns:
            return np.zeros(len(self.frame), np.int64), np.ones(len(self.frame), bool)
        values = self.frame[name].to_numpy()
        if not len(values) or values.min() != UNKNOWN:
            return values, None
        missing = values == UNKNOWN
        return np.where(missing, 0, values), missing

    def numbers(self, name: str) -> np.ndarray:
        """int64, one a row, 0 where unknown."""
        return self.column(name)[0]

    def known(self, name: str) -> np.ndarray:
        """bool, one a row: whether the figure is there."""
        missing = self.column(name)[1]
        return np.ones(len(self.frame), bool) if missing is None else ~missing


def linear(
    columns: Columns,
    rules: Sequence[Constraint],
    slack: Mapping[str, np.ndarray] | None = None,
    booked: Mapping[tuple[str, str], np.ndarray] | None = None,
) -> Outcome:
    """Evaluate Σ coefficient × cell (= or <=) 0 for every rule at once.

    An unknown is some number in [0, ∞), so a rule may fail or hold although not everything is known: known parts above
    the total fail, known parts equal to it hold. It never holds while the figure that the others imply is unknown, nor
    while a figure of another return is (it is judged when that is accepted); but it may fail: a month above its own
    cumulative is wrong whatever came before.

    Args:
        slack: by rule code, one a row, a tolerance that differs from the rule's own.
        booked: by rule code and column, one a row, an amount that belongs to the rule's sum beside its terms.
    """
    shape = (len(columns), len(rules))
    fails, unassessable = np.zeros(shape, bool, order="F"), np.zeros(shape, bool, order="F")
    difference = np.zeros(shape, np.int64, order="F")
    for index, rule in enumerate(rules):
        if any(term.source in _WHERE_THERE and term.name not in columns for term in rule.terms):
            continue  # nobody here reports for a branch, or shares a balance
        total, unknown = _summed(columns, rule.terms, difference[:, index])
        if booked and (rule.code, rule.column) in booked:
            total += booked[rule.code, rule.column]
        tolerance = slack[rule.code] if slack and rule.code in slack else rule.tolerance
        if rule.relation is Relation.EQUAL:
            above, below = total > tolerance, total < -tolerance
        else:
            above, below = total > tolerance, None
        if unknown is None:
            fails[:, index] = above if below is None else above | below
            continue
        raised, lowered, open_ = unknown
        failing = above & ~lowered
        if below is not None:
            failing |= below & ~raised
            holding = ~(above | below) & ~(raised & lowered) & ~open_
        else:
            holding = ~above & ~raised & ~open_
        fails[:, index] = failing
        unassessable[:, index] = ~failing & ~holding
    _where_concerned(columns, rules, fails, unassessable)
    return Outcome(fails, unassessable, difference)


def _where_concerned(
    columns: Columns, rules: Sequence[Constraint], fails: np.ndarray, unassessable: np.ndarray
) -> None:
    """What several begin with together concerns them alone; all others neither break such a rule nor wait for it."""
    shared = [at for at, rule in enumerate(rules) if rule.kind is Kind.BRIDGE]
    if shared and BRIDGED in columns:
        concerned = (columns.numbers(BRIDGED) == 1)[:, None]
        fails[:, shared] &= concerned
        unassessable[:, shared] &= concerned


def _summed(
    columns: Columns, terms: Sequence[Term], total: np.ndarray
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray] | None]:
    """The sum of what is known, into `total`; and, unless everything is, where unknowns could push it up, where down, and
    where it cannot hold yet: the implied figure, or one of another return, is not there."""
    unknown: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
    for term in terms:
        values, missing = columns.column(term.name)
        if term.coefficient == 1:
            total += values
        elif term.coefficient == -1:
            total -= values
        else:
            total += term.coefficient * values
        if missing is not None:
            if unknown is None:
                unknown = tuple(np.zeros(len(total), bool) for _ in range(3))  # type: ignore[assignment]
            assert unknown is not None
            raised, lowered, open_ = unknown
            if term.source is not Source.OWN or term is terms[-1]:
                open_ |= missing
            if term.coefficient > 0 or term.signed:
                raised |= missing
            if term.coefficient < 0 or term.signed:
                lowered |= missing
    return total, unknown


def _largest(values: np.ndarray) -> int:
    return max(int(values.max()), -int(values.min())) if values.size else 0


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


def share_inputs(columns: Columns, group: ShareGroup) -> ShareInputs:
    """Gather one group."""

    def matrix(cells: Sequence) -> tuple[np.ndarray, np.ndarray]:
        names = [cell.name for cell in cells]
        return (
            np.column_stack([columns.numbers(name) for name in names]),
            np.column_stack([columns.known(name) for name in names]),
        )

    parts, parts_known = matrix(group.parts)
    shares, shares_known = matrix(group.shares)
    total, total_known = matrix([group.total])
    places = np.minimum(columns.numbers(precision_name(group)), SHARE_DECIMALS)
    unit = 10 ** (SHARE_DECIMALS - places)[:, None]
    return ShareInputs(parts, shares, total, parts_known, shares_known, total_known, unit)


def share_of_total(columns: Columns, group: ShareGroup) -> Outcome:
    """Each printed share against part ÷ *stated* total: right if the true share lies within half a unit of the last
    printed place (57% stands for 56.5 to 57.5). Of a total of nothing every share is 0. The difference is printed −
    true share, rounded to 10^-6 per cent.
    """
    given = share_inputs(columns, group)
    total, shares, parts = given.total, given.shares, given.parts
    # 2 × (share × total − part × 100) must fit 64 bits; where it might not, Python's integers do it.
    largest = max(_largest(shares), _HUNDRED) * max(_largest(total), _largest(parts))
    if largest > _EXACT // 4:
        total, shares, parts = total.astype(object), shares.astype(object), parts.astype(object)
    assessable = given.shares_known & given.parts_known & given.total_known
    off = 2 * np.abs(shares * total - parts * _HUNDRED) > given.unit * total
    nothing = total == 0
    wrong = np.where(nothing, given.shares != 0, off).astype(bool) & assessable
    with np.errstate(divide="ignore", invalid="ignore"):
        true_share = np.where(nothing, 0.0, given.parts.astype(float) * _HUNDRED / np.where(nothing, 1, given.total))
    # Of an absurd part (a hundred thousand million of one) the difference is only told as far as an int64 goes.
    told = np.clip(np.rint(given.shares - true_share), -float(_EXACT), float(_EXACT))
    return Outcome(wrong, ~assessable, np.where(wrong, told, 0).astype(np.int64))


def column_of_shares(columns: Columns, group: ShareGroup) -> Outcome:
    """Whether a complete column of shares adds to 100 within ± n × half a unit of the last place (n shares).

    With shares unknown it can only fail by exceeding 100. Rows × 1; the difference is the sum − 100.
    """
    given = share_inputs(columns, group)
    total = given.shares.sum(axis=1, keepdims=True)
    all_known = given.shares_known.all(axis=1, keepdims=True)
    applies = given.total_known & (given.total != 0) & given.shares_known.any(axis=1, keepdims=True)
    slack = given.unit * len(group.parts)
    above = 2 * (total - _HUNDRED) > slack
    below = 2 * (_HUNDRED - total) > slack
    fails = applies & (above | (below & all_known))
    empty = given.total_known & (given.total == 0)  # nothing to share out: nothing to add up
    return Outcome(fails, ~fails & ~empty & ~(applies & all_known), np.where(fails, total - _HUNDRED, 0))


def share_attainable(columns: Columns, group: ShareGroup) -> Outcome:
    """Where a part is not known: whether any whole number of cases from 0 to the stated total has its printed share.

    Where the part is known its own rule says more, so this one holds there. The difference is how far the nearest
    attainable share lies below the printed one, rounded to 10^-6 per cent.
    """
    given = share_inputs(columns, group)
    total, shares = given.total.astype(object), given.shares.astype(object)
    claimed = given.shares_known & ~given.parts_known
    assessable = claimed & given.total_known & (given.total != 0)
    fails = np.zeros(claimed.shape, bool)
    difference = np.zeros(claimed.shape, np.int64)
    for row, part in zip(*np.nonzero(assessable), strict=True):
        whole, printed, unit = total[row, 0], shares[row, part], int(given.unit[row, 0])
        nearest = min(max((2 * printed * whole + _HUNDRED) // (2 * _HUNDRED), 0), whole)
        if 2 * abs(printed * whole - nearest * _HUNDRED) > unit * whole:
            fails[row, part] = True
            difference[row, part] = round(printed - nearest * _HUNDRED / whole)
    return Outcome(fails, claimed & ~given.total_known, difference)


class Diagnosis:
    """Why a share is off its rounding: stable codes, in order of precedence (DESIGN: values)."""

    ADJUSTED = "adjusted"  # moved by one unit of its last place so that the column adds to 100
    OTHER_TOTAL = "other_total"  # right for another total
    TRUNCATED = "truncated"  # cut off instead of rounded
    UNATTAINABLE = "unattainable"  # no whole number of cases has this share of this total
    WRONG = "wrong"  # some case count has it, but not the one that stands there


def diagnose_shares(
    columns: Columns, group: ShareGroup, rows: np.ndarray, parts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Explain failing shares: for each (row, part) the first `Diagnosis` that fits, and for OTHER_TOTAL that total.

    Args:
        rows: int, positions among the rows; parts: int, positions in `group.parts`; both of one length.

    Returns:
        Two object arrays of that length: codes, and totals as int (None elsewhere).
    """
    given = share_inputs(columns, group)
    printed = given.shares[rows, parts].astype(object)
    part = given.parts[rows, parts].astype(object)
    total = given.total[rows, 0].astype(object)
    unit = given.unit[rows, 0].astype(object)
    adjusted = _apportioned(given, rows)
    codes = np.full(len(rows), Diagnosis.WRONG, dtype=object)
    others = np.full(len(rows), None, dtype=object)
    sums = given.parts.sum(axis=1).astype(object)
    sums_known = given.parts_known.all(axis=1)
    alternatives = [(sums, sums_known)] + [
        (columns.numbers(cell.name).astype(object), columns.known(cell.name)) for cell in group.alternatives
    ]
    for place, (share, count, whole, step) in enumerate(zip(printed, part, total, unit, strict=True)):
        if not whole:
            continue
        row = rows[place]
        if adjusted[row]:
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


def _apportioned(given: ShareInputs, rows: np.ndarray) -> dict[int, bool]:
    """Of each of these rows: whether its column adds to 100 because its writer made it so. Plain rounding does not (so there
    was something to adjust), and every share is its rounding or one unit beside it, all to the same side: what the largest
    remainder gives, and also what forcing the last class gives."""
    found: dict[int, bool] = {}
    for row in set(rows.tolist()):
        whole, step = int(given.total[row, 0]), int(given.unit[row, 0])
        complete = given.shares_known[row].all() and given.parts_known[row].all() and whole > 0
        found[row] = bool(complete) and _is_adjusted(given.parts[row].tolist(), given.shares[row].tolist(), whole, step)
    return found


def _is_adjusted(parts: list[int], shares: list[int], whole: int, step: int) -> bool:
    rounded = [(2 * part * _HUNDRED + step * whole) // (2 * step * whole) * step for part in parts]
    off = {share - plain for share, plain in zip(shares, rounded, strict=True)}
    return sum(shares) == _HUNDRED != sum(rounded) and (off <= {0, step} or off <= {0, -step})
