"""The check cells of a workbook: a table's rules as spreadsheet formulas, and what those show.

Not here: where the cells stand (`template_tables`); these checks help the clerk, the verdict is given by `quality`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from schemas.constraints import Constraint, ConstraintTable, Kind, Relation

Figures = Mapping[tuple[str, str], Decimal]
Reference = Callable[[str, str], str]  # the cell of (indicator, column)

RIGHT, WRONG = "√", "×"
_CHECKED = (Kind.BREAKDOWN, Kind.ROW_TOTAL, Kind.BALANCE, Kind.SUBSET, Kind.OUTCOMES, Kind.YEAR_TO_DATE)


def checked_by(rules: ConstraintTable, table: str) -> dict[tuple[str, str], list[Constraint]]:
    """The rules that each (indicator, column) of a table is checked by; rules that look elsewhere are left out."""
    beside: dict[tuple[str, str], list[Constraint]] = {}
    for rule in rules.constraints:
        inside = all(term.cell.table == table for term in rule.terms)
        if rule.kind in _CHECKED and not rule.waits and inside:
            beside.setdefault((rule.indicator, rule.column), []).append(rule)
    return beside


def check_formula(rules: Sequence[Constraint], at: Reference) -> str:
    """The formula of a check cell: empty where nothing is filled in, or where words stand among the figures."""
    formula = f'"{RIGHT}"'
    for rule in reversed(rules):
        formula = f"IF({_is_wrong(rule, at)},{_shown(rule, at)},{formula})"
    cells = list(dict.fromkeys(at(term.cell.indicator, term.cell.column) for rule in rules for term in rule.terms))
    present = ",".join(f'{cell}<>""' for cell in cells)
    words = ",".join(f"ISTEXT({cell})" for cell in cells)
    return f'=IF(OR({words}),"",IF(OR({present}),{formula},""))'


def _sum(rule: Constraint, at: Reference) -> str:
    return "".join(
        f"{'+' if term.coefficient > 0 else '-'}N({at(term.cell.indicator, term.cell.column)})" for term in rule.terms
    )


def _is_wrong(rule: Constraint, at: Reference) -> str:
    # Amounts are decimals to a spreadsheet: a difference below the smallest unit is its arithmetic, not the clerk's.
    total = f"ROUND({_sum(rule, at)},4)"
    return f"{total}<>0" if rule.relation is Relation.EQUAL else f"{total}>0"


def _shown(rule: Constraint, at: Reference) -> str:
    if rule.relation is Relation.AT_MOST:
        return f'"{WRONG}超出所属总数"'
    implied = "".join(
        f"{'+' if -rule.terms[-1].coefficient * term.coefficient > 0 else '-'}"
        f"N({at(term.cell.indicator, term.cell.column)})"
        for term in rule.terms[:-1]
    )
    return f'"{WRONG}应为"&ROUND({implied},4)'


def check_result(rules: Sequence[Constraint], figures: Figures) -> str:
    """What the check cell shows with these figures."""
    if not any((term.cell.indicator, term.cell.column) in figures for rule in rules for term in rule.terms):
        return ""
    for rule in rules:
        values = [
            term.coefficient * figures.get((term.cell.indicator, term.cell.column), Decimal(0)) for term in rule.terms
        ]
        if rule.relation is Relation.EQUAL and sum(values, Decimal(0)):
            implied = sum(values[:-1], Decimal(0)) * -rule.terms[-1].coefficient
            return f"{WRONG}应为{implied.normalize():f}"
        if rule.relation is Relation.AT_MOST and sum(values, Decimal(0)) > 0:
            return f"{WRONG}超出所属总数"
    return RIGHT
