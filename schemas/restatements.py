"""Restatements: an opening, a stock or a cumulative that rightly differs from what was accepted before, by a stated amount.

It is a movement of its own, beside what came and went: opening + restated = the closing before, made explicit. Not here: how
one is recorded (`warehouse.restating`), or its words on a screen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from schemas.constraints import Constraint, ConstraintTable, Kind, Relation, Source


class ReasonCode(StrEnum):
    """Why a figure is restated."""

    RECOUNT = "recount"
    EARLIER_ERROR = "earlier_error"
    MERGER = "merger"
    TRANSFER = "transfer"
    DEFINITION = "definition"

    @property
    def label_zh(self) -> str:
        """As tables and notices say it."""
        return {
            "recount": "盘点核实",
            "earlier_error": "更正前期差错",
            "merger": "机构撤并",
            "transfer": "事项划转",
            "definition": "口径调整",
        }[self.value]

    @property
    def label_en(self) -> str:
        """The same in English."""
        return {
            "recount": "recount",
            "earlier_error": "error of an earlier period",
            "merger": "bureaus merged",
            "transfer": "cases transferred",
            "definition": "counted otherwise",
        }[self.value]


@dataclass(frozen=True, slots=True)
class Restatement:
    """One that stands. `amount` is what is added to the figure that is carried over, a whole number in the cell's `scale`;
    `number` is its name."""

    number: int
    family: str
    period: str
    bureau: str
    indicator: str
    column: str
    amount: int
    scale: int
    code: ReasonCode
    reason: str
    by: str
    at: datetime


def carried(table: ConstraintTable) -> Iterator[Constraint]:
    """The rules by which a figure of the period before is carried over into their last term: what can be restated."""
    for kind in (Kind.OPENING, Kind.YEAR_TO_DATE, Kind.STOCK):
        for rule in table.of_kind(kind):
            if rule.relation is Relation.EQUAL and any(term.source is Source.PREVIOUS for term in rule.terms):
                yield rule


def balances(table: ConstraintTable, rule: Constraint) -> Iterator[Constraint]:
    """The balances of a year to date to which an opening belongs that was restated by way of `rule` within the year: their own
    opening is January's, so that what was restated since stands beside what came and went."""
    form, opening = table.form, rule.terms[-1].cell
    if rule.kind is not Kind.OPENING:
        return
    account = form.indicators[opening.indicator].balance
    for balance in table.of_kind(Kind.BALANCE):
        column = form.columns[balance.column]
        if column.cumulates == rule.column and account is not None and balance.code == f"balance:{account.account}":
            yield balance


def looked_up(rule: Constraint) -> str:
    """The column of the wide frame that holds the figure which a rule of `carried` carries over."""
    return next(term.name for term in rule.terms if term.source is Source.PREVIOUS)
