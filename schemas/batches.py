"""The pandera schema of a period: one wide frame for all submissions, one named check a kind of rule.

Not here: the arithmetic (`schemas.kernels`, `schemas.trends`), or failures as people read them (`disclosure_etl.quality`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from schemas import kernels, trends
from schemas.constraints import CELLWISE, LINEAR, Kind, ShareGroup, Source
from schemas.errors import ProgramError
from schemas.forms import Cell, Form
from schemas.kernels import Columns, Outcome
from schemas.records import NO_DECIMALS, Batch, History, Norms
from schemas.rules import RuleSet
from schemas.trends import Course
from schemas.values import UNKNOWN, Meaning, Trouble

_TROUBLE, _MEANING = "trouble:", "meaning:"
_FIGURES = "figures"  # the check that the frame is as we make it


def wide_frame(batch: Batch, history: History, rules: RuleSet) -> pd.DataFrame:
    """One row a submission: a whole number per cell (`UNKNOWN` where there is none), the figures that are looked up
    (`previous:`, `periods:`, …: `Source`), the printed precision of shares; and `meaning:` and `trouble:` codes per cell."""
    names = [cell.name for cell in batch.form.cells]
    looked_up = {
        source + cell.name: history.figures[source + cell.name]
        for source in Source
        if source is not Source.OWN
        for cell in rules.table.looked_up(source)
        if source + cell.name in history.figures
    }
    if kernels.BRIDGED in history.figures:
        looked_up[kernels.BRIDGED] = history.figures[kernels.BRIDGED]
    precisions = {kernels.precision_name(group): _precision(batch, group) for group in rules.table.shares}
    beside = [*looked_up.values(), *precisions.values()]
    # One block of whole numbers and one of codes: a column of its own for each would cost more than all the rules.
    rows, cells = batch.numbers.shape
    numbers = np.empty((rows, cells + len(beside)), np.int64, order="F")
    numbers[:, :cells] = batch.numbers
    missing = batch.decimals == NO_DECIMALS
    if missing.any():
        numbers[:, :cells][missing] = UNKNOWN
    for at, values in enumerate(beside, cells):
        numbers[:, at] = values
    codes = np.empty((rows, 2 * cells), np.uint8, order="F")
    codes[:, :cells], codes[:, cells:] = batch.meanings, batch.troubles
    code_names = [prefix + name for prefix in (_MEANING, _TROUBLE) for name in names]
    return pd.concat(
        [
            pd.DataFrame(numbers, columns=[*names, *looked_up, *precisions], copy=False),
            pd.DataFrame(codes, columns=code_names, copy=False),
        ],
        axis=1,
    )


def _precision(batch: Batch, group: ShareGroup) -> np.ndarray:
    printed = batch.decimals[:, [cell.position for cell in group.shares]]
    return np.where(printed == NO_DECIMALS, 0, printed).max(axis=1)


def required_cells(form: Form) -> list[int]:
    """Positions of the cells that must not be blank: required indicators in required columns, shares never."""
    return [
        cell.position
        for cell in form.cells
        if cell.measure != "share"
        and form.indicators[cell.indicator].required
        and form.columns[cell.column].required
        and form.indicators[cell.indicator].blank_means == "unknown"
    ]


def unsigned_cells(form: Form) -> list[int]:
    """Positions of the cells that must not be below zero."""
    return [cell.position for cell in form.cells if not cell.signed]


def course_of(batch: Batch, history: History, rules: RuleSet) -> Course | None:
    """The watched figures of a batch over time, or None where nobody looked the past up."""
    watched = rules.table.watched
    if history.past is None or not watched:
        return None
    at = [cell.position for cell in watched]
    now = np.where(batch.decimals[:, at] != NO_DECIMALS, batch.numbers[:, at], UNKNOWN)
    per_year = 12 // batch.form.frequency.months
    return Course(
        now, history.past, per_year - 1, np.array([10**cell.scale for cell in watched]), _wholes(batch.form, watched)
    )


def part_of(course: Course, rows: Sequence[int]) -> Course:
    """The same of some rows: those whose figures tell what everybody did."""
    if len(rows) == len(course.now):
        return course
    return replace(course, now=course.now[rows], past=course.past[:, rows])


def _wholes(form: Form, watched: Sequence[Cell]) -> np.ndarray:
    parts = {part for item in form.indicators.values() for breakdown in item.breakdowns for part in breakdown.parts}
    return np.array(
        [cell.indicator not in parts and form.indicators[cell.indicator].subset_of is None for cell in watched]
    )


@dataclass
class Verdicts:
    """The outcomes of all kinds over one frame, and what was expected of figures that are looked at over time."""

    outcomes: dict[Kind, Outcome] = field(default_factory=dict)
    expected: dict[Kind, np.ndarray] = field(default_factory=dict)
    norms: Norms | None = None


@dataclass
class _Judge:
    """How each kind is judged. The columns of an outcome are: the cells of the kind for the first three, the rules of the
    kind for linear ones, shares group by group for SHARE and SHARE_ATTAINABLE, groups for SHARE_COLUMN, watched figures
    for trends (one column for COPY)."""

    rules: RuleSet
    slack: Mapping[str, np.ndarray]
    course: Course | None
    bureaus: Sequence[str | None]
    verdicts: Verdicts
    booked: Mapping[tuple[str, str], np.ndarray]
    newest: Sequence[int]  # the rows whose figures tell what everybody did
    _columns: Columns | None = None

    def columns(self, frame: pd.DataFrame) -> Columns:
        """The frame's columns, remembered from one kind to the next."""
        if self._columns is None or self._columns.frame is not frame:
            self._columns = Columns(frame)
        return self._columns

    def forget(self) -> None:
        """Let the frame go: pandera ties the schema to it, and it would live in a circle until the process ends."""
        self._columns = None

    def kinds(self) -> dict[Kind, Callable[[pd.DataFrame], Outcome]]:
        """Every kind that the table has rules of."""
        form, table = self.rules.form, self.rules.table
        names = [cell.name for cell in form.cells]
        required = [names[at] for at in required_cells(form)]
        unsigned = [names[at] for at in unsigned_cells(form)]
        kinds: dict[Kind, Callable[[pd.DataFrame], Outcome]] = {
            Kind.READING: lambda frame: _cellwise(_coded(frame, _TROUBLE, names) != Trouble.NONE),
            Kind.REQUIRED: lambda frame: _cellwise(_coded(frame, _MEANING, required) == Meaning.BLANK),
            Kind.NEGATIVE: lambda frame: self._negative(frame, unsigned),
        }
        for kind in LINEAR:
            if table.of_kind(kind):
                kinds[kind] = self._linear(kind)
        for kind, kernel in (
            (Kind.SHARE, kernels.share_of_total),
            (Kind.SHARE_COLUMN, kernels.column_of_shares),
            (Kind.SHARE_ATTAINABLE, kernels.share_attainable),
        ):
            if groups := table.share_groups(kind):
                kinds[kind] = self._shares(kernel, groups)
        if self.course is not None:
            kinds |= self._trends(self.course)
        return {kind: kinds[kind] for kind in Kind if kind in kinds}

    def _negative(self, frame: pd.DataFrame, unsigned: Sequence[str]) -> Outcome:
        columns = self.columns(frame)
        fails = np.empty((len(frame), len(unsigned)), bool, order="F")
        for at, name in enumerate(unsigned):
            np.less(columns.numbers(name), 0, out=fails[:, at])
        return _cellwise(fails)

    def _linear(self, kind: Kind) -> Callable[[pd.DataFrame], Outcome]:
        rules = self.rules.table.of_kind(kind)
        return lambda frame: kernels.linear(self.columns(frame), rules, self.slack, self.booked)

    def _shares(
        self, kernel: Callable[[Columns, ShareGroup], Outcome], groups: Sequence[ShareGroup]
    ) -> Callable[[pd.DataFrame], Outcome]:
        def evaluate(frame: pd.DataFrame) -> Outcome:
            found = [kernel(self.columns(frame), group) for group in groups]
            return Outcome(
                *(np.hstack([getattr(one, part) for one in found]) for part in ("fails", "unassessable", "difference"))
            )

        return evaluate

    def _trends(self, course: Course) -> dict[Kind, Callable[[pd.DataFrame], Outcome]]:
        norms = self.verdicts.norms or trends.norms_of(part_of(course, self.newest))
        self.verdicts.norms = norms

        def jump(kind: Kind, kernel: Callable) -> Callable[[pd.DataFrame], Outcome]:
            def evaluate(_: pd.DataFrame) -> Outcome:
                outcome, expected = kernel(course, norms, self.rules.thresholds(kind, self.bureaus))
                self.verdicts.expected[kind] = expected
                return outcome

            return evaluate

        def zero(_: pd.DataFrame) -> Outcome:
            return trends.zeros_among_peers(course, norms, self.rules.thresholds(Kind.ZERO, self.bureaus))

        def copy(_: pd.DataFrame) -> Outcome:
            return trends.copies(course, self.rules.thresholds(Kind.COPY, self.bureaus))

        return {
            Kind.JUMP: jump(Kind.JUMP, trends.jumps),
            Kind.YEAR_JUMP: jump(Kind.YEAR_JUMP, trends.year_jumps),
            Kind.ZERO: zero,
            Kind.COPY: copy,
        }


