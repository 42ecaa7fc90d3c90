"""What is odd in the course of a bureau's figures: jumps against its own past and its peers, a zero where peers are large, a
copy of the last period. Pure numpy over a whole period at once; nothing here is proof of an error, so all of it only warns.

Figures are compared on a scale on which their spread is the same everywhere: 2√(x + 3/8) for Poisson counts, and
2/√c · asinh √(c·(x + 3/8)) for a variance μ + c·μ² (Anscombe 1948), which is near the logarithm where c·μ is large. c, and how
far figures really stray, are estimated from all bureaus' recent periods together (`Pool`): a few periods of one bureau do not
tell its spread. The threshold follows from a budget: so many false alarms in a period, over all bureaus and figures together.
"""

from __future__ import annotations

import math
from collections.abc import Callable
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
_FIVE = 1 + math.pi / 10  # the variance of a figure less the median of five others, in variances of a figure
_CHI = 0.4549  # the median of χ² with one degree of freedom
_NEAR, _FAR = (NormalDist().inv_cdf(share) for share in (0.92, 0.98))  # where tails are measured; slips are fewer
_BORROWED = 300.0  # so many figures' weight have all figures together in what is estimated for one
_OWN = 6.0  # so many periods' weight has the pooled spread in a bureau's own
_FREEDOM = (
    120  # degrees of freedom of the lower tail: near a logarithm, that of a skew count grows beyond what was measured
)
_BURST = 5.0  # variance ÷ mean, of what follows on nothing, above which a figure comes in bursts
_LONGEST = 1000  # counts above this are as improbable as this: the exact tail goes no further


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
    def recent(self) -> np.ndarray:
        """The figures that make the level, in units, NaN where unknown. Periods × rows × figures, at least one period."""
        recent = _natural(self.past[:RECENT], self.units)
        return recent if len(recent) else np.full((1, *self.now.shape), np.nan)

    @cached_property
    def level(self) -> tuple[np.ndarray, np.ndarray]:
        """The median of the recent figures (NaN where there are none), and how many there are. Rows × figures each."""
        there = (~np.isnan(self.recent)).sum(axis=0)
        return _median(self.recent, there), there

    @cached_property
    def patchy(self) -> np.ndarray:
        """Where more than a third of the recent figures are nothing, or their median is. Rows × figures."""
        level, there = self.level
        with np.errstate(invalid="ignore"):
            return ((self.recent == 0).sum(axis=0) * 3 > there) | (level == 0)


@dataclass(frozen=True)
class Pool:
    """How far figures stray from their bureaus' levels, by all bureaus' recent periods. One float a figure each.

    `relative`: c of the variance μ + c·μ². `up`, `up_slope`, `down`, `down_slope`: on the scale of c, a figure is beyond
    the median of the others by more than up + up_slope·(z - 1.405) as often as a normal deviate beyond z. `burst`: variance
    ÷ mean of figures whose neighbours' median is below one. `zero`: the share of zeros where it is not.
    """

    relative: np.ndarray
    up: np.ndarray
    up_slope: np.ndarray
    down: np.ndarray
    down_slope: np.ndarray
    burst: np.ndarray
    zero: np.ndarray

    def reach(self, above: float, below: float) -> tuple[np.ndarray, np.ndarray]:
        """How far up and down on the figure's scale these normal deviates are."""
        return self.up + self.up_slope * (above - _NEAR), self.down + self.down_slope * (below - _NEAR)


def _scaled(values: np.ndarray, relative: np.ndarray) -> np.ndarray:
    """On the scale on which a variance of μ + c·μ² is 1."""
    root = np.sqrt(np.maximum(relative, 1e-9))
    return 2 / root * np.arcsinh(root * np.sqrt(np.maximum(values, 0) + 0.375))


