"""Judge a batch by the rules in force, given a history: every rule, every place, in one pass over the whole period.

A rule that raises is a program fault of the submissions that make it raise; the others are judged all the same.
"""

from __future__ import annotations

import traceback
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from disclosure_etl.quality.bridges import found_bridge_failures
from disclosure_etl.quality.cases import after_units, equations_of, into_cases, led_by_the_worst
from disclosure_etl.quality.failures import Found, Places, finding_failure, found_failures
from disclosure_etl.quality.gate import held_blocks
from disclosure_etl.quality.lists import list_findings
from disclosure_etl.quality.nil import fill_nil, nil_cells
from disclosure_etl.quality.returns import return_findings
from disclosure_etl.quality.share_failures import found_share_failures
from disclosure_etl.quality.waivers import Waivers
from schemas import trends
from schemas.batches import Verdicts, course_of, part_of, validate, wide_frame
from schemas.constraints import CELLWISE, SHARES, TRENDS, Kind, Source
from schemas.errors import UserError
from schemas.kernels import Columns
from schemas.records import (
    NO_DECIMALS,
    Batch,
    Failure,
    Finding,
    History,
    Judged,
    LooksBack,
    Norms,
    Severity,
    Submission,
)
from schemas.rules import RuleSet

_MOST_CULPRITS = 20  # beyond this many the fault is the rule's, and searching on would take the night
_ORDER = {kind.value: place for place, kind in enumerate(Kind)}


def looks_back_on(rules: RuleSet) -> LooksBack:
    """What judging by these rules looks back on."""
    table = rules.table
    previous = {cell.name: cell for cell in table.looked_up(Source.PREVIOUS)}
    previous |= {cell.name: cell for cell in nil_cells(rules.form, rules.period.opens_year)}
    return LooksBack(
        tuple(previous.values()), table.looked_up(Source.PERIODS), table.looked_up(Source.UNITS), table.watched
    )


def totals_of(batch: Batch, contained: Collection[str] = ()) -> dict[str, int]:
    """The sum over a whole period of each cell, by its name: what a failure's impact is measured against.

    Args:
        contained: bureaus whose figures are inside another's.
    """
    if not batch.submissions:
        return {}
    rows = sorted(row for bureau, row in batch.newest_rows().items() if bureau not in contained)
    sums = np.where(batch.decimals[rows] != NO_DECIMALS, batch.numbers[rows], 0).sum(axis=0)
    return {cell.name: int(sums[cell.position]) for cell in batch.form.cells}


@dataclass(frozen=True)
class Verdict:
    """The verdicts of a batch, in its order, and what its bureaus did as a whole (None where nothing was watched)."""

    judged: tuple[Judged, ...]
    norms: Norms | None = None


def judge(
    batch: Batch,
    rules: RuleSet,
    history: History | None = None,
    totals: Mapping[str, int] | None = None,
    waivers: Waivers | None = None,
) -> Verdict:
    """The verdict of every submission of the batch, in its order.

    Args:
        batch: submissions of one form and period; nil returns are filled in here.
        rules: those in force for them.
        history: what the preceding periods accepted, one entry a submission.
        totals: see `totals_of`; None where there is no consolidation, so that no failure has an impact.
        waivers: what stewards decided of failures before.
    """
    if not batch.submissions:
        return Verdict(())
    court = _Court(rules, totals, waivers or Waivers(()), [0])
    judged, norms = court.judge_or_isolate(batch, history or History())
    return Verdict(tuple(judged), norms)


def norms_of(everybody: Batch, rules: RuleSet, history: History) -> Norms | None:
    """What all bureaus of a period did, for judging some of them by; None where no figure is watched.

    Args:
        history: of `everybody`, one entry a submission.
    """
    course = course_of(fill_nil(everybody, history, rules.period.opens_year), history, rules)
    return None if course is None else trends.norms_of(part_of(course, sorted(everybody.newest_rows().values())))


def held_unjudged(one: Submission) -> Judged:
    """A return that no rules of this period fit (another form, another period): held as a whole by its findings."""
    failures = tuple(finding_failure(one, finding) for finding in one.findings)
    return Judged(one, failures, frozenset(), True, ())


