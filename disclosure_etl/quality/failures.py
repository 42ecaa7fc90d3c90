"""From the masks of a period to its failures: one a place, with figures as written, difference, impact and words.

Work is done per failing place; what holds costs nothing here. Not here: judging (`judging`), the words (`messages`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import pandas as pd

from disclosure_etl.quality import messages
from disclosure_etl.quality.messages import Facts, Named
from schemas import kernels
from schemas.batches import blank_required
from schemas.constraints import Constraint, ConstraintTable, Kind, ShareGroup, Term
from schemas.errors import Message
from schemas.forms import SHARE_DECIMALS, Cell, Form
from schemas.kernels import Diagnosis, Outcome
from schemas.records import NO_DECIMALS, Batch, Failure, Finding, History, Severity, Submission, failure_id
from schemas.values import Trouble, figure_text

_SHARE_SEVERITY = {
    Diagnosis.ADJUSTED: Severity.NOTICE,
    Diagnosis.OTHER_TOTAL: Severity.WARNING,
    Diagnosis.TRUNCATED: Severity.WARNING,
    Diagnosis.UNATTAINABLE: Severity.ERROR,
    Diagnosis.WRONG: Severity.ERROR,
}


@dataclass(frozen=True, slots=True)
class _Told:
    """What a rule says of one place, apart from where that is."""

    rule: str
    kind: Kind
    severity: Severity
    message: Message
    indicators: tuple[str, ...]
    legal: str | None = None
    expected: str | None = None
    difference: str | None = None
    diagnosis: str | None = None
    impact: float | None = None


@dataclass
class FailureBuilder:
    """Builds the failures of one judged batch. `totals` are sums over all bureaus by frame column, for the impact;
    None where there is no consolidation to have an impact on."""

    batch: Batch
    frame: pd.DataFrame
    history: History
    table: ConstraintTable
    outcomes: dict[Kind, Outcome]
    totals: Mapping[str, int] | None

    def build(self) -> dict[int, list[Failure]]:
        """All failures by row of the batch, in the order of kinds."""
        found: dict[int, list[Failure]] = {}
        for row, failure in self._all():
            found.setdefault(row, []).append(failure)
        for row, failures in found.items():
            found[row] = _attached(failures)
        return found

    def _all(self) -> Iterator[tuple[int, Failure]]:
        for kind, outcome in self.outcomes.items():
            if not outcome.fails.any():
                continue
            rows, places = np.nonzero(outcome.fails)
            differences = outcome.difference[rows, places].tolist()
            where = list(zip(rows.tolist(), places.tolist(), differences, strict=True))
            match kind:
                case Kind.READING:
                    shares, others = self._uncalculated_shares_apart(where)
                    yield from self._cellwise(kind, others, list(self._form.cells))
                    yield from self._uncalculated_shares(shares)
                case Kind.NEGATIVE:
                    yield from self._cellwise(kind, where, list(self._form.cells))
                case Kind.REQUIRED:
                    yield from self._cellwise(kind, where, [self._form.cells[at] for at in blank_required(self._form)])
                case Kind.SHARE:
                    yield from self._shares(rows, places, differences)
                case Kind.SHARE_COLUMN:
                    yield from self._share_columns(where)
                case _:
                    yield from self._linear(self.table.of_kind(kind), where)

    @property
    def _form(self) -> Form:
        return self.batch.form

    def _named(self, one: Submission, cell: Cell) -> Named:
        label = self._form.indicators[cell.indicator].label
        text = one.texts[cell.position]
        if not text and one.nil and one.decimals[cell.position] != NO_DECIMALS:  # what a nil return stands for
            text = figure_text(one.numbers[cell.position], cell.scale)
        return Named(label.zh, label.en, text, one.locators[cell.position])

    def _term(self, one: Submission, row: int, term: Term) -> Named:
        named = self._named(one, term.cell)
        if not term.previous:
            return named
        values, known = self.history.previous[term.cell.name]
        text = figure_text(int(values[row]), term.cell.scale) if known[row] else ""
        return Named(named.zh, named.en, text, "", previous=True)

    def _impact(self, difference: int, total: Cell) -> float | None:
        if self.totals is None:
            return None
        whole = abs(self.totals.get(total.name, 0)) or abs(difference)
        return round(abs(difference) / whole, 6) if whole else 0.0

    def _failure(self, row: int, cell: Cell, figures: list[Named], told: _Told) -> tuple[int, Failure]:
        one = self.batch.submissions[row]
        cells = tuple(figure.cell for figure in figures if figure.cell)
        return row, Failure(
            id=failure_id(told.rule, one.bureau, one.period, cell.column, cells),
            rule=told.rule,
            kind=told.kind,
            severity=told.severity,
            block=cell.block,
            indicators=told.indicators,
            column=cell.column,
            cells=cells,
            seen=tuple(figure.text for figure in figures),
            expected=told.expected,
            difference=told.difference,
            diagnosis=told.diagnosis,
            impact=told.impact,
            legal=told.legal,
            message=told.message,
        )

    def _linear(
        self, rules: tuple[Constraint, ...], where: list[tuple[int, int, int]]
    ) -> Iterator[tuple[int, Failure]]:
        for row, place, difference in where:
            rule = rules[place]
            one = self.batch.submissions[row]
            figures = [self._term(one, row, term) for term in rule.terms]
            last = rule.terms[-1]
            scale = last.cell.scale
            if rule.kind is Kind.SUBSET:
                expected = figures[-1].text
            else:
                number = int(self.batch.numbers[row, last.cell.position])
                expected = figure_text(number - difference * last.coefficient, scale)
            column = self._form.columns[rule.column].label
            facts = Facts(figures, column.zh, column.en, expected, figure_text(difference, scale))
            told = _Told(
                rule.code, rule.kind, rule.severity, messages.rule_message(rule.kind, facts),
                tuple(dict.fromkeys(term.cell.indicator for term in rule.terms)), rule.legal,
                expected=expected, difference=facts.difference, impact=self._impact(difference, last.cell),
            )  # fmt: skip
            yield self._failure(row, last.cell, figures, told)

    def _uncalculated_shares_apart(
        self, where: list[tuple[int, int, int]]
    ) -> tuple[set[tuple[int, int]], list[tuple[int, int, int]]]:
        shares: set[tuple[int, int]] = set()
        others = []
        for row, place, difference in where:
            trouble = self.batch.submissions[row].troubles[place]
            if trouble == Trouble.UNCALCULATED and self._form.cells[place].measure == "share":
                shares.add((row, place))
            else:
                others.append((row, place, difference))
        return shares, others

    def _uncalculated_shares(self, found: set[tuple[int, int]]) -> Iterator[tuple[int, Failure]]:
        """A program that fills in a workbook leaves all its share formulas uncalculated: told once a column of shares."""
        for row in sorted({row for row, _ in found}):
            one = self.batch.submissions[row]
            for group in self.table.shares:
                figures = [self._named(one, cell) for cell in group.shares if (row, cell.position) in found]
                if figures:
                    label, column = self._form.indicators[group.total.indicator].label, self._form.columns[group.column]
                    told = _Told(
                        f"{Kind.READING}:{Trouble.UNCALCULATED.code}", Kind.READING, Severity.WARNING,
                        messages.uncalculated_shares_message(label, column.label, figures), (group.total.indicator,),
                    )  # fmt: skip
                    yield self._failure(row, group.shares[0], figures, told)

    def _cellwise(
        self, kind: Kind, where: list[tuple[int, int, int]], cells: list[Cell]
    ) -> Iterator[tuple[int, Failure]]:
        for row, place, _ in where:
            cell = cells[place]
            one = self.batch.submissions[row]
            named = self._named(one, cell)
            indicator, column = self._form.indicators[cell.indicator], self._form.columns[cell.column].label
            severity, code, expected = Severity.ERROR, f"{kind}:{cell.indicator}", None
            if cell.measure == "share":
                named = replace(named, zh=f"{named.zh}占比", en=f"share of {named.en}")
            if kind is Kind.READING:
                trouble = Trouble(one.troubles[cell.position])
                code = f"{kind}:{trouble.code}"
                # A share is only checked, never loaded, and what is shown is a figure: neither may hold a block.
                if cell.measure == "share" or trouble is Trouble.DISPLAY_DIFFERS:
                    severity = Severity.WARNING
                unit, decimals = (
                    ("%", SHARE_DECIMALS) if cell.measure == "share" else (indicator.unit, indicator.decimals)
                )
                message = messages.reading_message(trouble, named, column.zh, column.en, unit, decimals)
            elif kind is Kind.REQUIRED:
                message = messages.required_message(named, column.zh, column.en)
            else:
                expected = "0"
                message = messages.negative_message(named, column.zh, column.en)
            told = _Told(code, kind, severity, message, (cell.indicator,), indicator.legal, expected=expected)
            yield self._failure(row, cell, [named], told)

    def _shares(self, rows: np.ndarray, places: np.ndarray, differences: list[int]) -> Iterator[tuple[int, Failure]]:
        start = 0
        difference = np.array(differences)
        for group in self.table.shares:
            mine = (places >= start) & (places < start + len(group.parts))
            at_rows, at_parts = rows[mine], places[mine] - start
            start += len(group.parts)
            if not len(at_rows):
                continue
            codes, others = kernels.diagnose_shares(self.frame, group, at_rows, at_parts)
            for row, part, off, code, other in zip(
                at_rows.tolist(), at_parts.tolist(), difference[mine].tolist(), codes, others, strict=True
            ):
                yield self._share(row, group, part, off, code, other)

    def _share(
        self, row: int, group: ShareGroup, part: int, off: int, diagnosis: str, other: int | None
    ) -> tuple[int, Failure]:
        one = self.batch.submissions[row]
        share = group.shares[part]
        places = max(one.decimals[cell.position] for cell in group.shares if one.decimals[cell.position] != NO_DECIMALS)
        figures = [self._named(one, cell) for cell in (group.parts[part], group.total, share)]
        printed = int(self.batch.numbers[row, share.position])
        true_share = Decimal(printed - off).scaleb(-SHARE_DECIMALS)
        expected = str(round(true_share, min(places, SHARE_DECIMALS)))
        column = self._form.columns[group.column].label
        total_text = figure_text(other, group.total.scale) if other is not None else None
        facts = Facts(figures, column.zh, column.en, expected, figure_text(off, SHARE_DECIMALS))
        told = _Told(
            group.code, Kind.SHARE, _SHARE_SEVERITY[diagnosis], messages.share_message(diagnosis, facts, total_text),
            (group.parts[part].indicator, group.total.indicator), group.legal,
            expected=expected, difference=facts.difference, impact=0.0 if self.totals is not None else None,
            diagnosis=f"{diagnosis}:{total_text}" if total_text else diagnosis,
        )  # fmt: skip
        return self._failure(row, share, figures, told)

    def _share_columns(self, where: list[tuple[int, int, int]]) -> Iterator[tuple[int, Failure]]:
        groups = [group for group in self.table.shares if group.complete]
        for row, place, off in where:
            group = groups[place]
            one = self.batch.submissions[row]
            figures = [self._named(one, cell) for cell in group.shares]
            column = self._form.columns[group.column].label
            total = figure_text(off + 10 ** (2 + SHARE_DECIMALS), SHARE_DECIMALS)
            facts = Facts(figures, column.zh, column.en, total, figure_text(off, SHARE_DECIMALS))
            told = _Told(
                group.column_code, Kind.SHARE_COLUMN, Severity.ERROR, messages.rule_message(Kind.SHARE_COLUMN, facts),
                (group.total.indicator, *(cell.indicator for cell in group.parts)), group.legal,
                expected="100", difference=facts.difference, impact=0.0 if self.totals is not None else None,
            )  # fmt: skip
            yield self._failure(row, group.shares[0], figures, told)


def _attached(failures: list[Failure]) -> list[Failure]:
    """Attach what another failure already implies: a column of shares is off because its parts are, or its shares."""
    causes: dict[tuple[str, str | None], str] = {}
    for failure in failures:
        if failure.kind in (Kind.BREAKDOWN, Kind.SHARE):
            causes.setdefault((failure.rule.split(":", 1)[1], failure.column), failure.id)
    return [
        replace(failure, implied_by=causes[(failure.rule.split(":", 1)[1], failure.column)])
        if failure.kind == Kind.SHARE_COLUMN and (failure.rule.split(":", 1)[1], failure.column) in causes
        else failure
        for failure in failures
    ]


def finding_failure(one: Submission, finding: Finding) -> Failure:
    """A finding about the return as a whole, as the failure that holds it."""
    return Failure(
        id=failure_id(
            finding.code, one.bureau or one.bureau_written, one.period, None, (*finding.cells, *finding.seen)
        ),
        rule=finding.code,
        kind=finding.code.split(":")[0],
        severity=finding.severity,
        block=None,
        indicators=(),
        column=None,
        cells=finding.cells,
        seen=finding.seen,
        expected=finding.expected,
        difference=None,
        diagnosis=None,
        impact=None,
        legal=None,
        message=finding.message,
    )