def _coded(frame: pd.DataFrame, prefix: str, names: Sequence[str]) -> np.ndarray:
    codes = np.empty((len(frame), len(names)), np.uint8, order="F")
    for at, name in enumerate(names):
        codes[:, at] = frame[prefix + name].to_numpy()
    return codes


def _cellwise(fails: np.ndarray) -> Outcome:
    nothing = np.broadcast_to(np.False_, fails.shape)
    return Outcome(fails, nothing, np.broadcast_to(np.int64(0), fails.shape))


def batch_schema(
    rules: RuleSet, kinds: Mapping[Kind, Callable[[pd.DataFrame], Outcome]], outcomes: dict[Kind, Outcome]
) -> pa.DataFrameSchema:
    """The schema of a period's wide frame. Each check leaves its outcome in `outcomes`, which the caller owns: pandera
    keeps only pass and fail, and a rule has a third answer and a difference besides."""

    def check(kind: Kind, evaluate: Callable[[pd.DataFrame], Outcome]) -> pa.Check:
        def holds(frame: pd.DataFrame) -> bool:
            outcomes[kind] = outcome = evaluate(frame)
            return not outcome.fails.any()

        # One answer a kind is enough: failures are built from the outcome, and a case per cell would cost a second a month.
        return pa.Check(holds, name=str(kind), n_failure_cases=1)

    figures = [cell.name for cell in rules.form.cells]
    # One look at all figures' columns: a `pa.Column` for each, validated one by one, takes longer than all the rules of a small period.
    whole = pa.Check(lambda frame: bool((frame.dtypes[figures] == np.int64).all()), name=_FIGURES)
    checks = [whole, *(check(kind, evaluate) for kind, evaluate in kinds.items())]
    return pa.DataFrameSchema(checks=checks)


