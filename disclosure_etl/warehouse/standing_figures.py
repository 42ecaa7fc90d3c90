"""What is accepted of some bureaus over several periods, and where it no longer follows: what deltas are proposed of.

Not here: proposing them (`quality.following`), or what checks look back on (`past`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from disclosure_etl.warehouse.arrivals import in_parts
from disclosure_etl.warehouse.dimension_tables import dim_cell, dim_period
from disclosure_etl.warehouse.tables import current_block, fact_observation, failure, submission
from schemas.periods import Period

Place = tuple[str, str]  # period and bureau


@dataclass
class Accepted:
    """By period and bureau: the accepted figures (cell name → value in the scale of its form), the rules (code and column) that
    they fail without a waiver, with the difference as text, and which are of nil returns."""

    figures: defaultdict[Place, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    fails: defaultdict[Place, dict[tuple[str, str], str]] = field(default_factory=lambda: defaultdict(dict))
    nil: set[Place] = field(default_factory=set)


def stale_since(
    connection: Connection, family: str, first: Period | None, bureaus: Collection[str] | None
) -> dict[str, list[Period]]:
    """By bureau: the periods, from `first` on, in which an accepted block of it no longer follows; in order."""
    statement = (
        select(current_block.c.bureau_code, dim_period.c.code)
        .join(dim_period, dim_period.c.id == current_block.c.period_id)
        .where(current_block.c.family == family, current_block.c.stale, current_block.c.accepted)
        .distinct()
    )
    if first is not None:
        statement = statement.where(dim_period.c.first_day >= first.start)
    found: defaultdict[str, list[Period]] = defaultdict(list)
    for bureau, code in connection.execute(statement):
        if bureaus is None or bureau in bureaus:
            found[bureau].append(Period.parse(code))
    return {bureau: sorted(found[bureau]) for bureau in sorted(found)}


def accepted(connection: Connection, family: str, periods: Sequence[Period], bureaus: Sequence[str]) -> Accepted:
    """All that is accepted of these bureaus in these periods."""
    codes, found = [one.code for one in periods], Accepted()
    for part in in_parts(bureaus, 300):
        scope = (
            current_block.c.family == family,
            current_block.c.accepted,
            dim_period.c.code.in_(codes),
            current_block.c.bureau_code.in_(part),
        )
        figures = connection.execute(
            select(dim_period.c.code, current_block.c.bureau_code, dim_cell.c.name, fact_observation.c.value)
            .select_from(current_block)
            .join(dim_period, dim_period.c.id == current_block.c.period_id)
            .join(fact_observation, fact_observation.c.submission_id == current_block.c.submission_id)
            .join(dim_cell, (dim_cell.c.id == fact_observation.c.cell_id) & (dim_cell.c.block == current_block.c.block))
            .where(*scope, dim_cell.c.measure != "share", fact_observation.c.value.is_not(None))
        )
        for period, bureau, name, value in figures:
            found.figures[period, bureau][name] = value
        failing = connection.execute(
            select(
                dim_period.c.code,
                current_block.c.bureau_code,
                failure.c.rule,
                failure.c.column_code,
                failure.c.difference,
            )
            .select_from(current_block)
            .join(dim_period, dim_period.c.id == current_block.c.period_id)
            .join(
                failure,
                (failure.c.submission_id == current_block.c.submission_id) & (failure.c.block == current_block.c.block),
            )
            .where(*scope, failure.c.waiver.is_(None), failure.c.difference.is_not(None))
        )
        for period, bureau, rule, column, difference in failing:
            found.fails[period, bureau][rule, column] = difference
        nil = connection.execute(
            select(dim_period.c.code, current_block.c.bureau_code)
            .join(dim_period, dim_period.c.id == current_block.c.period_id)
            .join(submission, submission.c.id == current_block.c.submission_id)
            .where(*scope, submission.c.nil)
            .distinct()
        )
        found.nil |= {(period, bureau) for period, bureau in nil}
    return found
