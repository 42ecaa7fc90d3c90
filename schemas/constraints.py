"""The constraint table: every rule that follows from a form's roles, as rows over cells of the wide frame.

Everything over counts is linear: Σ coefficient × cell, compared with 0. Shares stand beside as rows of their own kind,
since their bound depends on what was printed. Not here: evaluating the rows (`schemas.kernels`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from schemas.errors import ProgramError
from schemas.forms import Breakdown, Cell, Column, Form, Indicator
from schemas.periods import Period
from schemas.records import Severity

PREVIOUS = "previous:"  # prefix of a frame column that holds the preceding period's accepted figure


class Kind(StrEnum):
    """The kinds of rules, in the order in which their failures are told."""

    READING = "reading"
    REQUIRED = "required"
    NEGATIVE = "negative"
    BREAKDOWN = "breakdown"
    ROW_TOTAL = "row-total"
    BALANCE = "balance"
    OUTCOMES = "outcomes"
    SUBSET = "subset"
    SHARE = "share"
    SHARE_COLUMN = "share-column"
    YEAR_TO_DATE = "year-to-date"
    OPENING = "opening"


class Relation(StrEnum):
    """How a row's sum compares with 0."""

    EQUAL = "="
    AT_MOST = "<="


@dataclass(frozen=True, slots=True)
class Term:
    """Coefficient × cell. `previous` takes the preceding period's accepted figure of that cell."""

    coefficient: int
    cell: Cell
    previous: bool = False

    @property
    def name(self) -> str:
        """The column of the wide frame."""
        return PREVIOUS + self.cell.name if self.previous else self.cell.name


@dataclass(frozen=True, slots=True)
class Constraint:
    """One linear rule at one column: Σ coefficient × cell `relation` 0.

    The last term is the one that the others imply (the total, the closing, the cumulative): `seen` ends with it and
    `expected` is what it would have to be.
    """

    code: str
    kind: Kind
    block: str
    column: str
    terms: tuple[Term, ...]
    relation: Relation
    severity: Severity
    legal: str | None
    indicator: str

    @property
    def waits(self) -> bool:
        """Whether it looks back on the preceding period, and so waits for its acceptance."""
        return any(term.previous for term in self.terms)


@dataclass(frozen=True, slots=True)
class ShareGroup:
    """The printed shares of one breakdown in one column: part i, its share, and the stated total."""

    code: str
    column_code: str
    block: str
    column: str
    parts: tuple[Cell, ...]
    shares: tuple[Cell, ...]
    total: Cell
    complete: bool
    legal: str | None
    alternatives: tuple[Cell, ...]  # other totals that a share may wrongly have been taken of

    @property
    def name(self) -> str:
        """A short unique name."""
        return f"{self.code}|{self.column}"


@dataclass(frozen=True)
class ConstraintTable:
    """All rules of one form for one period."""

    form: Form
    constraints: tuple[Constraint, ...]
    shares: tuple[ShareGroup, ...]

    def of_kind(self, kind: Kind) -> tuple[Constraint, ...]:
        """The linear rows of one kind, in order."""
        return tuple(row for row in self.constraints if row.kind is kind)

    @property
    def previous_cells(self) -> tuple[str, ...]:
        """Names of the cells whose preceding figures the rules ask for."""
        terms = (term for row in self.constraints for term in row.terms if term.previous)
        return tuple(dict.fromkeys(term.cell.name for term in terms))


@lru_cache(maxsize=64)
def _compiled(form: Form, opens_year: bool) -> ConstraintTable:
    rows = [
        *_breakdowns(form),
        *_row_totals(form),
        *_balances(form),
        *_subsets(form),
        *_cumulatives(form, opens_year),
        *_openings(form),
    ]
    return ConstraintTable(form, tuple(rows), tuple(_share_groups(form)))


def constraint_table(form: Form, period: Period) -> ConstraintTable:
    """Compile `form` for `period`: in the first period of a year cumulatives begin anew.

    Raises:
        ProgramError: the form does not cover the period: a period without rules is an error, never a pass.
    """
    if not form.covers(period):
        raise ProgramError(f"form {form.key} has no rules for {period}")
    return _compiled(form, period.opens_year)


def _cell(form: Form, indicator: str, column: str) -> Cell:
    cell = form.figure_cell(indicator, column)
    if cell is None:
        raise ProgramError(f"form {form.key} has no cell {indicator} in {column}")
    return cell


def _rows(form: Form) -> Iterator[tuple[str, Indicator, Column]]:
    for table in form.tables:
        for block in table.blocks:
            for indicator in block.indicators:
                for column in table.columns:
                    yield block.code, indicator, column


def _breakdowns(form: Form) -> Iterator[Constraint]:
    for block, indicator, column in _rows(form):
        for breakdown in indicator.breakdowns:
            yield from _breakdown(form, block, indicator, column.code, breakdown)


def _breakdown(form: Form, block: str, whole: Indicator, column: str, breakdown: Breakdown) -> Iterator[Constraint]:
    total = Term(-1, _cell(form, whole.code, column))
    parts = [Term(1, _cell(form, part, column)) for part in breakdown.parts]
    code = f"breakdown:{whole.code}:{breakdown.name}"
    if breakdown.complete:
        yield Constraint(
            code,
            Kind.BREAKDOWN,
            block,
            column,
            (*parts, total),
            Relation.EQUAL,
            Severity.ERROR,
            whole.legal,
            whole.code,
        )
        return
    for part in parts:  # an open or overlapping list bounds each part alone
        yield Constraint(
            f"{code}:{part.cell.indicator}", Kind.SUBSET, block, column, (part, total), Relation.AT_MOST,
            Severity.ERROR, whole.legal, part.cell.indicator,
        )  # fmt: skip


