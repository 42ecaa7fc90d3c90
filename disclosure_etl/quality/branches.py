"""What a branch's units report of themselves, beside the figures of the bureau that reports for all of them.

Not here: which bureaus those are (`bureaus`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from schemas.constraints import Source
from schemas.forms import Cell
from schemas.records import NO_DECIMALS, Batch


def units_figures(
    everybody: Batch, cells: Sequence[Cell], units: Mapping[str, Sequence[str]], bureaus: Sequence[str | None]
) -> dict[str, np.ndarray]:
    """The columns `units:` of the wide frame for `bureaus`: the sum over a branch's units of what each sent last, and
    nothing for a bureau that reports of itself alone. Empty where none here reports for a branch.

    A unit that has sent nothing (yet) leaves the sum a lower bound, and so does a blank.
    """
    if not any(code in units for code in bureaus):
        return {}
    newest = everybody.newest_rows()
    at = [cell.position for cell in cells]
    known = np.where(everybody.decimals[:, at] != NO_DECIMALS, everybody.numbers[:, at], 0)
    sums = np.zeros((len(bureaus), len(cells)), np.int64)
    for row, code in enumerate(bureaus):
        if own := [newest[unit] for unit in units.get(code or "", ()) if unit in newest]:
            sums[row] = known[own].sum(axis=0)
    return {Source.UNITS + cell.name: sums[:, place] for place, cell in enumerate(cells)}
