"""One return in every format under every rearrangement that offices make: always the same number in the same cell."""

from __future__ import annotations

import pytest

from schemas.records import Submission
from tests.intake.layouts import SHIFTS, WRITERS, filled_in
from tests.intake.sheets import good_return, read_bytes

ONE_TABLE = "such a file is one table and nothing beside it"
NO_NAMES = "tables have no names there"
IMPOSSIBLE = {
    **{(kind, "another table before"): ONE_TABLE for kind in WRITERS if kind.startswith(("csv", "tsv"))},
    **{(kind, "sheet renamed"): NO_NAMES for kind in WRITERS if kind not in ("xlsx", "ods")},
}
COMBINATIONS = [(kind, shift) for kind in WRITERS for shift in SHIFTS if (kind, shift) not in IMPOSSIBLE]


def understood(read: Submission) -> tuple[object, ...]:
    """What a return says, wherever it stands and however it is written."""
    cells = tuple(zip(read.numbers, read.meanings, read.decimals, read.troubles, strict=True))
    return (read.bureau, read.period, read.header, cells, read.unread, read.findings)


@pytest.mark.parametrize(("kind", "shift"), COMBINATIONS)
def test_a_return_reads_alike_in_every_format_and_layout(kind: str, shift: str) -> None:
    data = WRITERS[kind](SHIFTS[shift](filled_in()))
    assert understood(read_bytes(data)) == understood(read_bytes(good_return()))
