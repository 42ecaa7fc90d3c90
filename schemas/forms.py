"""A form: one version of a return, as its YAML file defines it, and the ordered cells that follow from it.

Not here: which rules follow from the roles (`schemas.constraints`), or how labels are recognised (`intake`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pydantic import ConfigDict, Field

from schemas.formparts import Code, Label, Part
from schemas.itemlists import ItemList
from schemas.periods import Frequency, Period

Measure = Literal["count", "amount", "share"]
Role = Literal["opening", "inflow", "outflow", "closing"]
Moment = Literal["flow", "opening", "closing", "total"]

_GLANCE = 4  # figures that a line on a terminal has room for
SHARE_DECIMALS = 6  # shares are kept as whole numbers of 10^-6 per cent, whatever was printed


class Shares(Part):
    """Share cells of a breakdown's parts: per cent of the stated total, printed with `decimals`, in `columns`."""

    decimals: int = Field(default=2, ge=0, le=SHARE_DECIMALS)
    columns: tuple[str, ...] = ()


class Breakdown(Part):
    """Parts of an indicator. `complete`: they add up to it; otherwise (open list, overlap) each is at most it."""

    name: Code
    parts: tuple[Code, ...] = Field(min_length=1)
    complete: bool = True
    shares: Shares | None = None


class Balance(Part):
    """The part an indicator plays in an account: opening + inflow = outflow + closing."""

    account: Code
    role: Role


class Indicator(Part):
    """One measured item. `decimals` is how many its unit is printed with, and so the integer it is kept as; `number` the
    code that the form prints beside it (代码); `watched` whether its course over time is looked at (a flow's is); `heading` a
    line printed above it that heads a group and holds no figures."""

    code: Code
    label: Label
    unit: str
    aliases: tuple[str, ...] = ()
    decimals: int = Field(default=0, ge=0, le=6)
    required: bool = True
    blank_means: Literal["unknown", "zero"] = "unknown"
    breakdowns: tuple[Breakdown, ...] = ()
    balance: Balance | None = None
    subset_of: Code | None = None
    watched: bool = True
    heading: Label | None = None
    number: str | None = None
    legal: str | None = None

    @property
    def measure(self) -> Measure:
        """Amounts are money and the like, with decimals; everything else is counted."""
        return "amount" if self.decimals else "count"

    @property
    def is_stock(self) -> bool:
        """Whether it is a state at a moment (opening, closing) and not a flow over the period."""
        return self.balance is not None and self.balance.role in ("opening", "closing")


class Stock(Part):
    """What carries a column of stocks (现行有效件数) from one period to the next: last stock + `plus` − `minus`.

    Items are also counted anew for other reasons, so a difference only warns; but what came in a period and did not go
    in it must still be there (`at_least_net`). With neither it is a state (尚未审结) whose flows the form does not ask for.
    `moment`: whether it is how things stood at the period's beginning (上一年项目数量) or how they stand at its end.
    """

    moment: Literal["opening", "closing"] = "closing"

    plus: tuple[Code, ...] = ()
    minus: tuple[Code, ...] = ()
    at_least_net: bool = True


class Column(Part):
    """One column of a table. `cumulates`: year to date of that column; `sum_of`: total of those columns; `signed`: its
    figures may be below zero (增/减)."""

    code: Code
    label: Label
    aliases: tuple[str, ...] = ()
    required: bool = True
    cumulates: Code | None = None
    sum_of: tuple[Code, ...] = ()
    stock: Stock | None = None
    signed: bool = False


class Block(Part):
    """A part of a form whose cells hang together by constraints; the unit that the gate holds."""

    code: Code
    label: Label
    optional: bool = False
    aliases: tuple[str, ...] = ()
    indicators: tuple[Indicator, ...] = Field(min_length=1)


class Table(Part):
    """Blocks of rows under the same columns. Tables with the same `sheet` stand one below the other on it; a table without
    one has a sheet of its own."""

    code: Code
    title: Label
    sheet: Label | None = None
    columns: tuple[Column, ...] = Field(min_length=1)
    blocks: tuple[Block, ...] = Field(min_length=1)


