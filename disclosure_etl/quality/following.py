"""What follows a correction: by how much each later opening, closing, stock and cumulative would have to change.

The rules say it themselves: the last term of an opening, a balance, a cumulative or a stock is what the others imply. Pure
numpy over all bureaus of a period at once; a period after the other, since each looks back on the one before. Not here: where
the figures come from, or who says that they change (`disclosure_etl.deltas`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from schemas.constraints import Constraint, ConstraintTable, Kind, Relation, Source
from schemas.deltas import Delta
from schemas.forms import Form
from schemas.values import UNKNOWN

Rule = tuple[str, str]  # code and column


@dataclass(frozen=True)
class Step:
    """One period: its rules, and one entry a bureau of: the accepted `figures` by cell name (int64, `UNKNOWN` where nothing is
    accepted); by how much rules `fail` on what is accepted (int64: what the other terms imply − the last one; 0 where one
    holds); and which returns are `nil`, whose figures follow by themselves. `heirs`: (row, row) of bureaus of which the second
    begins with what the first left."""

    period: str
    table: ConstraintTable
    figures: Mapping[str, np.ndarray]
    fails: Mapping[Rule, np.ndarray] = field(default_factory=dict)
    nil: np.ndarray | None = None
    heirs: Sequence[tuple[int, int]] = ()


def deltas(bureaus: Sequence[str], steps: Sequence[Step]) -> list[Delta]:
    """The deltas of all bureaus over successive periods, by bureau, then period, then the form's order.

    A rule that fails on accepted figures says what its last term follows to be; where it holds, the last term changes by as
    much as the others do. A balance that did not hold is nobody's to mend here. Nothing follows from an unknown figure.
    """
    found: list[tuple[int, int, int, Delta]] = []
    before: Mapping[str, np.ndarray] = {}
    form = None
    for place, step in enumerate(steps):
        if form is not None and form.key != step.table.form.key:
            before = _over_a_change(before, form, step.table.form)
        form = step.table.form
        changes = _changes(step, _inherited(before, step.heirs), len(bureaus))
        for cell in step.table.form.cells:
            if cell.name not in changes:
                continue
            amounts = changes[cell.name]
            told = amounts != 0 if step.nil is None else (amounts != 0) & ~step.nil
            for row in map(int, np.flatnonzero(told)):
                reported = int(step.figures[cell.name][row])
                one = Delta(
                    bureaus[row], step.period, cell.block, cell.indicator, cell.column, cell.measure, reported,
                    reported + int(amounts[row]), cell.scale,
                )  # fmt: skip
                found.append((row, place, cell.position, one))
        before = changes
    return [one for *_, one in sorted(found, key=lambda entry: entry[:3])]


def _over_a_change(before: Mapping[str, np.ndarray], earlier: Form, form: Form) -> Mapping[str, np.ndarray]:
    """What a period on another version of the form looks back on, as judging does: no cumulatives, which may have begun anew
    there, and nothing that is kept in another scale."""
    kept = {(cell.name, cell.scale) for cell in form.cells if form.columns[cell.column].cumulates is None}
    names = {cell.name for cell in earlier.cells if (cell.name, cell.scale) in kept}
    return {name: amounts for name, amounts in before.items() if name in names}


def _inherited(before: Mapping[str, np.ndarray], heirs: Sequence[tuple[int, int]]) -> Mapping[str, np.ndarray]:
    """The changes of the period before, of heirs with what those changed whom they follow."""
    if not heirs:
        return before
    found = {name: amounts.copy() for name, amounts in before.items()}
    for name, amounts in before.items():
        for earlier, later in heirs:
            found[name][later] += amounts[earlier]
    return found


def _changes(step: Step, before: Mapping[str, np.ndarray], count: int) -> dict[str, np.ndarray]:
    """By cell name, how much it would change; only cells of which some bureau's would."""
    changes: dict[str, np.ndarray] = {}
    for rule in _in_order(step.table):
        last = rule.terms[-1].cell
        if last.name in changes:
            continue
        shift, known = np.zeros(count, np.int64), _known(step.figures, last.name, count)
        for term in rule.terms[:-1]:
            looks_back = term.source is Source.PREVIOUS
            change = (before if looks_back else changes).get(term.cell.name)
            if change is not None:
                shift += term.coefficient * change
            if not looks_back:
                known &= _known(step.figures, term.cell.name, count)
        if (fails := step.fails.get((rule.code, rule.column))) is not None and rule.kind is not Kind.BALANCE:
            shift += fails
        shift[~known] = 0
        if shift.any():
            changes[last.name] = shift
    return changes


def _in_order(table: ConstraintTable) -> list[Constraint]:
    """The rules whose last term follows: openings, then what balances with them, then cumulatives and stocks. A balance of
    cumulatives says what they say already."""
    cumulating = {column.code for column in table.form.columns.values() if column.cumulates}
    balances = [rule for rule in table.of_kind(Kind.BALANCE) if rule.column not in cumulating]
    rules = [*table.of_kind(Kind.OPENING), *balances, *table.of_kind(Kind.YEAR_TO_DATE), *table.of_kind(Kind.STOCK)]
    return [
        rule
        for rule in rules
        if rule.relation is Relation.EQUAL
        and rule.terms[-1].coefficient == -1
        and all(term.source in (Source.OWN, Source.PREVIOUS) for term in rule.terms)
    ]


def _known(figures: Mapping[str, np.ndarray], name: str, count: int) -> np.ndarray:
    return figures[name] != UNKNOWN if name in figures else np.zeros(count, bool)