@dataclass
class _Court:
    """One judging, with what is the same for every submission."""

    rules: RuleSet
    totals: Mapping[str, int] | None
    waivers: Waivers
    culprits: list[int]

    def judge_or_isolate(self, batch: Batch, history: History) -> tuple[list[Judged], Norms | None]:
        """Judge a batch; where that raises, its halves, down to the submissions that make it raise."""
        try:
            return self._judge(batch, history)
        except UserError:
            raise
        except Exception:
            fault = traceback.format_exc(limit=-3)
            if len(batch.submissions) == 1 or self.culprits[0] >= _MOST_CULPRITS:
                self.culprits[0] += len(batch.submissions)
                return [Judged(one, (), frozenset(), False, (), fault) for one in batch.submissions], None
        middle = len(batch.submissions) // 2
        judged: list[Judged] = []
        for rows in (slice(None, middle), slice(middle, None)):
            part = replace(batch, submissions=batch.submissions[rows])
            judged += self.judge_or_isolate(part, history.part(rows))[0]
        return judged, None

    def _judge(self, batch: Batch, history: History) -> tuple[list[Judged], Norms | None]:
        rules = self.rules
        batch = fill_nil(batch, history, batch.period.opens_year)
        frame = wide_frame(batch, history, rules)
        verdicts = validate(frame, batch, history, rules)
        columns = Columns(frame)
        places = Places(batch, columns, history, rules, verdicts, self.totals)
        found: dict[int, list[Found]] = defaultdict(list)
        for failing in (*found_failures(places), *found_share_failures(places), *found_bridge_failures(places)):
            found[failing.row].append(failing)
        findings = return_findings(batch)
        waiting = _not_assessable(rules, verdicts, columns, [one.bureau for one in batch.submissions])
        blocks = frozenset(block.code for block in batch.form.blocks)
        equations = equations_of(rules.table) if found else {}
        judged = []
        for row, one in enumerate(batch.submissions):
            about_return: Sequence[Finding] = (*one.findings, *findings.get(row, ()))
            if batch.form.lists:
                told, open_rules = list_findings(batch.form, batch.period, one, history.keys)
                about_return = (*about_return, *told)
                waiting[row] = (*waiting[row], *((code, None) for code in open_rules))
            failures = [finding_failure(one, finding) for finding in about_return]
            if row in found and not any(finding.code == "return:untouched" for finding in about_return):
                own = sorted(found[row], key=lambda failing: _ORDER[failing.failure.kind])
                failures = after_units([*failures, *into_cases(own, rules.table, verdicts, equations)])
            if failures or one.bureau in self.waivers.bureaus:
                failures = self.waivers.applied(one, self._as_severe_as_set(one, failures))
            held, whole = held_blocks(failures, blocks)
            judged.append(Judged(one, tuple(failures), held, whole, waiting[row]))
        return judged, verdicts.norms

    def _as_severe_as_set(self, one: Submission, failures: list[Failure]) -> list[Failure]:
        """The failures as the office's settings have them: rules switched off or of another severity, and warnings of too
        little impact to be reviewed, which become notices."""
        below = self.rules.settings.review.impact_below
        told = []
        for failure in failures:
            severity = failure.severity
            if self.rules.has_overrides:
                changed = self.rules.severity(failure.rule, one.bureau, failure.severity)
                if changed is None:
                    continue
                severity = changed
            if severity is Severity.WARNING and failure.impact is not None and 0 < failure.impact < below:
                severity = Severity.NOTICE
            told.append(failure if severity is failure.severity else replace(failure, severity=severity))
        return led_by_the_worst(told) if any(one.case for one in told) else told


Rule = tuple[str, str | None]  # a rule's code, and the column


def _not_assessable(
    rules: RuleSet, verdicts: Verdicts, columns: Columns, bureaus: Sequence[str | None]
) -> list[tuple[Rule, ...]]:
    """Per submission the (rule, column) that could not be assessed. A share that is not printed was not claimed; what is
    watched over time is one rule for all figures."""
    table = rules.table
    names: list[Rule] = []
    masks: list[Any] = []
    for kind, outcome in verdicts.outcomes.items():
        if kind in CELLWISE:
            continue
        if kind in TRENDS:
            names.append((str(kind), None))
            masks.append(outcome.unassessable.any(axis=1))
        elif kind in SHARES and kind is not Kind.SHARE_COLUMN:
            start = 0
            for group in table.share_groups(kind):
                part = outcome.unassessable[:, start : start + len(group.parts)]
                start += len(group.parts)
                nothing = (columns.numbers(group.total.name) == 0) & columns.known(group.total.name)
                names.append((group.code(kind), group.column))
                masks.append(part.any(axis=1) & ~nothing)
        else:
            if kind is Kind.SHARE_COLUMN:
                names += [(group.code(kind), group.column) for group in table.share_groups(kind)]
            else:
                names += [(rule.code, rule.column) for rule in table.of_kind(kind)]
            masks += list(outcome.unassessable.T)
    if not masks:
        return [()] * len(columns)
    matrix = np.column_stack(masks)
    # Most submissions of a period wait for the same things, so each distinct answer is made once.
    answers: dict[bytes, tuple[Rule, ...]] = {}
    result = []
    for line, bureau in zip(matrix, bureaus, strict=True):
        key = line.tobytes()
        if key not in answers:
            answers[key] = tuple(names[at] for at in np.flatnonzero(line))
        waiting = answers[key]
        if rules.has_overrides:
            waiting = tuple(rule for rule in waiting if rules.severity(rule[0], bureau, Severity.ERROR) is not None)
        result.append(waiting)
    return result