def validate(frame: pd.DataFrame, batch: Batch, history: History, rules: RuleSet) -> Verdicts:
    """Judge the frame of a batch by every rule in force.

    Raises:
        ProgramError: a check raised, or the frame lacks a column or has one of another type. pandera reports these like failing
            data; they are not.
    """
    bureaus = [one.bureau for one in batch.submissions]
    verdicts = Verdicts(norms=history.norms)
    course, newest = course_of(batch, history, rules), sorted(batch.newest_rows().values())
    judge = _Judge(rules, rules.slack(bureaus), course, bureaus, verdicts, history.booked, newest)
    kinds = judge.kinds()
    key = rules.form.key
    try:
        batch_schema(rules, kinds, verdicts.outcomes).validate(frame, lazy=True, inplace=True)
    except SchemaErrors as errors:
        for error in errors.schema_errors:
            if error.reason_code is None or error.reason_code.name != "DATAFRAME_CHECK":
                raise ProgramError(f"the schema of {key} could not be applied: {error}") from error
            if error.check.name not in verdicts.outcomes:
                told = "found no whole numbers" if error.check.name == _FIGURES else "did not run"
                raise ProgramError(f"check {error.check.name} of {key} {told}: {error}") from error
    finally:
        judge.forget()
    if missing := [kind for kind in kinds if kind not in verdicts.outcomes]:
        raise ProgramError(f"rules of {key} were not judged: {', '.join(missing)}")
    return verdicts


def cells_of(kind: Kind, form: Form) -> list[int]:
    """Positions of the cells that the outcome of a cellwise kind has, in its order."""
    assert kind in CELLWISE
    if kind is Kind.REQUIRED:
        return required_cells(form)
    return unsigned_cells(form) if kind is Kind.NEGATIVE else list(range(len(form.cells)))
