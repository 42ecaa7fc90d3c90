"""Versions as they are listed and compared: how firm each is, who answers for it, and what changed from one to another, and why.

Not here: the figures of a version (`consolidation`), or working any of this out (`warehouse`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schemas.consolidation import VersionStatus
from schemas.errors import Message


@dataclass(frozen=True, slots=True)
class SignOff:
    """Who answers for a version. `acknowledged`: the ids of the warnings, and of files that were not taken, that it was signed
    in spite of."""

    by: str
    second: str | None
    at: datetime
    note: str
    acknowledged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FrozenVersion:
    """One version without its figures. `was_locked`: it was final when its year was locked, whether or not it is open again."""

    key: int
    family: str
    period: str
    version: int
    status: VersionStatus
    content_hash: str
    frozen_at: datetime
    signed: SignOff | None
    released_by: str | None
    released_at: datetime | None
    was_locked: bool

    @property
    def is_final(self) -> bool:
        """Whether somebody answers for it by name."""
        return self.status in (VersionStatus.FINAL, VersionStatus.LOCKED)

    @property
    def is_out(self) -> bool:
        """Whether others may rely on it: it was given to the public, or its year was closed with it."""
        return self.released_at is not None or self.was_locked


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a figure changed. `code` is stable; `by` is who is responsible, where that is known: the steward who decided, or the
    person who filled the return in."""

    code: str
    message: Message
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One figure of a version that differs from an earlier one, in scaled whole numbers.

    `bureau` is None for the office's total. `indicator` and `column` are None where a whole block changed how it counts and no
    figure did. Of a coarser version, the bureaus' changes are those of its parts, each with its `period`.
    """

    period: str
    bureau: str | None
    block: str | None
    indicator: str | None
    column: str | None
    old: int | None
    new: int | None
    scale: int
    reasons: tuple[Reason, ...]

    @property
    def difference(self) -> int:
        """New − old; a figure that is not there counts as nothing."""
        return (self.new or 0) - (self.old or 0)


@dataclass(frozen=True, slots=True)
class ChangeList:
    """What changed from one version of a period to another."""

    older: FrozenVersion
    newer: FrozenVersion
    changes: tuple[Change, ...]

    @property
    def totals(self) -> tuple[Change, ...]:
        """The office's totals that changed."""
        return tuple(one for one in self.changes if one.bureau is None and one.indicator is not None)


@dataclass(frozen=True, slots=True)
class Vintage:
    """A figure of a period in one version."""

    period: str
    version: int
    frozen_at: datetime
    status: VersionStatus
    value: int | None


@dataclass(frozen=True, slots=True)
class Revisions:
    """A figure over time and versions: rows are periods, each with its vintages in order. `scale`: of the values."""

    indicator: str
    column: str
    scale: int
    rows: tuple[tuple[Vintage, ...], ...]


@dataclass(frozen=True, slots=True)
class BureauRevision:
    """How a bureau's figure was revised from the version in which it first counted to the newest: in how many of the periods it
    counted in, by how much on average, and how far on average whatever the direction; in scaled numbers."""

    bureau: str
    periods: int
    revised: int
    mean: float
    mean_absolute: float
