"""The structure that a text or a foreign table shows by itself: figures, totals with their parts, accounts, shares.

Records only. Not here: how a text is read (`disclosure_etl.intake`), or whether what it says adds up
(`disclosure_etl.quality.structure`).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from schemas.constraints import Kind, Relation
from schemas.forms import Measure
from schemas.values import Meaning


@dataclass(frozen=True, slots=True)
class Stated:
    """One figure as it is said: its label and its text as written, `number` in the unit written (None where there is none),
    the printed `decimals`, and the `cell` that it stands at (a span, or a place in a table)."""

    label: str
    text: str
    number: Decimal | None
    decimals: int
    unit: str
    measure: Measure
    cell: str
    meaning: Meaning = Meaning.NUMBER


@dataclass(frozen=True, slots=True)
class Tie:
    """Σ coefficient × figure `relation` 0, by position among the figures; the last is the one that the others imply.

    `open_ended`: the list claims no more than that its parts are parts (「等」, overlapping channels), or does not say whether
    it is complete: a sum that falls short of the total is then no failure. `rule` is the code.
    """

    rule: str
    kind: Kind
    terms: tuple[tuple[int, int], ...]
    relation: Relation = Relation.EQUAL
    open_ended: bool = False


@dataclass(frozen=True, slots=True)
class ShareList:
    """The printed shares of one list: `shares[i]` is what `parts[i]` is said to be of `total`, None where it is not said;
    all by position among the figures. `complete`: the shares claim to add to 100."""

    parts: tuple[int, ...]
    shares: tuple[int | None, ...]
    total: int
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure of the running text, and the figures of a table that say the same: it equals one of them, or their sum."""

    said: int
    told: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Structure:
    """Everything that a document shows beside the places of a form."""

    figures: tuple[Stated, ...] = ()
    ties: tuple[Tie, ...] = ()
    shares: tuple[ShareList, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    unread: tuple[int, ...] = ()  # figures that were not understood
    places: int | None = (
        None  # how many of the figures are the document's own; further ones are a form's, for comparison
    )

    @property
    def own(self) -> int:
        """How many of the figures were read here, and not by a form."""
        return len(self.figures) if self.places is None else self.places

    @property
    def found(self) -> bool:
        """Whether there is anything to judge or to show."""
        return bool(self.figures)


NOTHING = Structure()
