"""Detection power: which rules catch a wrong figure at a cell, so that a form says of itself where a slip would pass.

Assumed is a return that is right but for the one cell, with its history and finer returns accepted, of a bureau without
units of its own (whose figures would be a lower bound). Not here: what is looked at over time, which catches a slip by its
size alone (`trends`), or blanks, which a required cell reports itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from schemas.constraints import Constraint, ConstraintTable, Kind, Relation, Source
from schemas.errors import Message
from schemas.forms import Cell

Level = Literal["always", "bounded", "none"]

_REASONS: dict[Level, Message] = {
    "always": Message(
        "在等式中,任何改动都会使等式不成立。", "It stands in an equality, which any change of it breaks."
    ),
    "bounded": Message(
        "只受上限或印刷精度约束,界限之内的改动查不出。",
        "Only bounds or printed shares hold it; a change within them passes.",
    ),
    "none": Message(
        "独立计数,本表和历期都没有与之相联的数。",
        "It is counted by itself; no other figure of this return or of earlier ones depends on it.",
    ),
}


@dataclass(frozen=True, slots=True)
class Power:
    """What catches a change of one cell's figure.

    `always`: codes of rules that any change breaks; `bounded`: of those that only a change beyond a bound breaks (at most,
    a tolerance, a printed share). That a figure is not below zero is no such bound: it never tells one count from another.
    """

    cell: Cell
    always: tuple[str, ...]
    bounded: tuple[str, ...]

    @property
    def level(self) -> Level:
        """Whether every change is caught, only some, or none."""
        return "always" if self.always else "bounded" if self.bounded else "none"

    @property
    def reason(self) -> Message:
        """Why, in words for the rule book."""
        return _REASONS[self.level]


def detection_power(table: ConstraintTable) -> tuple[Power, ...]:
    """The power at each figure cell of a form, in its order; shares are left out, since a share is no figure of its own."""
    always: dict[str, dict[str, None]] = {}
    bounded: dict[str, dict[str, None]] = {}
    for row in table.constraints:
        if row.kind in (Kind.BRANCH, Kind.BRIDGE):  # most bureaus have no units, and share no balance
            continue
        found = always if row.relation is Relation.EQUAL and not row.tolerance else bounded
        for name in _moved(row):
            found.setdefault(name, {})[row.code] = None
    for group in table.shares:
        for cell in (*group.parts, group.total):
            bounded.setdefault(cell.name, {})[group.code(Kind.SHARE)] = None
    return tuple(
        Power(cell, tuple(always.get(cell.name, ())), tuple(bounded.get(cell.name, ())))
        for cell in table.form.cells
        if cell.measure != "share"
    )


def undetectable(table: ConstraintTable) -> tuple[Power, ...]:
    """The cells at which some change passes every rule, each with the reason."""
    return tuple(power for power in detection_power(table) if power.level != "always")


def _moved(row: Constraint) -> Iterator[str]:
    """The cells of the return itself whose change moves the row's sum."""
    sums: dict[str, int] = {}
    for term in row.terms:
        if term.source is Source.OWN:
            sums[term.cell.name] = sums.get(term.cell.name, 0) + term.coefficient
    return (name for name, coefficient in sums.items() if coefficient)
