"""What later figures would have to be once an earlier one was corrected: one delta a cell, proposed to the bureau.

Not here: how they follow (`quality.following`), or putting them into force (`disclosure_etl.deltas`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delta:
    """One cell of one accepted return: what was reported, and what it follows to be; whole numbers in the cell's scale."""

    bureau: str
    period: str
    block: str
    indicator: str
    column: str
    measure: str
    reported: int
    proposed: int
    scale: int

    @property
    def amount(self) -> int:
        """What is added, in the cell's scale."""
        return self.proposed - self.reported