def pool_of(course: Course) -> Pool:
    """What each recent figure's distance from the median of the bureau's others tells, season removed: just what a jump is
    of, so that the uncertainty of the level is in it."""
    recent = course.recent
    level = _others(recent, course.level[1])
    seasons = np.stack([_ratio(one, others) for one, others in zip(recent, level, strict=True)])
    recent = recent / seasons[:, None]
    flat, level = (one.reshape(-1, one.shape[2]) for one in (recent, level))
    known = ~np.isnan(flat) & ~np.isnan(level)
    with np.errstate(invalid="ignore", divide="ignore"):
        some, nothing, large = known & (level >= 1), known & (level < 1), known & (level >= _FEW)
        roots = 2 * (np.sqrt(np.maximum(flat, 0) + 0.375) - np.sqrt(level + 0.375))
        excess = np.where(large, (roots**2 / _CHI / _FIVE - 1) / level, np.nan)
    relative = np.maximum(_shared(lambda values: _median(values, (~np.isnan(values)).sum(axis=0)), excess, 0.0), 0)
    off = np.where(some, _scaled(flat, relative) - _scaled(level, relative), np.nan)
    up, up_slope = _side(off)
    down, down_slope = _side(-off)
    seen, zeros = some.sum(axis=0), (some & (flat == 0)).sum(axis=0)
    zero = np.maximum(zeros - 1 - 0.001 * seen, 0) / np.maximum(seen, 1)  # some of them are slips
    return Pool(relative, up, up_slope, down, down_slope, _burst(np.where(nothing, flat, np.nan)), zero)


