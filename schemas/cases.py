"""Which failures of a return are cases: what a person looks at and decides, each with what has its cause.

Not here: finding the cause (`quality.cases`).
"""

from __future__ import annotations

from collections.abc import Sequence

from schemas.records import Failure


def cases_among(failures: Sequence[Failure]) -> list[Failure]:
    """Of a return's failures those that are cases: what has no other cause, and what was not let stand though its cause was."""
    open_ones = {one.id for one in failures if one.waiver is None}
    return [one for one in failures if one.case is None or (one.waiver is None and one.case not in open_ones)]
