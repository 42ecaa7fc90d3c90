"""Judge the structure that a text or a foreign table shows, by the kernels that judge forms: an ad-hoc constraint table over
ad-hoc cells, in a frame of one row.

Not here: reading the structure (`disclosure_etl.intake`), the words (`messages`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd

from disclosure_etl.quality import messages
from disclosure_etl.quality.messages import Facts, Named
from disclosure_etl.quality.share_failures import SEVERITY
from schemas import kernels
from schemas.constraints import Constraint, Kind, Relation, ShareGroup, Term
from schemas.errors import Message
from schemas.forms import SHARE_DECIMALS, Cell
from schemas.kernels import Columns, Diagnosis
from schemas.records import Failure, Severity, failure_id
from schemas.structures import Comparison, ShareList, Stated, Structure, Tie
from schemas.values import LARGEST, UNKNOWN, figure_text

SHARE, SHARE_COLUMN, DIFFERS = "text:share", "text:share-column", "text:differs"
BLOCK = "text"
_HERE = Message("(文中)", "as written")
_MOST_DECIMALS = 6
_ALTERNATIVES = 3  # other totals that a share may have been taken of: those stated nearest
_SEVERITY = {"text:repeated": Severity.WARNING, DIFFERS: Severity.WARNING}
_ROW = np.zeros(1, np.int64)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One tie, share or comparison as judged: `holds` is None where it cannot be assessed. `relation`: =, <= or share; `times`
    are the coefficients (empty for a share, whose cells are part, total, share)."""

    rule: str
    relation: str
    cells: tuple[str, ...]
    times: tuple[int, ...]
    holds: bool | None


