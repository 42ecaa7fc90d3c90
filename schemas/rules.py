"""The rules in force for a form and a period: what its roles give, as an office has changed it (config/rules.yaml).

Severity, tolerance and thresholds may be changed per form and bureau, for a time, with a reason; rules may be added. All of
it has one version, a hash, that is stored with every result. Not here: what follows from roles (`compiling`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.compiling import compile_table
from schemas.constraints import Constraint, ConstraintTable, Kind
from schemas.errors import ProgramError
from schemas.forms import Form, FormRule
from schemas.periods import Period
from schemas.records import Severity
from schemas.trends import TrendThresholds

KERNELS = 4  # raised when the same definitions come to be judged otherwise: it is part of a rule set's version

OFF = "off"
Level = Literal["error", "warning", "notice", "off"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Review(_Part):
    """What a steward has to look at: warnings with an impact below `impact_below` (a share of the consolidated figure)
    become notices."""

    impact_below: float = Field(default=0.0001, ge=0, le=1)


class Trends(_Part):
    """The thresholds of what is looked at over time; see `schemas.trends.TrendThresholds`."""

    false_alarms: float = Field(default=1.0, gt=0)
    least_history: int = Field(default=3, ge=2, le=6)
    least_change: float = Field(default=1.5, ge=1)
    least_difference: float = Field(default=5, ge=0)
    zero_peers: int = Field(default=8, ge=2)
    zero_share: float = Field(default=0.9, gt=0.5, le=1)
    zero_median: float = Field(default=10, gt=0)
    copy_figures: int = Field(default=5, ge=1)


class Thresholds(_Part):
    """Thresholds that differ for a bureau."""

    least_change: float | None = Field(default=None, ge=1)
    least_difference: float | None = Field(default=None, ge=0)
    zero_median: float | None = Field(default=None, gt=0)
    copy_figures: int | None = Field(default=None, ge=1)


class Override(_Part):
    """A change to one rule (its code, or `kind:*` for all of a kind), with why. Data periods from … to, both included."""

    rule: str
    form: str | None = None
    bureau: str | None = None
    severity: Level | None = None
    tolerance: float | None = Field(default=None, ge=0)
    thresholds: Thresholds | None = None
    first: str | None = Field(default=None, alias="from")
    last: str | None = Field(default=None, alias="to")
    reason: str = Field(min_length=2)

    @model_validator(mode="after")
    def _changes_something(self) -> Override:
        if self.severity is None and self.tolerance is None and self.thresholds is None:
            raise ValueError("severity, tolerance or thresholds expected")
        return self

    def concerns(self, form: Form, period: Period) -> bool:
        """Whether it is about this form, and in force for this period."""
        if self.form not in (None, form.family, form.key):
            return False
        begun = self.first is None or Period.parse(self.first).start <= period.start
        return begun and (self.last is None or period.end <= Period.parse(self.last).end)

    def is_about(self, code: str, kind: str) -> bool:
        """Whether the rule `code`, of this kind, is among those that it changes."""
        return self.rule in (code, f"{kind}:*")


class OfficeRule(FormRule):
    """A rule that an office adds to a form: a family, or family/version."""

    form: str


class RuleSettings(_Part):
    """The content of rules.yaml."""

    review: Review = Review()
    trends: Trends = Trends()
    overrides: tuple[Override, ...] = ()
    rules: tuple[OfficeRule, ...] = ()

    def added(self, form: Form) -> tuple[FormRule, ...]:
        """The office's own rules for a form."""
        return tuple(rule for rule in self.rules if rule.form in (form.family, form.key))

    def joined(self, candidate: RuleSettings) -> RuleSettings:
        """These with the rules and changes of `candidate` added, and its thresholds where it has some."""
        given = candidate.model_fields_set
        return RuleSettings(
            review=candidate.review if "review" in given else self.review,
            trends=candidate.trends if "trends" in given else self.trends,
            overrides=(*self.overrides, *candidate.overrides),
            rules=(*self.rules, *candidate.rules),
        )


