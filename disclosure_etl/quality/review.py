"""How much of what is wrong a steward still has to look at, when warnings of too little effect become notices.

Not here: which those are (`judging`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.constraints import Kind
from schemas.records import Failure, Severity
from schemas.rules import Review


@dataclass(frozen=True, slots=True)
class Reviewed:
    """`share` of the total impact that is still reviewed (1 where nothing has any), and how many warnings became notices."""

    share: float
    demoted: int


def reviewed(failures: Iterable[Failure], review: Review) -> Reviewed:
    """What the threshold does to these failures."""
    whole = kept = 0.0
    demoted = 0
    for one in failures:
        if not one.impact or one.implied_by:
            continue
        whole += one.impact
        is_demoted = (
            one.severity is Severity.NOTICE
            and one.impact < review.impact_below
            and one.kind not in (Kind.SHARE, Kind.PERIODS, Kind.STATED)  # notices of their own accord
        )
        demoted += is_demoted
        kept += 0 if is_demoted else one.impact
    return Reviewed(kept / whole if whole else 1.0, demoted)
