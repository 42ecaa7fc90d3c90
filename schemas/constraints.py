"""The constraint table: every rule over figures, as rows over columns of the wide frame. Records only.

Everything over counts is linear: Σ coefficient × cell, compared with 0. Shares stand beside as rows of their own kind,
since their bound depends on what was printed; so does what is looked at over time. Not here: which rows follow from a form
(`schemas.compiling`), or evaluating them (`schemas.kernels`, `schemas.trends`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from schemas.errors import Message
from schemas.forms import Cell, Form
from schemas.records import Severity


class Kind(StrEnum):
    """The kinds of rules, in the order in which their failures are told."""

    READING = "reading"
    REQUIRED = "required"
    NEGATIVE = "negative"
    BREAKDOWN = "breakdown"
    ROW_TOTAL = "row-total"
    BALANCE = "balance"
    OUTCOMES = "outcomes"
    SUBSET = "subset"
    STATED = "stated"
    SHARE = "share"
    SHARE_COLUMN = "share-column"
    SHARE_ATTAINABLE = "share-attainable"
    YEAR_TO_DATE = "year-to-date"
    OPENING = "opening"
    STOCK = "stock"
    PERIODS = "periods"
    BRANCH = "branch"
    BRIDGE = "bridge"
    JUMP = "jump"
    YEAR_JUMP = "year-jump"
    ZERO = "zero-among-peers"
    COPY = "copy"


CELLWISE = (Kind.READING, Kind.REQUIRED, Kind.NEGATIVE)
TRENDS = (Kind.JUMP, Kind.YEAR_JUMP, Kind.ZERO, Kind.COPY)
SHARES = (Kind.SHARE, Kind.SHARE_COLUMN, Kind.SHARE_ATTAINABLE)
LINEAR = tuple(kind for kind in Kind if kind not in (*CELLWISE, *TRENDS, *SHARES))


class Relation(StrEnum):
    """How a row's sum compares with 0."""

    EQUAL = "="
    AT_MOST = "<="


class Source(StrEnum):
    """Whose figure a term is: the submission's own, or one that is looked up. The value is the prefix of its column in the
    wide frame."""

    OWN = ""
    PREVIOUS = "previous:"  # accepted of the bureau for the preceding period of the same frequency
    PERIODS = "periods:"  # added up from the bureau's accepted returns for the finer periods within this one
    UNITS = "units:"  # added up over the bureau's own units, where it reports for its whole branch
    PREDECESSORS = "predecessors:"  # accepted of those that were split for the preceding period, added up over them
    SIBLINGS = "siblings:"  # added up over the others that begin with a part of what those left


@dataclass(frozen=True, slots=True)
class Term:
    """Coefficient × cell."""

    coefficient: int
    cell: Cell
    source: Source = Source.OWN

    @property
    def signed(self) -> bool:
        """Whether its figure may be below zero, so that an unknown one is no number from 0 on."""
        return self.cell.signed

    @property
    def name(self) -> str:
        """The column of the wide frame."""
        return self.source + self.cell.name


@dataclass(frozen=True, slots=True)
class Constraint:
    """One linear rule at one column: Σ coefficient × cell `relation` 0, within `tolerance` (in the figures' scale).

    The last term is the one that the others imply (the total, the closing, the cumulative): `seen` ends with it and
    `expected` is what it would have to be. `title` and `message` are a stated rule's own; others have their kind's.
    """

    code: str
    kind: Kind
    block: str
    column: str
    terms: tuple[Term, ...]
    relation: Relation
    severity: Severity
    legal: str | None
    indicator: str
    tolerance: int = 0
    title: Message | None = None
    message: Message | None = None

    @property
    def waits(self) -> bool:
        """Whether it needs figures from outside the submission, and so waits for their acceptance."""
        return any(term.source is not Source.OWN for term in self.terms)


@dataclass(frozen=True, slots=True)
class ShareGroup:
    """The printed shares of one breakdown in one column: part i, its share, and the stated total."""

    breakdown: str  # indicator:name
    block: str
    column: str
    parts: tuple[Cell, ...]
    shares: tuple[Cell, ...]
    total: Cell
    complete: bool
    legal: str | None
    alternatives: tuple[Cell, ...]  # other totals that a share may wrongly have been taken of

    def code(self, kind: Kind) -> str:
        """The code of its rule of a kind of shares."""
        return f"{kind}:{self.breakdown}"

    @property
    def name(self) -> str:
        """A short unique name."""
        return f"share:{self.breakdown}|{self.column}"


@dataclass(frozen=True)
class ConstraintTable:
    """All rules over figures of one form for one period. `watched` are the cells whose course over time is looked at."""

    form: Form
    constraints: tuple[Constraint, ...]
    shares: tuple[ShareGroup, ...]
    watched: tuple[Cell, ...] = ()

    @cached_property
    def _by_kind(self) -> dict[Kind, tuple[Constraint, ...]]:
        return {kind: tuple(row for row in self.constraints if row.kind is kind) for kind in LINEAR}

    def of_kind(self, kind: Kind) -> tuple[Constraint, ...]:
        """The linear rows of one kind, in order."""
        return self._by_kind.get(kind, ())

    def share_groups(self, kind: Kind) -> tuple[ShareGroup, ...]:
        """The groups that a kind of share rules is judged of: a column adds up only where the list is complete."""
        return tuple(group for group in self.shares if group.complete or kind is not Kind.SHARE_COLUMN)

    def looked_up(self, source: Source) -> tuple[Cell, ...]:
        """The cells of which the rules ask for figures of `source`, each once."""
        terms: Iterator[Term] = (term for row in self.constraints for term in row.terms if term.source is source)
        return tuple({term.cell.name: term.cell for term in terms}.values())
