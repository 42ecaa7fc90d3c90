"""From a form's roles to its constraint table: which rules follow from which role.

Not here: the rows themselves (`constraints`), what an office changes about them (`rules`), evaluating them (`kernels`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache

from schemas.constraints import Constraint, ConstraintTable, Kind, Relation, ShareGroup, Source, Term
from schemas.errors import Message, ProgramError
from schemas.formparts import Label
from schemas.forms import Breakdown, Cell, Column, Form, FormRule, Indicator
from schemas.periods import Period
from schemas.records import Severity


def constraint_table(form: Form, period: Period) -> ConstraintTable:
    """Compile `form` for `period`, before an office's own changes: in the first period of a year cumulatives begin anew.

    Raises:
        ProgramError: the form does not cover the period: a period without rules is an error, never a pass.
    """
    if not form.covers(period):
        raise ProgramError(f"form {form.key} has no rules for {period}")
    stated = tuple(rule for rule in form.rules if rule.valid is None or rule.valid.covers(period))
    return compile_table(form, period.opens_year, stated)


@lru_cache(maxsize=64)
def compile_table(form: Form, opens_year: bool, stated: tuple[FormRule, ...]) -> ConstraintTable:
    """All rows that follow from the roles of `form`, and those that `stated` rules are."""
    rows = [
        *_breakdowns(form),
        *_row_totals(form),
        *_balances(form),
        *_subsets(form),
        *(row for rule in stated for row in stated_rows(form, rule)),
        *_cumulatives(form, opens_year),
        *(carried := [*_openings(form), *_stocks(form)]),
        *_bridges(carried),
        *_periods(form),
        *_branches(form),
    ]
    return ConstraintTable(form, tuple(rows), tuple(_share_groups(form)), tuple(_watched(form)))


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
            code, Kind.BREAKDOWN, block, column, (*parts, total), Relation.EQUAL, Severity.ERROR, whole.legal, whole.code
        )  # fmt: skip
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
    block, last = found[-1]
    legal = next((item.legal for _, item in found if item.legal), None)
    if "closing" in roles:
        return Constraint(
            f"balance:{account}", Kind.BALANCE, block, column, tuple(terms), Relation.EQUAL, Severity.ERROR, legal, last.code
        )  # fmt: skip
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


def stated_rows(form: Form, rule: FormRule) -> Iterator[Constraint]:
    """The rows of a rule that is written out: one a column, all of the figures' own columns where it names none."""
    items = [form.indicators[term.indicator] for term in rule.terms]
    last = items[-1]
    for column in rule.columns or stated_columns(form, rule):
        terms = tuple(
            Term(
                term.times,
                _cell(form, term.indicator, term.column or column),
                Source.PREVIOUS if term.of == "previous" else Source.OWN,
            )
            for term in rule.terms
        )
        yield Constraint(
            f"stated:{rule.code}", Kind.STATED, form.block_of[last.code], column, terms, Relation(rule.relation),
            Severity(rule.severity), rule.legal, last.code,
            tolerance=int(Decimal(str(rule.tolerance)).scaleb(last.decimals)),
            title=_message(rule.title), message=_message(rule.message) if rule.message else None,
        )  # fmt: skip


def stated_columns(form: Form, rule: FormRule) -> tuple[str, ...]:
    """The columns of a rule that names none: those that hold figures of their own and that all its free terms have; the
    one of its last term where every term names its own."""
    free = [term.indicator for term in rule.terms if term.column is None]
    if not free:
        return (rule.terms[-1].column or "",)
    return tuple(code for code in form.own_columns if all(form.figure_cell(indicator, code) for indicator in free))


def _message(label: Label) -> Message:
    return Message(label.zh, label.en)


def _cumulatives(form: Form, opens_year: bool) -> Iterator[Constraint]:
    """Year to date: flows add up; the opening there is the year's first, the closing the period's own."""
    for block, indicator, column in _rows(form):
        if column.cumulates is None:
            continue
        own = Term(1, _cell(form, indicator.code, column.cumulates))
        total = Term(-1, _cell(form, indicator.code, column.code))
        before = Term(1, total.cell, Source.PREVIOUS)
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
                Term(1, _cell(form, closing.code, column.code), Source.PREVIOUS),
                Term(-1, _cell(form, indicator.code, column.code)),
            )
            yield Constraint(
                f"opening:{indicator.balance.account}", Kind.OPENING, block, column.code, terms, Relation.EQUAL,
                Severity.ERROR, indicator.legal, indicator.code,
            )  # fmt: skip


