"""One return in every format under every rearrangement that offices make: always the same number in the same cell."""

from __future__ import annotations

import pytest

from tests.intake.layouts import SHIFTS, WRITERS, filled_in, understood
from tests.intake.sheets import good_return, read_bytes

ONE_TABLE = "such a file is one table and nothing beside it"
NO_NAMES = "tables have no names there"
IMPOSSIBLE = {
    **{(kind, "another table before"): ONE_TABLE for kind in WRITERS if kind.startswith(("csv", "tsv"))},
    **{(kind, "sheet renamed"): NO_NAMES for kind in WRITERS if kind not in ("xlsx", "ods")},
}
COMBINATIONS = [(kind, shift) for kind in WRITERS for shift in SHIFTS if (kind, shift) not in IMPOSSIBLE]


@pytest.mark.parametrize(("kind", "shift"), COMBINATIONS)
def test_a_return_reads_alike_in_every_format_and_layout(kind: str, shift: str) -> None:
    data = WRITERS[kind](SHIFTS[shift](filled_in()))
    assert understood(read_bytes(data)) == understood(read_bytes(good_return()))
