"""What is odd in the course of a bureau's figures: jumps against its own past and its peers, a zero where peers are large, a
copy of the last period. Pure numpy over a whole period at once; nothing here is proof of an error, so all of it only warns.

Counts are compared on the square-root scale, on which a Poisson count has the same spread everywhere (Anscombe 1948:
2√(x + 3/8) has variance 1); levels and spreads are medians, which a single slip does not move. The threshold follows from a
budget: so many false alarms in a period, over all bureaus and figures together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np

from schemas.kernels import Outcome
from schemas.records import Norms
from schemas.values import UNKNOWN

RECENT = 6  # how many preceding periods make a bureau's level
_MAD = 1.4826  # median absolute deviation → standard deviation, of a normal distribution
_SMALL = 20  # expected counts below this are judged by their exact distribution as well
_FEW = 5  # below so many peers there is no season to be seen


@dataclass(frozen=True, slots=True)
class TrendThresholds:
    """What a trend must reach to be told.

    `false_alarms`: expected a period, per kind, where nothing is wrong. `least_history`: periods a level needs.
    `least_change`: ratio to the expected figure; `least_difference`: in units. A zero is odd where at least
    `zero_peers` others report and `zero_share` of them more than nothing, with a median of at least `zero_median`. A
    copy has at least `copy_figures` figures other than zero. The last four may differ by row (arrays).
    """

    false_alarms: float = 1.0
    least_history: int = 3
    least_change: float | np.ndarray = 1.5
    least_difference: float | np.ndarray = 5.0
    zero_peers: int = 8
    zero_share: float = 0.9
    zero_median: float | np.ndarray = 10.0
    copy_figures: int | np.ndarray = 5


@dataclass(frozen=True)
class Course:
    """The watched figures of the rows that are judged. All arrays in whole smallest units with `UNKNOWN`.

    `now`: rows × figures. `past`: periods × rows × figures, the preceding period first; `year_before`: which of them is a
    year ago, None where none is. `units`: per figure, how many smallest units make one (100 fen a yuan). `whole`: bool,
    which figures are part of no other.
    """

    now: np.ndarray
    past: np.ndarray
    year_before: int | None
    units: np.ndarray
    whole: np.ndarray

    @cached_property
    def level(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The median of the recent figures, how many there are, and their robust spread on the square-root scale (at least
        that of a Poisson count). Rows × figures each; NaN where there are none."""
        recent = _natural(self.past[:RECENT], self.units)
        there = (~np.isnan(recent)).sum(axis=0)
        if not len(recent):
            nothing = np.full(self.now.shape, np.nan)
            return nothing, np.zeros(self.now.shape, int), nothing
        level = _median(recent, there)
        roots = 2 * np.sqrt(np.maximum(recent, 0) + 0.375)
        off = np.abs(roots - 2 * np.sqrt(np.maximum(level, 0) + 0.375))
        return level, there, np.maximum(_MAD * _median(off, there), 1.0)


