"""What really happened at each bureau, month by month, and how it was told: the truth that a simulation is held against.

Returns are filled in by an honest clerk (`tests.forms.flows`) from small movements of each bureau's own level; then some are
told wrongly. An error that adds up in itself is carried on by all later months until it is corrected, as a bureau would. The
truth of consolidated figures is added up here from the ledgers alone. No assertion in here, and nothing of the warehouse.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from disclosure_etl.bureaus import Bureaus
from disclosure_etl.succession import changeovers
from schemas.forms import Cell, Form
from schemas.periods import Frequency, Period
from tests.factories import FAMILY, SIGNED
from tests.forms.flows import Figures, filled_in

Place = tuple[str, str]  # bureau, and the month's code
OLD_FORM = "bureau-monthly/2008"


@dataclass(frozen=True)
class Slip:
    """What a bureau tells wrongly. `kind`: `total` does not add up in itself; `flow` and `stock` do, and are carried on: the one in
    the year's cumulatives, the other in openings and closings as well."""

    bureau: str
    month: Period
    kind: str
    amount: int


def told_wrongly(form: Form, slip: Slip, month: Period) -> Figures:
    """By how much the figures of `month` are off because of a slip in the same month or before."""
    first, same_year = month == slip.month, month.year == slip.month.year
    found: Figures = {}

    def off(indicators: Iterable[str], own: str, so_far: str | None) -> None:
        for indicator in indicators:
            if first:
                found[indicator, own] = slip.amount
            if same_year and so_far is not None:
                found[indicator, so_far] = slip.amount

    old = form.key == OLD_FORM
    if slip.kind == "total":
        if first:
            found = {("enquiries", "month") if old else ("replies", "total"): slip.amount}
    elif slip.kind == "flow" and old:
        off(("publications", "publications.business"), "month", "year_to_date")
    elif slip.kind == "flow":
        off(("penalties",), "decisions", "decisions_to_date")
    elif old:
        off(("applications.received", "applications.received.letter"), "month", "year_to_date")
        found |= dict.fromkeys(
            [("applications.closing", "month"), ("applications.closing", "year_to_date")], slip.amount
        )
        found |= {} if first else {("applications.opening", "month"): slip.amount}
        found |= {} if same_year else {("applications.opening", "year_to_date"): slip.amount}
    else:
        off(("applications.received",), "natural_person", None)
        off(("applications.received",), "total", "year_to_date")
        for column in ("natural_person", "total"):
            found["applications.closing", column] = slip.amount
            found |= {} if first else {("applications.opening", column): slip.amount}
        found["applications.closing", "year_to_date"] = slip.amount
        found |= {} if same_year else {("applications.opening", "year_to_date"): slip.amount}
    return found


def plus(*figures: Mapping[tuple[str, str], int]) -> Figures:
    """The sums, place by place."""
    found: Figures = {}
    for one in figures:
        for place, value in one.items():
            found[place] = found.get(place, 0) + value
    return found


@dataclass
class Ledgers:
    """The truth of all bureaus. `restated`: by bureau and month, what an opening or cumulative rightly differs by; `unlike`: the
    months in which a total that is right is not the sum of its parts."""

    bureaus: Bureaus
    form_of: Callable[[Period], Form]
    months: Sequence[Period]
    seed: int = 1
    restated: Mapping[Place, tuple[str, str, int]] = field(default_factory=dict)
    unlike: frozenset[Place] = frozenset()
    true: dict[Place, Figures] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for month in self.months:
            for bureau in self.owing(month):
                self.true[bureau, month.code] = self._month(bureau, month)

    def owing(self, month: Period) -> list[str]:
        """Who sends a return."""
        return [one.code for one in self.bureaus.owing(FAMILY, month)]

    @cached_property
    def heirs(self) -> Mapping[Place, str]:
        """By bureau and month: who goes on with its balances in the month after; of a split the first."""
        found = {}
        for month in self.months[1:]:
            for one in changeovers(self.bureaus, FAMILY, month):
                found |= {(code, month.preceding.code): one.successors[0] for code in one.predecessors}
        return found

    def begin_divided(self, month: Period) -> frozenset[str]:
        """Who begins a month with a part of what others left."""
        over = changeovers(self.bureaus, FAMILY, month)
        return frozenset(code for one in over if one.is_divided for code in one.successors)

    def _month(self, bureau: str, month: Period) -> Figures:
        form = self.form_of(month)
        level = random.Random(f"{self.seed} {bureau}").uniform(0.1, 0.5)
        chance = random.Random(f"{self.seed} {bureau} {month}")
        before = self._before(bureau, month)
        place = (bureau, month.code)
        indicator, column, amount = self.restated.get(place, ("", "", 0))
        if amount and before is not None and indicator == "applications.opening":
            before[indicator.replace("opening", "closing"), column] += amount

        def pick(low: int, high: int) -> int:
            return low + round((high - low) * level * chance.uniform(0.9, 1.1))

        told = filled_in(form, month, before, pick)
        if amount and indicator != "applications.opening":
            told[indicator, column] += amount
        if place in self.unlike:
            told = plus(told, {("publications", "month"): 1, ("publications", "year_to_date"): 1})
        return told

    def _before(self, bureau: str, month: Period) -> Figures | None:
        """What the month begins with: what the bureau, or all before it together, told last; of a split a part of every
        balance, and nothing of the year so far. None at the beginning, and where the form is another one."""
        if month == self.months[0] or self.form_of(month).key != self.form_of(month.preceding).key:
            return None
        for one in changeovers(self.bureaus, FAMILY, month):
            if bureau in one.successors:
                left = plus(*(self.true[code, month.preceding.code] for code in one.predecessors))
                return (
                    _share(self.form_of(month), left, one.successors.index(bureau), len(one.successors))
                    if one.is_divided
                    else left
                )
        return dict(self.true[bureau, month.preceding.code])