@dataclass(frozen=True)
class RuleSet:
    """The rules of one form for one period, as in force.

    `table` has them with the changes that hold for every bureau; those for single bureaus are asked for by rule and
    bureau. `judged_as`: the period whose rules these are, where that is another than the one that is judged.
    """

    form: Form
    period: Period
    settings: RuleSettings
    judged_as: Period
    table: ConstraintTable = field(compare=False)

    @cached_property
    def version(self) -> str:
        """SHA-256 of everything that decides a verdict: form, settings, kernels."""
        content = {
            "kernels": KERNELS,
            "form": self.form.digest,
            "settings": self.settings.model_dump(mode="json", by_alias=True),
            "as": self.judged_as.code if self.judged_as != self.period else None,
        }
        return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()

    @cached_property
    def overrides(self) -> tuple[Override, ...]:
        """The office's changes that concern this form and are in force for the period whose rules these are."""
        return tuple(one for one in self.settings.overrides if one.concerns(self.form, self.judged_as))

    @cached_property
    def has_overrides(self) -> bool:
        """Whether anything was changed at all: nearly always not, and then nobody need ask."""
        return bool(self.overrides)

    @cached_property
    def _kinds(self) -> dict[str, str]:
        return {row.code: row.kind.value for row in self.table.constraints}

    def kind_of(self, code: str) -> str:
        """The kind of a rule. A linear one's is not in its code: parts of an open breakdown are bounded as subsets are."""
        return self._kinds.get(code) or code.partition(":")[0]

    def severity(self, code: str, bureau: str | None, own: Severity) -> Severity | None:
        """The severity of a rule at a bureau; None where it is switched off. A bureau's own change goes before one for all,
        a later one before an earlier."""
        if not self.overrides:
            return own
        kind = self.kind_of(code)
        found: tuple[bool, int] | None = None
        level: str = own.value
        for number, one in enumerate(self.overrides):
            if one.severity is None or one.bureau not in (None, bureau) or not one.is_about(code, kind):
                continue
            rank = (one.bureau is not None, number)
            if found is None or rank > found:
                found, level = rank, one.severity
        return None if level == OFF else Severity(level)

    def slack(self, bureaus: Sequence[str | None]) -> Mapping[str, np.ndarray]:
        """By rule code, one a bureau: the tolerances of linear rules that differ at some of them, in the figures' scale."""
        changed: dict[str, np.ndarray] = {}
        for one in self.overrides:
            if one.tolerance is None or one.bureau is None:
                continue
            for rule in self.table.constraints:
                if one.is_about(rule.code, rule.kind):
                    values = changed.setdefault(rule.code, np.full(len(bureaus), rule.tolerance, np.int64))
                    values[[bureau == one.bureau for bureau in bureaus]] = _scaled(one.tolerance, rule)
        return changed

    def thresholds(self, kind: Kind, bureaus: Sequence[str | None]) -> TrendThresholds:
        """The thresholds of a kind of trends, by row where bureaus differ; a bureau's own go before those for all."""
        trends = self.settings.trends.model_dump()
        for one in sorted(self.overrides, key=lambda one: one.bureau is not None):
            if one.thresholds is None or not one.is_about(kind, kind):
                continue
            for name, value in one.thresholds.model_dump(exclude_none=True).items():
                if one.bureau is None:
                    trends[name] = value
                else:
                    mine = np.array([bureau == one.bureau for bureau in bureaus], dtype=bool)
                    trends[name] = np.where(mine, value, trends[name])
        return TrendThresholds(**trends)


def rule_set(form: Form, period: Period, settings: RuleSettings, judged_as: Period | None = None) -> RuleSet:
    """The rules in force for `period`; those of another period (today's) where `judged_as` names one.

    Raises:
        ProgramError: the form does not cover the period: a period without rules is an error, never a pass.
    """
    if not form.covers(period):
        raise ProgramError(f"form {form.key} has no rules for {period}")
    dated = judged_as or period
    stated = tuple(
        rule for rule in (*form.rules, *settings.added(form)) if rule.valid is None or rule.valid.covers(dated)
    )
    table = compile_table(form, period.opens_year, stated)
    bare = RuleSet(form, period, settings, dated, table)
    if not bare.has_overrides:
        return bare
    return replace(bare, table=_changed(table, settings, form, dated))


def _changed(table: ConstraintTable, settings: RuleSettings, form: Form, dated: Period) -> ConstraintTable:
    """The table with the tolerances that are changed for every bureau."""
    general = [
        one
        for one in settings.overrides
        if one.bureau is None and one.tolerance is not None and one.concerns(form, dated)
    ]
    rows = []
    for row in table.constraints:
        tolerances = [
            one.tolerance for one in general if one.tolerance is not None and one.is_about(row.code, row.kind)
        ]
        rows.append(replace(row, tolerance=_scaled(tolerances[-1], row)) if tolerances else row)
    return replace(table, constraints=tuple(rows))


def _scaled(tolerance: float, rule: Constraint) -> int:
    return int(Decimal(str(tolerance)).scaleb(rule.terms[-1].cell.scale))


def period_of_day(day: date, form: Form) -> Period:
    """The period of a form in which `day` lies: whose rules are today's."""
    return Period.of_day(day, form.frequency)
