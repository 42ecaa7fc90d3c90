"""Returns that come for a locked year: held as a whole, and judged when the year is reopened.

Not here: whether a year is locked (`warehouse.standings`).
"""

from __future__ import annotations

from dataclasses import replace

from disclosure_etl.quality.judging import held_unjudged
from schemas.errors import Message
from schemas.periods import Period
from schemas.records import Finding, Judged, Submission

HELD_FOR_LOCK = "return:locked"


def held_for_lock(one: Submission, period: Period) -> Judged:
    """A return that counts for nothing while its year is locked. The finding is the verdict's alone, not the return's: when the
    year is reopened, it is judged like any other."""
    finding = Finding(
        HELD_FOR_LOCK,
        Message(
            f"{period.year} 年已锁定,{period} 的这份报表只予暂存,不计入。如确需更正,请先由两人解锁:"
            f"disclosure-etl reopen {period.year} --by … --second … --reason …,解锁后自动判定。",
            f"{period.year} is locked: this return for {period} is held and counts for nothing. To take it, two people reopen "
            f"the year: disclosure-etl reopen {period.year} --by … --second … --reason …; then it is judged.",
        ),
    )
    verdict = held_unjudged(replace(one, findings=(*one.findings, finding)))
    return replace(verdict, submission=one)