def _share(form: Form, left: Figures, number: int, of: int) -> Figures:
    """An even part of each balance; the year so far of a part is nobody's, but for what it opens with."""
    found = {}
    for (indicator, column), value in left.items():
        part = value // of + (number < value % of)
        found[indicator, column] = 0 if form.columns[column].cumulates else part
    for item in form.indicators.values():
        if item.balance and item.balance.role == "opening":
            closing = next(
                one.code
                for one in form.indicators.values()
                if one.balance and one.balance.role == "closing" and one.balance.account == item.balance.account
            )
            for column in form.columns.values():
                if column.cumulates and (item.code, column.code) in found:
                    found[item.code, column.code] = found[closing, column.cumulates]
    return found


# -- consolidated


Counting = Mapping[Place, Mapping[tuple[str, str], int]]


def month_sums(form: Form, counting: Counting, month: Period) -> Figures:
    """The own columns of a month over all bureaus."""
    own = {_place(cell) for cell in _own_cells(form)}
    told = [figures for (_, code), figures in counting.items() if code == month.code]
    return {place: sum(one[place] for one in told) for place in own} if told else {}


def consolidated(
    form: Form, sums: Callable[[Period], Figures], period: Period, booked: Mapping[tuple[str, str], int]
) -> dict[tuple[str, str], int | None]:
    """What the figures of a period have to be: of a month with its cumulatives; of a longer one added up.

    Args:
        sums: a month's own columns over all bureaus; nothing of one that is not there, or not on this form.
        booked: what was restated, by the places that it enters.
    """
    is_month = period.frequency is Frequency.MONTHLY
    span = [period] if is_month else period.parts(Frequency.MONTHLY)
    year = [period.shifted(-step) for step in range(period.ordinal)][::-1] if is_month else []
    found: dict[tuple[str, str], int | None] = {}
    for cell in form.cells:
        column = form.columns[cell.column]
        if cell.measure == "share" or (column.cumulates and not is_month):
            continue
        own, over = (cell.column, span) if not column.cumulates else (column.cumulates, year)
        values = [sums(month).get((cell.indicator, own)) for month in over]
        found[_place(cell)] = _over(cell, values)
        if found[_place(cell)] is not None:
            found[_place(cell)] += booked.get(_place(cell), 0)  # type: ignore[operator]
    for cell in form.cells:
        if not is_month and cell.moment == "total" and _place(cell) in found:
            found[_place(cell)] = sum(found[_place(part)] or 0 for part in form.parts_of(cell))
    return found


def _over(cell: Cell, values: Sequence[int | None]) -> int | None:
    if cell.moment in ("opening", "closing"):
        return values[0] if cell.moment == "opening" else values[-1]
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _place(cell: Cell) -> tuple[str, str]:
    return cell.indicator, cell.column


def _own_cells(form: Form) -> list[Cell]:
    return [cell for cell in form.cells if cell.measure != "share" and not form.columns[cell.column].cumulates]


def json_return(form: Form, month: Period, bureau: str, figures: Figures, revision: int = 1) -> bytes:
    """The return as JSON (`schemas/contracts/return.schema.json`)."""
    observations = [
        {
            "indicator": indicator,
            "column": column,
            "value": f"{Decimal(value).scaleb(-form.indicators[indicator].decimals)}",
        }
        for (indicator, column), value in figures.items()
    ]
    head = {"bureau_code": bureau, "bureau": f"{bureau}分局", "period": month.code, "revision": revision, **SIGNED}
    return json.dumps({**head, "observations": observations}, ensure_ascii=False).encode()
