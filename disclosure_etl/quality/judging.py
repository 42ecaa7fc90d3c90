"""Judge a batch against its form, given a history: every rule, every place, in one pass over the whole period.

A rule that raises is a program fault of the submissions that make it raise; the others are judged all the same.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from disclosure_etl.quality.failures import FailureBuilder, finding_failure
from disclosure_etl.quality.gate import held_blocks
from disclosure_etl.quality.nil import fill_nil, nil_cells
from disclosure_etl.quality.returns import return_findings
from schemas.batches import validate, wide_frame
from schemas.constraints import ConstraintTable, Kind, constraint_table
from schemas.errors import UserError
from schemas.forms import Form
from schemas.kernels import Outcome, known, numbers
from schemas.periods import Period
from schemas.records import NO_DECIMALS, Batch, Finding, History, Judged, Submission

_MOST_CULPRITS = 20  # beyond this many the fault is the rule's, and searching on would take the night


def looks_back_on(form: Form, period: Period) -> tuple[str, ...]:
    """Names of the preceding period's cells that judging asks the warehouse for."""
    wanted = (*constraint_table(form, period).previous_cells, *nil_cells(form, period.opens_year))
    return tuple(dict.fromkeys(wanted))


def totals_of(batch: Batch) -> dict[str, int]:
    """The sum over a whole period of each cell, by its name: what a failure's impact is measured against."""
    if not batch.submissions:
        return {}
    sums = np.where(batch.decimals != NO_DECIMALS, batch.numbers, 0).sum(axis=0)
    return {cell.name: int(sums[cell.position]) for cell in batch.form.cells}


def judge(batch: Batch, history: History, totals: Mapping[str, int] | None) -> list[Judged]:
    """The verdict of every submission of the batch, in its order.

    Args:
        batch: submissions of one form and period; nil returns are filled in here.
        history: what the preceding period accepted, one entry a submission.
        totals: see `totals_of`; None where there is no consolidation, so that no failure has an impact.
    """
    if not batch.submissions:
        return []
    return _judge_or_isolate(batch, history, totals, [0])


def held_unjudged(one: Submission) -> Judged:
    """A return that no rules of this period fit (another form, another period): held as a whole by its findings."""
    failures = tuple(finding_failure(one, finding) for finding in one.findings)
    return Judged(one, failures, frozenset(), True, ())


def _judge_or_isolate(
    batch: Batch, history: History, totals: Mapping[str, int] | None, culprits: list[int]
) -> list[Judged]:
    try:
        return _judge(batch, history, totals)
    except UserError:
        raise
    except Exception:
        fault = traceback.format_exc(limit=-3)
        if len(batch.submissions) == 1 or culprits[0] >= _MOST_CULPRITS:
            culprits[0] += len(batch.submissions)
            return [Judged(one, (), frozenset(), False, (), fault) for one in batch.submissions]
    middle = len(batch.submissions) // 2
    return [
        verdict
        for rows in (slice(None, middle), slice(middle, None))
        for verdict in _judge_or_isolate(
            replace(batch, submissions=batch.submissions[rows]), _part(history, rows), totals, culprits
        )
    ]


def _part(history: History, rows: slice) -> History:
    return History({name: (values[rows], there[rows]) for name, (values, there) in history.previous.items()})


def _judge(batch: Batch, history: History, totals: Mapping[str, int] | None) -> list[Judged]:
    table = constraint_table(batch.form, batch.period)
    batch = fill_nil(batch, history, batch.period.opens_year)
    frame = wide_frame(batch, history, table)
    outcomes = validate(frame, table)
    failures = FailureBuilder(batch, frame, history, table, outcomes, totals).build()
    findings = return_findings(batch)
    open_rules = _not_assessable(table, outcomes, frame)
    blocks = frozenset(block.code for block in batch.form.blocks)
    judged = []
    for row, one in enumerate(batch.submissions):
        about_return: Sequence[Finding] = (*one.findings, *findings.get(row, ()))
        found = [finding_failure(one, finding) for finding in about_return]
        if not any(finding.code == "return:untouched" for finding in about_return):
            found += failures.get(row, [])
        held, whole = held_blocks(found, blocks)
        judged.append(Judged(one, tuple(found), held, whole, open_rules[row]))
    return judged


def _not_assessable(
    table: ConstraintTable, outcomes: dict[Kind, Outcome], frame: pd.DataFrame
) -> list[tuple[tuple[str, str | None], ...]]:
    """Per submission the (rule, column) that could not be assessed. A share that is not printed was not claimed."""
    names: list[tuple[str, str | None]] = []
    masks: list[np.ndarray] = []
    for kind, outcome in outcomes.items():
        if kind in (Kind.READING, Kind.REQUIRED, Kind.NEGATIVE):
            continue
        if kind is Kind.SHARE:
            start = 0
            for group in table.shares:
                part = outcome.unassessable[:, start : start + len(group.parts)]
                start += len(group.parts)
                claimed = ~((numbers(frame, group.total.name) == 0) & known(frame, group.total.name))
                names.append((group.code, group.column))
                masks.append(part.any(axis=1) & claimed)
            continue
        if kind is Kind.SHARE_COLUMN:
            names += [(group.column_code, group.column) for group in table.shares if group.complete]
        else:
            names += [(rule.code, rule.column) for rule in table.of_kind(kind)]
        masks += list(outcome.unassessable.T)
    if not masks:
        return [()] * len(frame)
    matrix = np.column_stack(masks)
    # Most submissions of a period wait for the same things, so each distinct answer is made once.
    answers: dict[bytes, tuple[tuple[str, str | None], ...]] = {}
    result = []
    for line in matrix:
        key = line.tobytes()
        if key not in answers:
            answers[key] = tuple(names[at] for at in np.flatnonzero(line))
        result.append(answers[key])
    return result
