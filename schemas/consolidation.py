"""The figures of all bureaus for (family, frequency, period) at one version, and the account of what went into them.

Not here: computing them (`warehouse`) or laying them out (`reports`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from schemas.records import Status


class VersionStatus(StrEnum):
    """How firm a consolidation is. UNVERIFIED: figures taken over from before this warehouse, never checked in it."""

    PROVISIONAL = "provisional"
    FINAL = "final"
    LOCKED = "locked"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class ConsolidatedFigure:
    """One figure over all bureaus, in the cell's scaled whole number; None where no bureau reported one.

    `validated` is false as soon as one held block is in it: it is then shown as reported.
    """

    indicator: str
    column: str
    measure: str
    value: int | None
    scale: int
    validated: bool


@dataclass(frozen=True, slots=True)
class BureauFigure:
    """One bureau's figure as it entered the consolidation (the same meaning as above, for one bureau)."""

    bureau: str
    indicator: str
    column: str
    measure: str
    value: int | None
    scale: int
    validated: bool


@dataclass(frozen=True, slots=True)
class BureauState:
    """Where one owing bureau stands in a period. `status` is 'missing' or one of `Status`' values; `attachments` are the names
    of the sealed scans and copies that came with its returns."""

    bureau: str
    name_zh: str
    name_en: str
    status: str
    late: bool
    stale: bool
    held_blocks: tuple[str, ...]
    revision: int | None
    received_at: datetime | None
    errors: int
    warnings: int
    notices: int
    not_assessable: int
    attachments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Booked:
    """A restatement as it entered a version: what was added to a figure that is carried over, a whole number in the cell's
    scale, with its number, coded reason, words, and by whose word."""

    number: int
    bureau: str
    period: str
    indicator: str
    column: str
    amount: int
    scale: int
    code: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Consolidation:
    """A frozen version with the account of its period.

    `counts` has every `Status`; `found` is their sum (conservation). `cells_read` = `cells_loaded` + `cells_parked`.
    `coverage` is owing bureaus with figures in it ÷ owing bureaus, 0 to 1 (1 where none owes). `status` is derived (signed off,
    locked) as of the moment that was asked for. `without_held`: held blocks are left out of its figures. `parts`: of a coarser
    period, the versions that it was added up from, as (period, version, content hash).
    """

    family: str
    form: str
    frequency: str
    period: str
    run: str
    version: int
    status: VersionStatus
    content_hash: str
    frozen_at: datetime
    found: int
    counts: Mapping[Status, int]
    missing: tuple[str, ...]
    late: tuple[str, ...]
    failures: int
    not_assessable: int
    coverage: float
    cells_read: int
    cells_loaded: int
    cells_parked: int
    figures: tuple[ConsolidatedFigure, ...]
    bureaus: tuple[BureauState, ...]
    restatements: tuple[Booked, ...] = ()
    without_held: bool = False
    parts: tuple[tuple[str, int, str], ...] = ()

    @property
    def others(self) -> int:
        """Files met that are of other periods, or of another family."""
        return self.counts[Status.OTHER_PERIOD]