def _row_totals(form: Form) -> Iterator[Constraint]:
    for block, indicator, column in _rows(form):
        if column.sum_of:
            parts = [Term(1, _cell(form, indicator.code, part)) for part in column.sum_of]
            total = Term(-1, _cell(form, indicator.code, column.code))
            yield Constraint(
                f"row-total:{indicator.code}", Kind.ROW_TOTAL, block, column.code, (*parts, total), Relation.EQUAL,
                Severity.ERROR, indicator.legal, indicator.code,
            )  # fmt: skip


def _balances(form: Form) -> Iterator[Constraint]:
    for table in form.tables:
        accounts: dict[str, list[tuple[str, Indicator]]] = {}
        for block in table.blocks:
            for indicator in block.indicators:
                if indicator.balance:
                    accounts.setdefault(indicator.balance.account, []).append((block.code, indicator))
        for column in table.columns:
            for account, members in accounts.items():
                yield _balance(form, account, members, column.code)


def _balance(form: Form, account: str, members: list[tuple[str, Indicator]], column: str) -> Constraint:
    """opening + inflow = outflow + closing; without a closing, outflow <= opening + inflow (DESIGN: gate on outcomes).

    Without an opening as well the excess may be what an earlier period left, so it only warns.
    """
    sign = {"opening": 1, "inflow": 1, "outflow": -1, "closing": -1}
    order = ["opening", "inflow", "outflow", "closing"]
    found = sorted(members, key=lambda member: order.index(_role(member[1])))
    terms = [Term(sign[_role(item)], _cell(form, item.code, column)) for _, item in found]
    roles = {_role(item) for _, item in found}
    last = found[-1][1]
    legal = next((item.legal for _, item in found if item.legal), None)
    block = found[-1][0]
    if "closing" in roles:
        return Constraint(
            f"balance:{account}",
            Kind.BALANCE,
            block,
            column,
            tuple(terms),
            Relation.EQUAL,
            Severity.ERROR,
            legal,
            last.code,
        )
    flipped = tuple(Term(-term.coefficient, term.cell) for term in terms)
    severity = Severity.ERROR if "opening" in roles else Severity.WARNING
    return Constraint(
        f"outcomes:{account}", Kind.OUTCOMES, block, column, flipped, Relation.AT_MOST, severity, legal, last.code
    )


def _role(indicator: Indicator) -> str:
    assert indicator.balance is not None
    return indicator.balance.role


def _subsets(form: Form) -> Iterator[Constraint]:
    for block, indicator, column in _rows(form):
        if indicator.subset_of:
            terms = (
                Term(1, _cell(form, indicator.code, column.code)),
                Term(-1, _cell(form, indicator.subset_of, column.code)),
            )
            yield Constraint(
                f"subset:{indicator.code}", Kind.SUBSET, block, column.code, terms, Relation.AT_MOST,
                Severity.ERROR, indicator.legal, indicator.code,
            )  # fmt: skip


def _cumulatives(form: Form, opens_year: bool) -> Iterator[Constraint]:
    """Year to date: flows add up; the opening there is the year's first, the closing the period's own."""
    for block, indicator, column in _rows(form):
        if column.cumulates is None:
            continue
        own = Term(1, _cell(form, indicator.code, column.cumulates))
        total = Term(-1, _cell(form, indicator.code, column.code))
        before = Term(1, total.cell, previous=True)
        role = indicator.balance.role if indicator.balance else None
        if role == "closing" or opens_year:
            terms: tuple[Term, ...] = (own, total)
        elif role == "opening":
            terms = (before, total)
        else:
            terms = (before, own, total)
        yield Constraint(
            f"year-to-date:{indicator.code}", Kind.YEAR_TO_DATE, block, column.code, terms, Relation.EQUAL,
            Severity.ERROR, indicator.legal, indicator.code,
        )  # fmt: skip


def _openings(form: Form) -> Iterator[Constraint]:
    closings = {
        item.balance.account: item
        for item in form.indicators.values()
        if item.balance and item.balance.role == "closing"
    }
    for block, indicator, column in _rows(form):
        if column.cumulates or not indicator.balance or indicator.balance.role != "opening":
            continue
        if (closing := closings.get(indicator.balance.account)) is not None:
            terms = (
                Term(1, _cell(form, closing.code, column.code), previous=True),
                Term(-1, _cell(form, indicator.code, column.code)),
            )
            yield Constraint(
                f"opening:{indicator.balance.account}", Kind.OPENING, block, column.code, terms, Relation.EQUAL,
                Severity.ERROR, indicator.legal, indicator.code,
            )  # fmt: skip


def _share_groups(form: Form) -> Iterator[ShareGroup]:
    for block, indicator, column in _rows(form):
        for breakdown in indicator.breakdowns:
            if breakdown.shares is None or column.code not in breakdown.shares.columns:
                continue
            others = [item for item in form.columns.values() if item.cumulates == column.code]
            yield ShareGroup(
                code=f"share:{indicator.code}:{breakdown.name}",
                column_code=f"share-column:{indicator.code}:{breakdown.name}",
                block=block,
                column=column.code,
                parts=tuple(_cell(form, part, column.code) for part in breakdown.parts),
                shares=tuple(form.cell_at[(part, column.code, "share")] for part in breakdown.parts),
                total=_cell(form, indicator.code, column.code),
                complete=breakdown.complete,
                legal=indicator.legal,
                alternatives=tuple(_cell(form, indicator.code, other.code) for other in others),
            )
