"""The gate: which blocks a submission's failures hold. It holds blocks, not returns, unless the return itself is in doubt."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.records import Failure, Severity


def held_blocks(failures: Iterable[Failure], blocks: frozenset[str]) -> tuple[frozenset[str], bool]:
    """The blocks held by errors that nobody waived, and whether the whole return is (an error that belongs to no block)."""
    errors = [failure for failure in failures if failure.severity is Severity.ERROR and failure.waiver is None]
    if any(failure.block is None for failure in errors):
        return blocks, True
    return frozenset(failure.block for failure in errors if failure.block is not None), False