def _natural(values: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Figures as floats in their unit, NaN where unknown."""
    return np.where(values == UNKNOWN, np.nan, values / units)


def _median(values: np.ndarray, there: np.ndarray) -> np.ndarray:
    """The median along the first axis of what is not NaN; `there` says how many that are."""
    ordered = np.sort(values, axis=0)  # NaN last
    low = np.maximum((there - 1) // 2, 0)[None]
    high = np.maximum(there // 2, 0)[None]
    high = np.minimum(high, len(values) - 1)
    middle = (np.take_along_axis(ordered, low, axis=0) + np.take_along_axis(ordered, high, axis=0))[0] / 2
    return np.where(there > 0, middle, np.nan)


def norms_of(course: Course) -> Norms:
    """What all rows together tell of a period. Rows of held returns count too: medians bear with some that are wrong."""
    now = _natural(course.now, course.units)
    level, there, _ = course.level
    there_now = (~np.isnan(now)).sum(axis=0)
    with np.errstate(invalid="ignore"):
        positive = np.where(there_now > 0, (now > 0).sum(axis=0) / np.maximum(there_now, 1), 0.0)
    year = np.full(now.shape, np.nan)
    if course.year_before is not None and course.year_before < len(course.past):
        year = _natural(course.past[course.year_before], course.units)
    return Norms(
        season=_ratio(now, np.where(there >= 3, level, np.nan)),
        year_season=_ratio(now, year),
        reporting=there_now,
        positive=positive,
        median=np.nan_to_num(_median(now, there_now)) if len(now) else np.zeros(now.shape[1]),
    )


def _ratio(now: np.ndarray, level: np.ndarray) -> np.ndarray:
    """The median over rows of now ÷ level, of rows with a level that says something."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = np.where(level >= _FEW, (now + 0.5) / (level + 0.5), np.nan)
    there = (~np.isnan(ratios)).sum(axis=0)
    found = _median(ratios, there) if len(ratios) else np.full(now.shape[1], np.nan)
    return np.where((there >= _FEW) & (found > 0), found, 1.0)


def jumps(course: Course, norms: Norms, thresholds: TrendThresholds) -> tuple[Outcome, np.ndarray]:
    """Figures far from the bureau's own recent level, moved as its peers moved. Rows × figures, and the expected figures
    (float, in units)."""
    level, there, spread = course.level
    enough = there >= thresholds.least_history
    expected = np.where(enough, level * norms.season, np.nan)
    error = spread * np.sqrt(1 + math.pi / 2 / np.maximum(there, 1))
    # A spread that was itself estimated from a few figures is not to be trusted to the last place.
    trust = np.where(spread > 1, 1 + 4 / np.maximum(there, 1), 1.0)
    return _far(course, expected, error * trust, there / np.maximum(norms.season, 1e-9), thresholds)


def year_jumps(course: Course, norms: Norms, thresholds: TrendThresholds) -> tuple[Outcome, np.ndarray]:
    """Figures far from the bureau's own of a year ago, moved as its peers moved; as `jumps`."""
    if course.year_before is None or course.year_before >= len(course.past):
        nothing = np.zeros(course.now.shape, bool)
        return Outcome(nothing, nothing, np.zeros(course.now.shape, np.int64)), np.full(course.now.shape, np.nan)
    year = _natural(course.past[course.year_before], course.units)
    _, there, spread = course.level
    own = np.where(there >= thresholds.least_history, spread * (1 + 4 / np.maximum(there, 1)), 2.0)
    own = np.maximum(np.nan_to_num(own, nan=2.0), 1.0)
    return _far(
        course, year * norms.year_season, own * math.sqrt(2), 1 / np.maximum(norms.year_season, 1e-9), thresholds
    )


def _far(
    course: Course, expected: np.ndarray, error: np.ndarray, exposure: np.ndarray, thresholds: TrendThresholds
) -> tuple[Outcome, np.ndarray]:
    now = _natural(course.now, course.units)
    applies = ~np.isnan(expected)  # a bureau without a past has nothing to be compared with, and waits for nothing
    assessable = ~np.isnan(now) & applies
    tests = int(assessable.sum())
    fails = np.zeros(now.shape, bool)
    if tests:
        chance = min(thresholds.false_alarms / tests, 0.5)
        bound = NormalDist().inv_cdf(1 - chance / 2)
        with np.errstate(invalid="ignore", divide="ignore"):
            distance = 2 * (np.sqrt(np.maximum(now, 0) + 0.375) - np.sqrt(np.maximum(expected, 0) + 0.375))
            change = np.maximum((now + 0.5) / (expected + 0.5), (expected + 0.5) / (now + 0.5))
            fails = (
                assessable
                & (np.abs(distance) > bound * error)
                & (change >= _by_row(thresholds.least_change))
                & (np.abs(now - expected) >= _by_row(thresholds.least_difference))
            )
        weight = np.broadcast_to(exposure, now.shape)
        for row, at in zip(*np.nonzero(fails & (expected < _SMALL)), strict=True):
            fails[row, at] = _tail(float(now[row, at]), float(expected[row, at]), float(weight[row, at])) < chance
    difference = np.where(fails, np.rint((now - np.nan_to_num(expected)) * course.units), 0)
    return Outcome(fails, applies & ~assessable, np.nan_to_num(difference).astype(np.int64)), expected


def _by_row(value: float | np.ndarray) -> float | np.ndarray:
    return value[:, None] if isinstance(value, np.ndarray) else value


def _tail(seen: float, expected: float, exposure: float) -> float:
    """Two-sided chance of a count at least as far out, where the rate is known only from `exposure` periods: the negative
    binomial that a Poisson count has under the Jeffreys prior (shape Σ + ½)."""
    exposure = max(exposure, 0.5)
    shape, success = expected * exposure + 0.5, exposure / (exposure + 1)

    def at_most(count: int) -> float:
        return math.fsum(
            math.exp(
                math.lgamma(shape + k) - math.lgamma(shape) - math.lgamma(k + 1)
                + shape * math.log(success) + k * math.log1p(-success)
            )
            for k in range(count + 1)
        )  # fmt: skip

    count = math.floor(seen)
    if count > 10_000:
        return 0.0
    side = 1 - at_most(count - 1) if seen > expected else at_most(count)
    return min(2 * max(side, 0.0), 1.0)


def zeros_among_peers(course: Course, norms: Norms, thresholds: TrendThresholds) -> Outcome:
    """A zero where nearly all peers report something, and much; not of a bureau whose own level is nothing, and only of
    figures that are part of no other (`course.whole`). Rows × figures; the difference is minus the peers' median."""
    level, there, _ = course.level
    with np.errstate(invalid="ignore"):
        usual = (there >= thresholds.least_history) & (level < 1)
    large = (
        (norms.reporting > thresholds.zero_peers)
        & (norms.positive >= thresholds.zero_share)
        & (norms.median >= np.asarray(_by_row(thresholds.zero_median)))
        & course.whole
    )
    unknown = course.now == UNKNOWN
    fails = (course.now == 0) & large & ~usual
    difference = np.where(fails, -np.rint(norms.median * course.units), 0).astype(np.int64)
    return Outcome(fails, unknown & large, difference)


def copies(course: Course, thresholds: TrendThresholds) -> Outcome:
    """Returns in which every watched figure is the last period's. Rows × 1."""
    rows = len(course.now)
    if not len(course.past):
        return Outcome(np.zeros((rows, 1), bool), np.zeros((rows, 1), bool), np.zeros((rows, 1), np.int64))
    before = course.past[0]
    both = (before != UNKNOWN) & (course.now != UNKNOWN)
    filled = (both & (course.now != 0)).sum(axis=1, keepdims=True)
    same = ((course.now == before) | ~both).all(axis=1, keepdims=True)
    least = thresholds.copy_figures
    fails = same & (filled >= (least[:, None] if isinstance(least, np.ndarray) else least))
    unknown = (before != UNKNOWN).any(axis=1, keepdims=True) & ~both.any(axis=1, keepdims=True)
    return Outcome(fails, unknown, np.zeros((rows, 1), np.int64))