@dataclass(frozen=True)
class StructureJudged:
    """The verdict of a structure: every relation, and those that fail as failures."""

    structure: Structure
    verdicts: tuple[Verdict, ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def not_assessable(self) -> tuple[tuple[str, str | None], ...]:
        """The (rule, no column) of what could not be assessed."""
        return tuple((one.rule, None) for one in self.verdicts if one.holds is None)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many relations hold, fail, or cannot be assessed."""
        told = {"holds": 0, "fails": 0, "not_assessable": 0}
        for one in self.verdicts:
            told["not_assessable" if one.holds is None else "holds" if one.holds else "fails"] += 1
        return told


def judge_structure(structure: Structure, bureau: str | None = None, period: str = "") -> StructureJudged:
    """Judge everything that the structure ties together."""
    court = _Court(structure, bureau, period)
    court.ties()
    for shares in structure.shares:
        court.shares(shares)
    for one in structure.comparisons:
        court.comparison(one)
    return StructureJudged(structure, tuple(court.verdicts), tuple(court.failures))


@dataclass
class _Court:
    structure: Structure
    bureau: str | None
    period: str
    verdicts: list[Verdict] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    failing: set[int] = field(default_factory=set)  # totals whose breakdown fails

    def __post_init__(self) -> None:
        figures = self.structure.figures
        most = max((one.decimals for one in figures if one.measure != "share"), default=0)
        self.scale = min(most, _MOST_DECIMALS)
        self.cells = [
            Cell(
                at,
                f"#{at}",
                "text",
                one.measure,
                BLOCK,
                BLOCK,
                SHARE_DECIMALS if one.measure == "share" else self.scale,
            )
            for at, one in enumerate(figures)
        ]
        self.blank = Cell(len(figures), "#blank", "text", "share", BLOCK, BLOCK, SHARE_DECIMALS)
        values = {cell.name: _whole(one, cell.scale) for cell, one in zip(self.cells, figures, strict=True)}
        values[self.blank.name] = UNKNOWN
        for decimals in range(SHARE_DECIMALS + 1):
            values[f"precision:share:#{decimals}|text"] = decimals
        self.frame = pd.DataFrame(np.array([list(values.values())], np.int64), columns=list(values))
        self.columns = Columns(self.frame)

    def known(self, at: int) -> bool:
        """Whether a figure has a number that can be reckoned with."""
        return bool(self.columns.known(self.cells[at].name)[0])

    def _constraint(self, tie: Tie) -> Constraint:
        terms = tuple(Term(times, self.cells[at]) for times, at in tie.terms)
        severity = _SEVERITY.get(tie.rule, Severity.ERROR)
        return Constraint(
            tie.rule, tie.kind, BLOCK, "text", terms, tie.relation, severity, None, terms[-1].cell.indicator
        )

    def ties(self) -> None:
        """Every linear row at once."""
        rules = [self._constraint(tie) for tie in self.structure.ties]
        outcome = kernels.linear(self.columns, rules)
        for at, (tie, rule) in enumerate(zip(self.structure.ties, rules, strict=True)):
            fails, open_ = bool(outcome.fails[0, at]), bool(outcome.unassessable[0, at])
            # Whether a list is complete is not always said: then a sum below the total is neither pass nor fail.
            unsaid = tie.kind is Kind.BREAKDOWN and tie.open_ended and not fails
            self._record(tie.rule, tie.relation.value, tie.terms, None if open_ or unsaid else not fails)
            if fails:
                if tie.kind is Kind.BREAKDOWN:
                    self.failing.add(tie.terms[-1][1])
                self.failures.append(self._linear(tie, rule, int(outcome.difference[0, at])))

    def _record(self, rule: str, relation: str, terms: Sequence[tuple[int, int]], holds: bool | None) -> None:
        cells = tuple(self.structure.figures[at].cell for _, at in terms)
        self.verdicts.append(Verdict(rule, relation, cells, tuple(times for times, _ in terms), holds))

    def _named(self, at: int) -> Named:
        one = self.structure.figures[at]
        return Named(one.label, one.label, _printed(one), one.cell)

    def _linear(self, tie: Tie, rule: Constraint, difference: int) -> Failure:
        figures = [self._named(at) for _, at in tie.terms]
        last = rule.terms[-1]
        number = int(self.columns.numbers(last.name)[0])
        if tie.kind is Kind.SUBSET:
            expected = figures[-1].text
        else:
            expected = figure_text(number - difference // last.coefficient, self.scale)
        facts = Facts(figures, _HERE, expected, figure_text(difference, self.scale))
        template = messages.REPEATED if tie.rule == "text:repeated" else messages.RULES[tie.kind]
        return self._failure(tie.rule, tie.kind, rule.severity, figures, facts, template)

    def _failure(
        self, rule: str, kind: str, severity: Severity, figures: Sequence[Named], facts: Facts, template: Message,
        diagnosis: str | None = None,
    ) -> Failure:  # fmt: skip
        cells = tuple(one.cell for one in figures)
        return Failure(
            id=failure_id(rule, self.bureau, self.period, None, cells), rule=rule, kind=str(kind), severity=severity,
            block=BLOCK, indicators=(), column=None, cells=cells, seen=tuple(one.text for one in figures),
            expected=facts.expected, difference=facts.difference, diagnosis=diagnosis, impact=None, legal=None,
            message=messages.filled(template, facts),
        )  # fmt: skip

    def shares(self, given: ShareList) -> None:
        """The shares of one list. Each is judged at its own printed precision, since running text drops decimals as it likes
        (7.3%, and 7% for the same part); why one is off is told by the whole list, as on forms."""
        figures = self.structure.figures
        printed = [at for at in given.shares if at is not None]
        group = self._group(given, max(figures[at].decimals for at in printed))
        failed = False
        for place, at in enumerate(given.shares):
            if at is None:
                continue
            one = ShareList((given.parts[place],), (at,), given.total)
            own = self._group(one, figures[at].decimals)
            outcome = kernels.share_of_total(self.columns, own)
            fails, open_ = bool(outcome.fails[0, 0]), bool(outcome.unassessable[0, 0])
            cells = tuple(figures[where].cell for where in (given.parts[place], given.total, at))
            self.verdicts.append(Verdict(SHARE, "share", cells, (), None if open_ else not fails))
            if fails:
                failed = True
                self.failures.append(self._share(given, group, place, at, int(outcome.difference[0, 0])))
        if given.complete and not failed and given.total not in self.failing and len(printed) > 1:
            self._share_column(given, printed)

    def _group(self, given: ShareList, decimals: int) -> ShareGroup:
        """A list as a share group, of shares printed with so many decimals."""
        totals = dict.fromkeys(one.total for one in self.structure.shares)
        unit = self.structure.figures[given.total].unit
        others = [at for at in totals if at != given.total and self.structure.figures[at].unit == unit]
        nearest = sorted(others, key=lambda at: abs(at - given.total))[:_ALTERNATIVES]
        return ShareGroup(
            breakdown=f"#{min(decimals, SHARE_DECIMALS)}", block=BLOCK, column="text",
            parts=tuple(self.cells[at] for at in given.parts),
            shares=tuple(self.blank if at is None else self.cells[at] for at in given.shares),
            total=self.cells[given.total], complete=given.complete, legal=None,
            alternatives=tuple(self.cells[at] for at in nearest),
        )  # fmt: skip

    def _share(self, given: ShareList, group: ShareGroup, place: int, at: int, off: int) -> Failure:
        codes, others = kernels.diagnose_shares(self.columns, group, _ROW, _ROW + place)
        diagnosis = str(codes[0])
        other = figure_text(int(others[0]), self.scale) if others[0] is not None else None
        figures = [self._named(where) for where in (given.parts[place], given.total, at)]
        true_share = int(self.columns.numbers(self.cells[at].name)[0]) - off
        printed = max(self.structure.figures[one].decimals for one in given.shares if one is not None)
        quantum = Decimal(1).scaleb(-min(printed, SHARE_DECIMALS))
        expected = str(Decimal(true_share).scaleb(-SHARE_DECIMALS).quantize(quantum, ROUND_HALF_UP))
        facts = Facts(figures, _HERE, expected, figure_text(off, SHARE_DECIMALS), {"other": other} if other else None)
        told = f"{diagnosis}:{other}" if diagnosis == Diagnosis.OTHER_TOTAL else diagnosis
        return self._failure(SHARE, Kind.SHARE, SEVERITY[diagnosis], figures, facts, messages.SHARES[diagnosis], told)

    def _share_column(self, given: ShareList, printed: Sequence[int]) -> None:
        coarsest = min(self.structure.figures[at].decimals for at in printed)
        outcome = kernels.column_of_shares(self.columns, self._group(given, coarsest))
        if not outcome.fails[0, 0]:
            return
        off = int(outcome.difference[0, 0])
        figures = [self._named(at) for at in printed]
        more = {"sum": figure_text(off + 100 * 10**SHARE_DECIMALS, SHARE_DECIMALS)}
        facts = Facts(figures, _HERE, "100", figure_text(off, SHARE_DECIMALS), more)
        template = messages.RULES[Kind.SHARE_COLUMN]
        self.failures.append(self._failure(SHARE_COLUMN, Kind.SHARE_COLUMN, Severity.ERROR, figures, facts, template))

    def comparison(self, one: Comparison) -> None:
        """A figure of the text against the table: it may say the first of the table's figures, or all of them together."""
        rules = [
            self._constraint(Tie(DIFFERS, Kind.STATED, ((1, one.said), *((-1, at) for at in one.told[:most]))))
            for most in range(1, len(one.told) + 1)
        ]
        outcome = kernels.linear(self.columns, rules)
        terms = ((1, one.said), (-1, one.told[0]))
        if outcome.unassessable[0, 0]:
            self._record(DIFFERS, Relation.EQUAL.value, terms, None)
            return
        fails = bool(outcome.fails[0].all())
        self._record(DIFFERS, Relation.EQUAL.value, terms, not fails)
        if fails:
            figures = [self._named(one.said), self._named(one.told[0])]
            facts = Facts(figures, _HERE, figures[1].text, figure_text(int(outcome.difference[0, 0]), self.scale))
            self.failures.append(self._failure(DIFFERS, "differs", Severity.WARNING, figures, facts, messages.DIFFERS))


def _whole(one: Stated, scale: int) -> int:
    if one.number is None:
        return UNKNOWN
    number = int(one.number.scaleb(scale).to_integral_value())
    return number if abs(number) < LARGEST * 10**scale and abs(number) < 2**60 else UNKNOWN


def _printed(one: Stated) -> str:
    """The figure as written, without its unit."""
    return one.text if one.number is None else f"{one.number:f}"
