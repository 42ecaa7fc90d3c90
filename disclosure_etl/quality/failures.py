"""From the masks of a period to its failures: one a place, with figures as written, difference, impact and words.

Work is done per failing place; what holds costs nothing here. Not here: judging (`judging`), the words (`messages`), which
failures have one cause (`cases`), failures of shares (`share_failures`) and of what several took over (`bridges`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from disclosure_etl.quality import messages
from disclosure_etl.quality.messages import Facts, Named
from schemas.batches import Verdicts, cells_of
from schemas.constraints import CELLWISE, TRENDS, Constraint, Kind, Source, Term
from schemas.errors import Message
from schemas.forms import SHARE_DECIMALS, Cell, Form
from schemas.kernels import Columns
from schemas.records import NO_DECIMALS, Batch, Bridge, Failure, Finding, History, Severity, Submission, failure_id
from schemas.rules import RuleSet
from schemas.trends import RECENT
from schemas.values import UNKNOWN, Trouble, figure_text

_WHOSE = {
    Source.PREVIOUS: Message("上期", "preceding"),
    Source.PERIODS: Message("各期合计", "the periods'"),
    Source.UNITS: Message("下属单位", "the units'"),
    Source.PREDECESSORS: Message("前身单位上期", "the predecessors' preceding"),
    Source.SIBLINGS: Message("其他承接单位", "the other successors'"),
}


class Found(NamedTuple):
    """A failure with the place that it was found at: its kind, and the rule's position and difference within it."""

    row: int
    failure: Failure
    place: int = -1
    difference: int = 0