def _stocks(form: Form) -> Iterator[Constraint]:
    """What is in force now = what was + what came − what went; and never less than what came and did not go."""
    for block, indicator, column in _rows(form):
        if column.stock is None or not (column.stock.plus or column.stock.minus):
            continue
        now = _cell(form, indicator.code, column.code)
        came = [Term(1, _cell(form, indicator.code, code)) for code in column.stock.plus]
        went = [Term(-1, _cell(form, indicator.code, code)) for code in column.stock.minus]
        carried = (Term(1, now, Source.PREVIOUS), *came, *went, Term(-1, now))
        yield Constraint(
            f"stock:{indicator.code}", Kind.STOCK, block, column.code, carried, Relation.EQUAL, Severity.WARNING,
            indicator.legal, indicator.code,
        )  # fmt: skip
        if column.stock.at_least_net:
            yield Constraint(
                f"stock:{indicator.code}:net", Kind.STOCK, block, column.code, (*came, *went, Term(-1, now)),
                Relation.AT_MOST, Severity.ERROR, indicator.legal, indicator.code,
            )  # fmt: skip


def _periods(form: Form) -> Iterator[Constraint]:
    """A coarser return against the finer ones within its period: what came and went adds up, a closing is the last one's.
    How things stood before is of last year; a total of flows and stocks follows from its parts."""
    if form.adds_up is None:
        return
    for block, indicator, column in _rows(form):
        cell = _cell(form, indicator.code, column.code)
        opens = column.stock is not None and column.stock.moment == "opening"
        if column.cumulates or opens or cell.moment == "total":
            continue
        yield Constraint(
            f"periods:{indicator.code}", Kind.PERIODS, block, column.code,
            (Term(1, cell, Source.PERIODS), Term(-1, cell)), Relation.EQUAL, Severity.ERROR, indicator.legal, indicator.code,
        )  # fmt: skip


def _branches(form: Form) -> Iterator[Constraint]:
    """A bureau that reports for its whole branch has at least what its units reported of themselves. Only a warning: the
    slip may as well be in a unit's return, and must not hold the branch's."""
    for block, indicator, column in _rows(form):
        if column.cumulates or column.signed or indicator.is_stock:
            continue
        cell = _cell(form, indicator.code, column.code)
        yield Constraint(
            f"branch:{indicator.code}", Kind.BRANCH, block, column.code, (Term(1, cell, Source.UNITS), Term(-1, cell)),
            Relation.AT_MOST, Severity.WARNING, indicator.legal, indicator.code,
        )  # fmt: skip


def _bridges(carried: Sequence[Constraint]) -> Iterator[Constraint]:
    """What is carried over from the preceding period, where several take it over (a split): of each alone nobody can say
    what it should be, so the same rule is held over all of them together, at each of them."""
    for rule in carried:
        before = [term for term in rule.terms if term.source is Source.PREVIOUS]
        own = [term for term in rule.terms if term.source is Source.OWN]
        if before and rule.relation is Relation.EQUAL:
            terms = (
                *(Term(term.coefficient, term.cell, Source.PREDECESSORS) for term in before),
                *(Term(term.coefficient, term.cell, Source.SIBLINGS) for term in own),
                *own,
            )
            yield replace(rule, code=f"bridge:{rule.indicator}", kind=Kind.BRIDGE, terms=terms)


def _share_groups(form: Form) -> Iterator[ShareGroup]:
    for block, indicator, column in _rows(form):
        for breakdown in indicator.breakdowns:
            if breakdown.shares is None or column.code not in breakdown.shares.columns:
                continue
            others = [item for item in form.columns.values() if item.cumulates == column.code]
            yield ShareGroup(
                breakdown=f"{indicator.code}:{breakdown.name}",
                block=block,
                column=column.code,
                parts=tuple(_cell(form, part, column.code) for part in breakdown.parts),
                shares=tuple(form.cell_at[(part, column.code, "share")] for part in breakdown.parts),
                total=_cell(form, indicator.code, column.code),
                complete=breakdown.complete,
                legal=indicator.legal,
                alternatives=tuple(_cell(form, indicator.code, other.code) for other in others),
            )


def _watched(form: Form) -> Iterator[Cell]:
    """Flows in the columns that hold a period's own figures; of a matrix its total column alone, where it has one."""
    totals = {column.code for column in form.columns.values() if column.sum_of}
    for table in form.tables:
        codes = [column.code for column in table.columns]
        shown = [code for code in codes if code in totals] or codes
        for block in table.blocks:
            for indicator in block.indicators:
                if indicator.is_stock or not indicator.watched:
                    continue
                for column in table.columns:
                    if column.code in shown and not (column.cumulates or column.stock or column.signed):
                        yield _cell(form, indicator.code, column.code)