def _side(off: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the upper tail is at `_NEAR`, and how much further for each unit of a normal deviate, by where it is at `_FAR`."""
    usual = math.sqrt(_FIVE)
    near = np.maximum(_shared(lambda values: _quantile(values, 0.92), off, usual * _NEAR), 0)
    far = _shared(lambda values: _quantile(values, 0.98), off, usual * _FAR)
    # A tail that seems to end there is not to be believed: it goes on at least half as wide.
    return near, np.maximum((far - near) / (_FAR - _NEAR), near / _NEAR / 2)


def _others(values: np.ndarray, there: np.ndarray) -> np.ndarray:
    """For each value the median of the others along the first axis; NaN where there are fewer than two others."""
    ordered, last = np.sort(values, axis=0), len(values) - 1

    def kth(at: np.ndarray) -> np.ndarray:
        low = np.take_along_axis(ordered, np.clip(at, 0, last)[None], axis=0)
        high = np.take_along_axis(ordered, np.clip(at + 1, 0, last)[None], axis=0)
        return np.where(values <= low, high, low)

    middle = (kth((there - 2) // 2) + kth((there - 1) // 2)) / 2
    return np.where((there >= 3) & ~np.isnan(values), middle, np.nan)


def _shared(estimate: Callable[[np.ndarray], np.ndarray], values: np.ndarray, usual: float) -> np.ndarray:
    """An estimate by figure (column), drawn to that of all figures together where few values (not NaN) are to be had, and
    that to `usual`."""
    there = (~np.isnan(values)).sum(axis=0)
    every = estimate(values.reshape(-1, 1))[0] if there.any() else np.nan
    weight = there.sum() / (there.sum() + _BORROWED)
    common = weight * np.nan_to_num(every) + (1 - weight) * usual
    weight = there / (there + _BORROWED)
    return weight * np.nan_to_num(estimate(values)) + (1 - weight) * common


def _quantile(values: np.ndarray, share: float) -> np.ndarray:
    """By column, of what is not NaN; NaN where there is nothing."""
    ordered = np.sort(values, axis=0)
    there = (~np.isnan(values)).sum(axis=0)
    at = np.clip(np.ceil(share * there).astype(int) - 1, 0, max(len(values) - 1, 0))
    return np.take_along_axis(ordered, at[None], axis=0)[0]


def _burst(values: np.ndarray) -> np.ndarray:
    """Variance ÷ mean by column, without the two largest in a thousand (at least one): these may be slips."""
    there = (~np.isnan(values)).sum(axis=0)
    kept = np.maximum(there - np.maximum(1, np.ceil(0.002 * there)).astype(int), 0)
    ordered = np.where(np.arange(len(values))[:, None] < kept, np.sort(values, axis=0), 0.0)
    mean = ordered.sum(axis=0) / np.maximum(kept, 1)
    square = (ordered**2).sum(axis=0) / np.maximum(kept, 1)
    return np.where(mean > 0, (square - mean**2) / np.maximum(mean, 1e-9), 1.0)


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
    level, there = course.level
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
        pool=np.stack([*vars(pool_of(course)).values()]),
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
    level, there = course.level
    expected = np.where(there >= thresholds.least_history, level * norms.season, np.nan)
    # The pool is of medians of (mostly) five; a level of fewer is less certain.
    error = np.sqrt((1 + math.pi / 2 / np.clip(there, 1, RECENT - 1)) / _FIVE)
    return _far(course, norms, expected, error, there / np.maximum(norms.season, 1e-9), thresholds)


def year_jumps(course: Course, norms: Norms, thresholds: TrendThresholds) -> tuple[Outcome, np.ndarray]:
    """Figures far from the bureau's own of a year ago, moved as its peers moved; as `jumps`."""
    shape = course.now.shape
    if course.year_before is None or course.year_before >= len(course.past):
        return Outcome(np.zeros(shape, bool), np.zeros(shape, bool), np.zeros(shape, np.int64)), np.full(shape, np.nan)
    year = _natural(course.past[course.year_before], course.units) * norms.year_season
    error = np.full(shape, math.sqrt(2 / _FIVE))
    return _far(course, norms, year, error, 1 / np.maximum(norms.year_season, 1e-9), thresholds, single=True)


def _far(
    course: Course,
    norms: Norms,
    expected: np.ndarray,
    error: np.ndarray,
    exposure: np.ndarray,
    thresholds: TrendThresholds,
    single: bool = False,
) -> tuple[Outcome, np.ndarray]:
    """`error`: the standard error against the pool's; `single`: what is expected is one figure."""
    now = _natural(course.now, course.units)
    pool = _pool(course, norms)
    # Nothing is expected of what comes in bursts: an amount now and then is no jump, and was none before.
    bursts = (course.units > 1) | (pool.burst > _BURST) | (pool.relative > 1)
    expected = np.where(bursts & (course.patchy | (expected == 0)), np.nan, expected)
    applies = ~np.isnan(expected)  # a bureau without a past has nothing to be compared with, and waits for nothing
    assessable = ~np.isnan(now) & applies
    fails = np.zeros(now.shape, bool)
    if assessable.any():
        chance = _chance(norms, assessable, thresholds)
        bound = NormalDist().inv_cdf(1 - chance / 2)
        up, down = pool.reach(bound, _heavy(bound))
        if single:
            up = down = np.maximum(up, down)
        wide = error * _own_spread(course, pool, thresholds)
        with np.errstate(invalid="ignore", divide="ignore"):
            distance = _scaled(now, pool.relative) - _scaled(expected, pool.relative)
            # Counts stray at least as Poisson ones do, which on this scale is the less the more they stray beyond it.
            least = bound * math.sqrt(_FIVE) / np.sqrt(1 + pool.relative * expected)
            change = np.maximum((now + 0.5) / (expected + 0.5), (expected + 0.5) / (now + 0.5))
            fails = (
                assessable
                & (np.abs(distance) > np.maximum(np.where(distance > 0, up, down), least) * wide)
                & (change >= _by_row(thresholds.least_change))
                & (np.abs(now - expected) >= _by_row(thresholds.least_difference))
            )
        rows, at = np.nonzero(fails & (expected < _SMALL))
        weight = np.broadcast_to(exposure, now.shape)[rows, at]
        rate = expected[rows, at] if single else np.maximum(expected, _mean(course) * norms.season)[rows, at]
        rate = np.where(now[rows, at] > rate, rate, expected[rows, at])
        fails[rows, at] = _tail(now[rows, at], rate, weight, pool.relative[at]) < chance
    difference = np.where(fails, np.rint((now - np.nan_to_num(expected)) * course.units), 0)
    return Outcome(fails, applies & ~assessable, np.nan_to_num(difference).astype(np.int64)), expected


def _pool(course: Course, norms: Norms) -> Pool:
    return Pool(*norms.pool) if norms.pool is not None else pool_of(course)


def _chance(norms: Norms, judged: np.ndarray, thresholds: TrendThresholds) -> float:
    """The chance of a false alarm that each figure may have. A part of a period shares the budget of the whole."""
    return min(thresholds.false_alarms / max(float(norms.reporting.sum()), float(judged.sum())), 0.5)


def _heavy(bound: float) -> float:
    """The quantile of Student's t for a normal one (Abramowitz & Stegun 26.7.5, first term)."""
    return bound + (bound**3 + bound) / 4 / _FREEDOM


def _own_spread(course: Course, pool: Pool, thresholds: TrendThresholds) -> np.ndarray:
    """A bureau's spread against the pooled one, at least 1: its own variance drawn to the pooled one (as Smyth 2004 does
    of genes), as its few periods hardly tell it. 2 of a bureau without enough of them. Rows × figures."""
    level, there = course.level
    off = np.abs(_scaled(course.recent, pool.relative) - _scaled(level, pool.relative))
    usual = np.maximum(np.maximum(pool.up, pool.down) / _NEAR, 1e-9)
    own = np.nan_to_num(_MAD * _median(off, there)) / usual
    drawn = np.sqrt(np.maximum((_OWN + there * own**2) / (_OWN + there), 1.0))
    return np.where(there >= thresholds.least_history, drawn, 2.0)


def _mean(course: Course) -> np.ndarray:
    """The mean of the recent figures, none counted for more than chance makes it: of small counts it says more than their
    median. Rows × figures."""
    level, there = course.level
    most = level + 4 + 4 * np.sqrt(level)
    return np.nan_to_num(np.minimum(course.recent, most)).sum(axis=0) / np.maximum(there, 1)


def _by_row(value: float | np.ndarray) -> float | np.ndarray:
    return value[:, None] if isinstance(value, np.ndarray) else value


def _tail(seen: np.ndarray, expected: np.ndarray, exposure: np.ndarray, relative: np.ndarray) -> np.ndarray:
    """Two-sided chance of a count at least as far out, where the rate is known only from `exposure` periods: the negative
    binomial that a Poisson count has under the Jeffreys prior (shape Σ + ½), its rate straying by `relative` besides."""
    exposure = np.maximum(exposure, 0.5)
    known = expected * exposure + 0.5
    shape = 1 / (1 / known + relative * (1 + 1 / exposure))
    success = shape / (shape + known / exposure)
    count = np.minimum(np.floor(seen), _LONGEST)
    above = seen > expected
    upto = np.where(above, count - 1, count)  # the chance of at most so many, from which both sides follow
    mass, sum_ = success**shape, np.zeros(len(seen))
    for number in range(int(upto.max(initial=-1)) + 1):
        sum_ += np.where(number <= upto, mass, 0.0)
        mass = mass * (shape + number) / (number + 1) * (1 - success)
    return np.clip(2 * np.where(above, 1 - sum_, sum_), 0.0, 1.0)


def zeros_among_peers(course: Course, norms: Norms, thresholds: TrendThresholds) -> Outcome:
    """A zero where nearly all peers report something, and much; not of a bureau whose own level is nothing, and only of
    figures that are part of no other (`course.whole`); and not where such a zero comes about by chance. Rows × figures; the difference is minus the peers' median."""
    level, there = course.level
    known = there >= thresholds.least_history
    with np.errstate(invalid="ignore"):
        usual = known & (level < 1)
    large = (
        (norms.reporting > thresholds.zero_peers)
        & (norms.positive >= thresholds.zero_share)
        & (norms.median >= np.asarray(_by_row(thresholds.zero_median)))
        & course.whole
    )
    unknown = course.now == UNKNOWN
    fails = (course.now == 0) & large & ~usual
    rows, at = np.nonzero(fails)
    pool = _pool(course, norms)
    # Of a bureau without a past the other peers tell how usual a zero is.
    others = np.maximum((1 - norms.positive) * norms.reporting - 1, 0) / np.maximum(norms.reporting, 1)
    rate = np.where(known, level, norms.median)[rows, at]
    own = _tail(np.zeros(len(rows)), rate, np.maximum(there, 1)[rows, at], pool.relative[at])
    share = np.where(known[rows, at], pool.zero[at], others[at])
    fails[rows, at] = np.maximum(own, share) < _chance(norms, large & ~usual, thresholds)
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