@dataclass(frozen=True, slots=True)
class Told:
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
class Places:
    """What failures are told of: the batch, its rules, and what they were judged by.

    `totals` are sums over all bureaus by cell name, for the impact; None where there is no consolidation to have one on.
    """

    batch: Batch
    columns: Columns
    history: History
    rules: RuleSet
    verdicts: Verdicts
    totals: Mapping[str, int] | None

    def __post_init__(self) -> None:
        form = self.form
        self._labels = {code: item.label for code, item in form.indicators.items()}
        self._column_labels = {code: Message(column.label.zh, column.label.en) for code, column in form.columns.items()}

    @property
    def form(self) -> Form:
        """The form of the batch."""
        return self.batch.form

    def column_label(self, code: str) -> Message:
        """The label of a column."""
        return self._column_labels[code]

    def named(self, one: Submission, cell: Cell, among: Message | None = None) -> Named:
        """A cell of a submission, as messages tell it; `among` is its name in a list, if not its label."""
        label = self._labels[cell.indicator]
        text = one.texts[cell.position]
        if not text and one.nil and one.decimals[cell.position] != NO_DECIMALS:  # what a nil return stands for
            text = figure_text(one.numbers[cell.position], cell.scale)
        return Named(label.zh, label.en, text, one.locators[cell.position], None, among)

    def term(self, one: Submission, row: int, term: Term, among: Message | None = None) -> Named:
        """A term of a rule, as messages tell it."""
        if term.source is Source.OWN:
            return self.named(one, term.cell, among)
        label = self._labels[term.cell.indicator]
        looked_up = self.history.figures.get(term.name)
        value = UNKNOWN if looked_up is None else int(looked_up[row])
        text = "" if value == UNKNOWN else figure_text(value, term.cell.scale)
        return Named(label.zh, label.en, text, "", self._whose(one, term.source), among)

    def _whose(self, one: Submission, source: Source) -> Message:
        bridge = self.bridge(one)
        if source is not Source.PREVIOUS or bridge is None:
            return _WHOSE[source]
        names = bridge.predecessors
        return Message(f"前身单位({names.zh})上期", f"the predecessors' ({names.en}) preceding")

    def bridge(self, one: Submission) -> Bridge | None:
        """Whose balances its bureau begins the period with, where not its own alone."""
        return self.history.bridges.get(one.bureau) if one.bureau else None

    def terms(self, one: Submission, row: int, terms: Sequence[Term]) -> list[Named]:
        """The terms of a rule; where they are of several columns, each with its column's name in a list of them."""
        if len({term.cell.column for term in terms}) == 1:
            return [self.term(one, row, term) for term in terms]
        same = len({term.cell.indicator for term in terms}) == 1
        return [self.term(one, row, term, self._among(term.cell, same)) for term in terms]

    def _among(self, cell: Cell, same: bool) -> Message:
        """The name of a cell in a list of several columns, of one and the same indicator or of several."""
        label, column = self._labels[cell.indicator], self._column_labels[cell.column]
        return column if same else Message(f"{label.zh}·{column.zh}", f"{label.en} ({column.en})")

    def impact(self, difference: int, total: Cell) -> float | None:
        """|difference| ÷ the consolidated figure."""
        if self.totals is None:
            return None
        whole = abs(self.totals.get(total.name, 0)) or abs(difference)
        return abs(difference) / whole if whole else 0.0

    def failure(self, row: int, cell: Cell, figures: Sequence[Named], told: Told) -> Failure:
        """The failure of a rule at a place."""
        one = self.batch.submissions[row]
        cells = tuple(figure.cell for figure in figures if figure.cell)
        return Failure(
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


def found_failures(places: Places) -> Iterator[Found]:
    """Every failing place but those of shares and of what several took over, in the order of kinds."""
    for kind, outcome in places.verdicts.outcomes.items():
        if not outcome.fails.any():
            continue
        rows, at = np.nonzero(outcome.fails)
        where = list(zip(rows.tolist(), at.tolist(), outcome.difference[rows, at].tolist(), strict=True))
        if kind in CELLWISE:
            yield from _cellwise(places, kind, where)
        elif kind in TRENDS:
            yield from _trends(places, kind, where)
        elif kind is not Kind.BRIDGE and (rules := places.rules.table.of_kind(kind)):
            yield from _linear(places, rules, where)


def _linear(places: Places, rules: Sequence[Constraint], where: Sequence[tuple[int, int, int]]) -> Iterator[Found]:
    numbers, submissions = places.batch.numbers, places.batch.submissions
    for row, at, difference in where:
        rule = rules[at]
        one = submissions[row]
        figures = places.terms(one, row, rule.terms)
        last = rule.terms[-1]
        scale = last.cell.scale
        if rule.kind is Kind.SUBSET:
            expected = figures[-1].text
        else:
            # What the last figure would have to be; by a bound, at least or at most.
            number = int(numbers[row, last.cell.position])
            expected = figure_text(number - difference // last.coefficient, scale)
        facts = Facts(
            figures, places.column_label(rule.column), expected, figure_text(difference, scale), title=rule.title
        )
        severity = rule.severity
        if rule.kind is Kind.PERIODS and places.history.periods_final:
            severity = Severity.NOTICE  # final figures against provisional ones: they may differ, and it is only noted
        message = messages.filled(rule.message or messages.RULES[rule.kind], facts)
        if rule.kind is Kind.OPENING and (bridge := places.bridge(one)) is not None:
            message = messages.bridged_message(messages.OPENING_BRIDGED, facts, bridge.predecessors)
        told = Told(
            rule.code, rule.kind, severity, message,
            tuple(dict.fromkeys(term.cell.indicator for term in rule.terms)), rule.legal,
            expected=expected, difference=facts.difference, impact=places.impact(difference, last.cell),
        )  # fmt: skip
        yield Found(row, places.failure(row, last.cell, figures, told), at, difference)


def _cellwise(places: Places, kind: Kind, where: Sequence[tuple[int, int, int]]) -> Iterator[Found]:
    form = places.form
    cells = [form.cells[position] for position in cells_of(kind, form)]
    uncalculated: dict[int, set[int]] = {}
    for row, at, _ in where:
        cell = cells[at]
        one = places.batch.submissions[row]
        trouble = Trouble(one.troubles[cell.position])
        if kind is Kind.READING and trouble is Trouble.UNCALCULATED and cell.measure == "share":
            uncalculated.setdefault(row, set()).add(cell.position)
            continue
        yield Found(row, _cell_failure(places, kind, row, cell, trouble))
    yield from _uncalculated_shares(places, uncalculated)


def _cell_failure(places: Places, kind: Kind, row: int, cell: Cell, trouble: Trouble) -> Failure:
    named = places.named(places.batch.submissions[row], cell)
    indicator, severity = places.form.indicators[cell.indicator], Severity.ERROR
    code, expected = f"{kind}:{cell.indicator}", None
    if cell.measure == "share":
        named = replace(named, zh=f"{named.zh}占比", en=f"share of {named.en}")
    facts = Facts([named], places.column_label(cell.column))
    if kind is Kind.READING:
        code = f"{kind}:{trouble.code}"
        # A share is only checked, never loaded, and what is shown is a figure: neither may hold a block.
        if cell.measure == "share" or trouble.is_only_told:
            severity = Severity.WARNING
        unit, decimals = ("%", SHARE_DECIMALS) if cell.measure == "share" else (indicator.unit, indicator.decimals)
        message = messages.reading_message(trouble, facts, unit, decimals)
    elif kind is Kind.REQUIRED:
        message = messages.required_message(facts, _not_found(places, row, cell))
    else:
        expected = "0"
        message = messages.filled(messages.NEGATIVE, facts)
    told = Told(code, kind, severity, message, (cell.indicator,), indicator.legal, expected=expected)
    return places.failure(row, cell, [named], told)


def _not_found(places: Places, row: int, cell: Cell) -> str | None:
    """What the file lacks of a cell's place: its row, its column, or both; None where the place is there."""
    locators = places.batch.submissions[row].locators
    if locators[cell.position]:
        return None
    others = [one for one in places.form.cells if locators[one.position] and one.measure != "share"]
    if any(one.indicator == cell.indicator for one in others):
        return "column"
    return "row" if any((one.table, one.column) == (cell.table, cell.column) for one in others) else "table"


def _uncalculated_shares(places: Places, found: Mapping[int, set[int]]) -> Iterator[Found]:
    """A program that fills in a workbook leaves all its share formulas uncalculated: told once a column of shares."""
    for row, positions in found.items():
        one = places.batch.submissions[row]
        for group in places.rules.table.shares:
            figures = [places.named(one, cell) for cell in group.shares if cell.position in positions]
            if not figures:
                continue
            label = places.form.indicators[group.total.indicator].label
            facts = Facts(figures, places.column_label(group.column))
            told = Told(
                f"{Kind.READING}:{Trouble.UNCALCULATED.code}", Kind.READING, Severity.WARNING,
                messages.uncalculated_shares_message(Message(label.zh, label.en), facts), (group.total.indicator,),
            )  # fmt: skip
            yield Found(row, places.failure(row, group.shares[0], figures, told))


def _trends(places: Places, kind: Kind, where: Sequence[tuple[int, int, int]]) -> Iterator[Found]:
    watched, norms = places.rules.table.watched, places.verdicts.norms
    assert norms is not None
    nil: dict[int, list[Cell]] = {}
    for row, at, difference in where:
        one = places.batch.submissions[row]
        if kind is Kind.COPY:
            yield Found(row, _copy(places, row))
            continue
        cell = watched[at]
        if kind is Kind.ZERO and one.nil:
            nil.setdefault(row, []).append(cell)
            continue
        named = places.named(one, cell)
        if kind is Kind.ZERO:
            expected = None
            more = {"share": f"{norms.positive[at]:.0%}", "median": f"{norms.median[at]:g}"}
        else:
            expected = f"{float(places.verdicts.expected[kind][row, at]):.0f}"
            more = {"recent": str(RECENT)}
        facts = Facts(
            [named], places.column_label(cell.column), expected, figure_text(difference, cell.scale), more=more
        )
        told = Told(
            str(kind), kind, Severity.WARNING, messages.filled(messages.RULES[kind], facts), (cell.indicator,),
            expected=expected, difference=facts.difference, impact=places.impact(difference, cell),
        )  # fmt: skip
        yield Found(row, places.failure(row, cell, [named], told), difference=difference)
    for row, cells in nil.items():
        yield Found(row, _nil_among_peers(places, row, cells))


def _nil_among_peers(places: Places, row: int, cells: Sequence[Cell]) -> Failure:
    """A nil return where others have much of several things: one oddity, and not one a figure."""
    figures = [places.named(places.batch.submissions[row], cell) for cell in cells]
    labels = Message("、".join(one.zh for one in figures), ", ".join(one.en for one in figures))
    told = Told(
        str(Kind.ZERO), Kind.ZERO, Severity.WARNING, messages.nil_among_peers_message(labels),
        tuple(dict.fromkeys(cell.indicator for cell in cells)),
    )  # fmt: skip
    return replace(places.failure(row, cells[0], figures, told), block=None, column=None)


def _copy(places: Places, row: int) -> Failure:
    """A whole return that repeats the last one: no block of its own is in doubt more than another."""
    one = places.batch.submissions[row]
    cells = [cell for cell in places.rules.table.watched if one.numbers[cell.position]]
    figures = [places.named(one, cell) for cell in cells]
    facts = Facts(figures, Message("", ""), more={"count": str(len(cells))})
    told = Told(
        str(Kind.COPY), Kind.COPY, Severity.WARNING, messages.filled(messages.RULES[Kind.COPY], facts),
        tuple(dict.fromkeys(cell.indicator for cell in cells)),
    )  # fmt: skip
    return replace(places.failure(row, cells[0], figures, told), block=None, column=None)


def finding_failure(one: Submission, finding: Finding) -> Failure:
    """A finding about the return, as the failure that holds it, or the part of it that it is about."""
    return Failure(
        id=failure_id(
            finding.code, one.bureau or one.bureau_written, one.period, finding.column, (*finding.cells, *finding.seen)
        ),
        rule=finding.code,
        kind=finding.code.split(":")[0],
        severity=finding.severity,
        block=finding.block,
        indicators=finding.indicators,
        column=finding.column,
        cells=finding.cells,
        seen=finding.seen,
        expected=finding.expected,
        difference=None,
        diagnosis=None,
        impact=None,
        legal=None,
        message=finding.message,
    )
