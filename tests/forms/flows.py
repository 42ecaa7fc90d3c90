"""Consistent returns of any form, period after period, as an honest clerk fills them in. No assertion in here.

Totals are drawn and handed down to their parts, what is settled was open before, what is in force was issued. The clerk
knows a form by its roles and stated rules alone, never by its name.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from schemas.forms import Column, Form, FormRule, Indicator, Table
from schemas.periods import Period

Figures = dict[tuple[str, str], int]  # (indicator, column) → whole number of the cell's smallest unit
Pick = Callable[[int, int], int]  # some whole number from … to …, both included

MOST = 400


def by_chance(seed: int) -> Pick:
    """Any number, nothing at all every third time."""
    chance = random.Random(seed)
    return lambda low, high: low if high <= low or chance.random() < 1 / 3 else chance.randint(low, high)


def by_thirds(low: int, high: int) -> int:
    """A third of what there is: nothing is exhausted, and as little as possible is zero."""
    return low + -(-(high - low) // 3)


def first_periods(form: Form, count: int) -> tuple[Period, ...]:
    """The first periods of the first year that the form is valid throughout."""
    period = Period.parse(form.valid.first)
    while not period.opens_year:
        period = period.shifted(1)
    return tuple(period.shifted(step) for step in range(count))


def returns(form: Form, count: int, pick: Pick) -> list[Figures]:
    """The returns of the first `count` periods of a year (years of a yearly form)."""
    told: list[Figures] = []
    for period in first_periods(form, count):
        told.append(filled_in(form, period, told[-1] if told else None, pick))
    return told


def filled_in(form: Form, period: Period, before: Figures | None, pick: Pick) -> Figures:
    """The return of one period after that `before` it; None where there was none."""
    return _Clerk(form, period, before, pick).fill_in()


@dataclass
class _Clerk:
    form: Form
    period: Period
    before: Figures | None
    pick: Pick
    now: Figures = field(default_factory=dict)
    stock_before: Figures = field(default_factory=dict)

    def fill_in(self) -> Figures:
        for table in self.form.tables:
            items = [item for block in table.blocks for item in block.indicators]
            for column in table.columns:
                if not (column.cumulates or column.sum_of or _is_carried(column)):
                    self._draw_column(table, items, column)
            for item in items:
                for column in table.columns:
                    if _is_carried(column):
                        self.now[item.code, column.code] = self._in_stock(item, column)
                for column in table.columns:
                    if column.sum_of:
                        self.now[item.code, column.code] = sum(self.now[item.code, part] for part in column.sum_of)
        self._keep_totals_up()
        self._cumulate()
        return self.now

    def _draw_column(self, table: Table, items: list[Indicator], column: Column) -> None:
        parts = {part for item in items for breakdown in item.breakdowns for part in breakdown.parts}
        open_now: dict[str, int] = {}
        for item in items:
            if item.code in parts:
                continue
            low, high = self._bounds(table, item, column)
            account = item.balance.account if item.balance else ""
            match item.balance.role if item.balance else None:
                case "opening" if self.before is not None:
                    low = high = self._carried_over(account, column)
                case "outflow":
                    high = min(high, open_now[account])
                case "closing":
                    low = high = open_now[account]
            value = self.pick(low, high)
            self.now[item.code, column.code] = value
            if item.balance:
                sign = -1 if item.balance.role == "outflow" else 1
                open_now[account] = open_now.get(account, 0) + sign * value
            self._hand_down(item, column.code)

    def _bounds(self, table: Table, item: Indicator, column: Column) -> tuple[int, int]:
        low, high = 0, MOST
        if item.subset_of:
            high = min(high, self.now[item.subset_of, column.code])
        stocks = [other for other in table.columns if _is_carried(other)]
        for other in stocks:
            assert other.stock is not None
            if column.code in other.stock.minus:
                high = min(high, self._in_stock(item, other))
            elif column.code in other.stock.plus and column.signed:
                low = -self._in_stock(item, other)
        if column.signed and not stocks:  # no more can go than there was
            low = -sum(self.now[item.code, other.code] for other in table.columns if other.stock)
        for rule in self.form.rules:
            low, high = self._stated(rule, item, column, low, high)
        return low, high

    def _stated(self, rule: FormRule, item: Indicator, column: Column, low: int, high: int) -> tuple[int, int]:
        """What a rule that is written out leaves open for a figure, once its other figures are known."""
        mine = [term for term in rule.terms if term.indicator == item.code and term.of == "own"]
        if len(mine) != 1 or mine[0].column not in (None, column.code):
            return low, high
        rest = 0
        for term in rule.terms:
            if term is not mine[0]:
                known = self.before if term.of == "previous" else self.now
                if known is None or (term.indicator, term.column or column.code) not in known:
                    return low, high
                rest += term.times * known[term.indicator, term.column or column.code]
        bound = -rest // mine[0].times
        if rule.relation == "=":
            return bound, bound
        return (low, min(high, bound)) if mine[0].times > 0 else (max(low, bound), high)

    def _hand_down(self, whole: Indicator, column: str) -> None:
        for breakdown in whole.breakdowns:
            left = self.now[whole.code, column]
            for number, part in enumerate(breakdown.parts):
                is_last = breakdown.complete and number == len(breakdown.parts) - 1
                self.now[part, column] = value = left if is_last else self.pick(0, left)
                left -= value if breakdown.complete else 0
                self._hand_down(self.form.indicators[part], column)

    def _carried_over(self, account: str, column: Column) -> int:
        assert self.before is not None
        closings = (item for item in self.form.indicators.values() if item.balance and item.balance.role == "closing")
        return next(
            self.before[item.code, column.code] for item in closings if item.balance and item.balance.account == account
        )

    def _in_stock(self, item: Indicator, column: Column) -> int:
        """What was there, and of this period what is drawn already."""
        assert column.stock is not None
        place = (item.code, column.code)
        if self.before is None:
            self.stock_before.setdefault(place, self.pick(1, MOST))
        had = self.before[place] if self.before else self.stock_before[place]
        came = sum(self.now.get((item.code, code), 0) for code in column.stock.plus)
        return had + came - sum(self.now.get((item.code, code), 0) for code in column.stock.minus)

    def _keep_totals_up(self) -> None:
        """A total that must hold what was before gets the rest in its last part: what is still pending."""
        for rule in self.form.rules:
            last = rule.terms[-1]
            if self.before is None or last.column is None or not self.form.columns[last.column].sum_of:
                continue
            lacking = sum(
                term.times * (self.before if term.of == "previous" else self.now)[term.indicator, term.column or ""]
                for term in rule.terms
            )
            if rule.relation == "<=" and lacking > 0:
                self.now[last.indicator, last.column] += lacking
                self.now[last.indicator, self.form.columns[last.column].sum_of[-1]] += lacking

    def _cumulate(self) -> None:
        for item, column in _cumulatives(self.form):
            own, place = self.now[item.code, column.cumulates or ""], (item.code, column.code)
            role = item.balance.role if item.balance else None
            if role == "closing" or self.before is None or self.period.opens_year:
                self.now[place] = own
            else:
                self.now[place] = self.before[place] + (0 if role == "opening" else own)


def _is_carried(column: Column) -> bool:
    return column.stock is not None and bool(column.stock.plus or column.stock.minus)


def _cumulatives(form: Form) -> Iterator[tuple[Indicator, Column]]:
    for table in form.tables:
        for block in table.blocks:
            for item in block.indicators:
                for column in table.columns:
                    if column.cumulates:
                        yield item, column