class Validity(Part):
    """First and last data period, both included; open-ended where `to` is None."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    first: str = Field(alias="from")
    last: str | None = Field(default=None, alias="to")

    def covers(self, period: Period) -> bool:
        """Whether `period` lies within it."""
        last = Period.parse(self.last) if self.last else None
        return Period.parse(self.first).start <= period.start and (last is None or period.end <= last.end)


class RuleTerm(Part):
    """`times` × a figure. `column`: where that is another than the rule's own; `of`: the preceding period's accepted one."""

    indicator: Code
    times: int = 1
    column: Code | None = None
    of: Literal["own", "previous"] = "own"


class FormRule(Part):
    """A rule that follows from no role: Σ times × figure `relation` 0, in each of `columns` (all own ones where empty).

    The last term is the one that the others imply. `tolerance` is in the unit of the figures. `valid` are data periods;
    always where left out.
    """

    code: str = Field(pattern=r"^[a-z][a-z0-9_.-]*$")
    title: Label
    terms: tuple[RuleTerm, ...] = Field(min_length=2)
    relation: Literal["=", "<="] = "="
    columns: tuple[Code, ...] = ()
    severity: Literal["error", "warning", "notice"] = "error"
    tolerance: float = Field(default=0, ge=0)
    valid: Validity | None = None
    message: Label | None = None
    legal: str | None = None


class AddsUp(Part):
    """The finer returns that this one is the sum of: those of `family` within its period, cell by cell where both have the
    same indicator; `columns` says which of theirs answers to one of ours (the same code where left out)."""

    family: str
    columns: dict[str, str] = Field(default_factory=dict)

    def __hash__(self) -> int:
        """A form is a key of what is compiled from it, and a mapping has no hash of its own."""
        return hash((self.family, *sorted(self.columns.items())))


@dataclass(frozen=True, slots=True)
class Cell:
    """One place of a form: (indicator, column, measure), and the integer scale it is kept in.

    A number x of the cell is kept as round(x × 10^scale). `moment`: a flow over the period, or how things stand at its
    opening or closing; over several periods flows add up, an opening is the first one's and a closing the last one's. A
    `total` has flows and such stocks among its parts, so over several periods it is the sum of them (`Form.parts_of`).
    """

    position: int
    indicator: str
    column: str
    measure: Measure
    block: str
    table: str
    scale: int
    signed: bool = False
    moment: Moment = "flow"

    @property
    def name(self) -> str:
        """Its name as a column of the wide frame, unique within the form."""
        return f"{self.indicator}|{self.column}|{self.measure}"


def _moment(item: Indicator, column: Column, stocks: Collection[str]) -> Moment:
    """`stocks`: the columns of the table that hold some."""
    if item.balance is not None and item.is_stock:
        return "opening" if item.balance.role == "opening" else "closing"
    if column.stock is not None:
        return column.stock.moment
    return "total" if any(part in stocks for part in column.sum_of) else "flow"


class Form(Part):
    """One version of a return. Read it with `schemas.formfile.load_forms`, which also checks what hangs together."""

    family: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    version: str
    title: Label
    frequency: Frequency
    valid: Validity
    legal: str | None = None
    tables: tuple[Table, ...] = Field(min_length=1)
    rules: tuple[FormRule, ...] = ()
    lists: tuple[ItemList, ...] = ()
    adds_up: AddsUp | None = None

    @property
    def key(self) -> str:
        """Family and version in one word: `bureau-monthly/2008`."""
        return f"{self.family}/{self.version}"

    def covers(self, period: Period) -> bool:
        """Whether returns for `period` are made on this version."""
        return self.valid.covers(period)

    def with_blocks(self, optional: frozenset[str]) -> Form:
        """The form as an office uses it: optional blocks left out unless named in `optional`."""
        tables = []
        for table in self.tables:
            blocks = tuple(block for block in table.blocks if not block.optional or block.code in optional)
            if blocks:
                tables.append(table.model_copy(update={"blocks": blocks}))
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        left = {block.code for table in tables for block in table.blocks}
        lists = tuple(one for one in self.lists if one.block in left)
        return type(self).model_validate({**fields, "tables": tuple(tables), "lists": lists}, by_name=True)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks, in printed order."""
        return tuple(block for table in self.tables for block in table.blocks)

    @cached_property
    def indicators(self) -> dict[str, Indicator]:
        """All indicators by code, in printed order."""
        return {item.code: item for block in self.blocks for item in block.indicators}

    @cached_property
    def block_of(self) -> dict[str, str]:
        """The block of each indicator."""
        return {item.code: block.code for block in self.blocks for item in block.indicators}

    @cached_property
    def columns(self) -> dict[str, Column]:
        """All columns by code; tables that share a code share its meaning."""
        return {column.code: column for table in self.tables for column in table.columns}

    @cached_property
    def own_columns(self) -> tuple[str, ...]:
        """The columns that hold a period's own figures, not cumulatives."""
        return tuple(code for code, column in self.columns.items() if column.cumulates is None)

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every place of the form, in one fixed order: figures by table, indicator and column, then shares."""
        cells: list[Cell] = []
        for table in self.tables:
            rows = [(block.code, item) for block in table.blocks for item in block.indicators]
            stocks = {column.code for column in table.columns if column.stock}
            for block, item in rows:
                for column in table.columns:
                    place = (item.code, column.code, item.measure)
                    moment = _moment(item, column, stocks)
                    cells.append(Cell(len(cells), *place, block, table.code, item.decimals, column.signed, moment))
            for block, item in rows:
                for breakdown in item.breakdowns:
                    if breakdown.shares is None:
                        continue
                    for part in breakdown.parts:
                        for code in breakdown.shares.columns:
                            cells.append(Cell(len(cells), part, code, "share", block, table.code, SHARE_DECIMALS))
        return tuple(cells)

    @cached_property
    def cell_at(self) -> dict[tuple[str, str, str], Cell]:
        """The cell of (indicator, column, measure)."""
        return {(cell.indicator, cell.column, cell.measure): cell for cell in self.cells}

    def figure_cell(self, indicator: str, column: str) -> Cell | None:
        """The cell that holds the indicator's own figure (not its share) in `column`, if the form has it."""
        return self.cell_at.get((indicator, column, self.indicators[indicator].measure))

    def parts_of(self, cell: Cell) -> tuple[Cell, ...]:
        """The cells of the same row that a total is the sum of; none of any other cell."""
        if cell.measure == "share":
            return ()
        parts = (self.figure_cell(cell.indicator, code) for code in self.columns[cell.column].sum_of)
        return tuple(part for part in parts if part is not None)

    @cached_property
    def headline(self) -> tuple[Cell, ...]:
        """The figures that tell a period at a glance, at most four: totals with a complete breakdown; where those are few,
        also what came in and what is left of each account. Each in its row's total, or in its first column."""
        whole = [code for code, item in self.indicators.items() if any(one.complete for one in item.breakdowns)]
        if len(whole) < _GLANCE - 1:
            ends = ("inflow", "closing")
            whole = [
                code
                for code, item in self.indicators.items()
                if code in whole or (item.balance is not None and item.balance.role in ends)
            ]
        return tuple(self._row_total(code) for code in (whole or list(self.indicators))[:_GLANCE])

    def _row_total(self, indicator: str) -> Cell:
        own = [
            cell
            for cell in self.cells
            if cell.indicator == indicator and cell.measure != "share" and self.columns[cell.column].cumulates is None
        ]
        return next((cell for cell in own if self.columns[cell.column].sum_of), own[0])

    def counting_cell(self, indicator: str) -> Cell | None:
        """The cell of an indicator that a list can count: in the first column of the period's own flows."""
        own = (self.columns[code] for code in self.own_columns)
        cells = (self.figure_cell(indicator, one.code) for one in own if not one.sum_of and one.stock is None)
        return next((cell for cell in cells if cell is not None and cell.measure == "count"), None)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the definition: what makes two uses of one version the same."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()
