"""The pandera schema of a period: one wide frame for all submissions, one named check a kind of rule.

Not here: the arithmetic (`schemas.kernels`), or failures as people read them (`disclosure_etl.quality`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from schemas import kernels
from schemas.constraints import PREVIOUS, ConstraintTable, Kind
from schemas.errors import ProgramError
from schemas.forms import Form
from schemas.kernels import Outcome
from schemas.records import NO_DECIMALS, Batch, History
from schemas.values import Meaning, Trouble

_LINEAR = tuple(
    kind for kind in Kind if kind not in (Kind.READING, Kind.REQUIRED, Kind.NEGATIVE, Kind.SHARE, Kind.SHARE_COLUMN)
)


def wide_frame(
    batch: Batch, history: History, table: ConstraintTable, unknown: np.ndarray | None = None
) -> pd.DataFrame:
    """One row a submission: a nullable integer per cell, `previous:` figures, `meaning:`/`trouble:` codes, precisions.

    `unknown` (bool, submissions × cells) marks further numbers that must not be relied upon.
    """
    given = batch.decimals != NO_DECIMALS
    if unknown is not None:
        given &= ~unknown
    missing = np.asfortranarray(~given)
    values = np.asfortranarray(batch.numbers)
    meanings, troubles = np.asfortranarray(batch.meanings), np.asfortranarray(batch.troubles)
    columns: dict[str, object] = {}
    for cell in batch.form.cells:
        at = cell.position
        columns[cell.name] = pd.arrays.IntegerArray(values[:, at], missing[:, at])
        columns[f"meaning:{cell.name}"] = meanings[:, at]
        columns[f"trouble:{cell.name}"] = troubles[:, at]
    for name in table.previous_cells:
        if name in history.previous:
            earlier, there = history.previous[name]
            columns[PREVIOUS + name] = pd.arrays.IntegerArray(earlier.astype(np.int64), ~there)
    for group in table.shares:
        printed = batch.decimals[:, [cell.position for cell in group.shares]]
        printed = np.where(printed == NO_DECIMALS, 0, printed)
        columns[kernels.precision_name(group)] = printed.max(axis=1).astype(np.int64)
    return pd.DataFrame(columns)


def blank_required(form: Form) -> list[int]:
    """Positions of the cells that must not be blank: required indicators in required columns, shares never."""
    return [
        cell.position
        for cell in form.cells
        if cell.measure != "share"
        and form.indicators[cell.indicator].required
        and form.columns[cell.column].required
        and form.indicators[cell.indicator].blank_means == "unknown"
    ]


def _coded(frame: pd.DataFrame, prefix: str, names: list[str]) -> np.ndarray:
    return np.column_stack([frame[prefix + name].to_numpy() for name in names])


def _cellwise(fails: np.ndarray) -> Outcome:
    return Outcome(fails, np.zeros_like(fails), np.zeros(fails.shape, dtype=np.int64))


def _evaluators(table: ConstraintTable) -> dict[Kind, Callable[[pd.DataFrame], Outcome]]:
    """How each kind is judged. The columns of an outcome are: cells for the first three kinds, the rules of the kind
    for linear ones, share cells group by group for SHARE, groups for SHARE_COLUMN."""
    form = table.form
    names = [cell.name for cell in form.cells]
    required = [names[position] for position in blank_required(form)]

    def shares(kernel: Callable[..., Outcome], groups: list) -> Callable[[pd.DataFrame], Outcome]:
        def evaluate(frame: pd.DataFrame) -> Outcome:
            found = [kernel(frame, group) for group in groups]
            return Outcome(
                *(np.hstack([getattr(one, part) for one in found]) for part in ("fails", "unassessable", "difference"))
            )

        return evaluate

    kinds: dict[Kind, Callable[[pd.DataFrame], Outcome]] = {
        Kind.READING: lambda frame: _cellwise(_coded(frame, "trouble:", names) != Trouble.NONE),
        Kind.REQUIRED: lambda frame: _cellwise(_coded(frame, "meaning:", required) == Meaning.BLANK),
        Kind.NEGATIVE: lambda frame: _cellwise(np.column_stack([kernels.numbers(frame, name) < 0 for name in names])),
    }
    for kind in _LINEAR:
        if rules := table.of_kind(kind):
            kinds[kind] = partial(kernels.linear, rules=rules)
    if table.shares:
        kinds[Kind.SHARE] = shares(kernels.share_of_total, list(table.shares))
        if complete := [group for group in table.shares if group.complete]:
            kinds[Kind.SHARE_COLUMN] = shares(kernels.column_of_shares, complete)
    return {kind: kinds[kind] for kind in Kind if kind in kinds}


def batch_schema(table: ConstraintTable, outcomes: dict[Kind, Outcome]) -> pa.DataFrameSchema:
    """The schema of a period's wide frame. Each check leaves its outcome in `outcomes`, which the caller owns: pandera
    keeps only pass and fail, and a rule has a third answer and a difference besides."""

    def check(kind: Kind, evaluate: Callable[[pd.DataFrame], Outcome]) -> pa.Check:
        def holds(frame: pd.DataFrame) -> pd.Series:
            outcomes[kind] = outcome = evaluate(frame)
            return pd.Series(outcome.holds.all(axis=1), index=frame.index)

        # One failure case is enough: failures are built from the outcome, and a case per cell would cost a second a month.
        return pa.Check(holds, name=str(kind), n_failure_cases=1)

    columns = {cell.name: pa.Column("Int64", nullable=True) for cell in table.form.cells}
    checks = [check(kind, evaluate) for kind, evaluate in _evaluators(table).items()]
    return pa.DataFrameSchema(columns, checks=checks, strict=False, coerce=False)


def validate(frame: pd.DataFrame, table: ConstraintTable) -> dict[Kind, Outcome]:
    """Judge the frame by every rule of the table.

    Raises:
        ProgramError: a check raised, or the frame lacks a column. pandera reports both like failing data; they are not.
    """
    outcomes: dict[Kind, Outcome] = {}
    try:
        batch_schema(table, outcomes).validate(frame, lazy=True, inplace=True)
    except SchemaErrors as errors:
        for error in errors.schema_errors:
            if error.reason_code is None or error.reason_code.name != "DATAFRAME_CHECK":
                raise ProgramError(f"the schema of {table.form.key} could not be applied: {error}") from error
            if error.check.name not in outcomes:
                raise ProgramError(f"check {error.check.name} of {table.form.key} did not run: {error}") from error
    if missing := [kind for kind in _evaluators(table) if kind not in outcomes]:
        raise ProgramError(f"rules of {table.form.key} were not judged: {', '.join(missing)}")
    return outcomes
