"""How figures were revised: of each period what its versions said one after the other, and how far each bureau's figure moved.

One query each, whatever the number of periods. Not here: why (`changes`).
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, and_, func, select

from disclosure_etl.warehouse import standings
from disclosure_etl.warehouse.dimension_tables import dim_cell, dim_indicator, dim_period
from disclosure_etl.warehouse.tables import consolidated_figure, consolidation, consolidation_member, fact_observation
from disclosure_etl.warehouse.version_tables import fact_refilled
from schemas.consolidation import VersionStatus
from schemas.periods import Frequency, Period
from schemas.versions import BureauRevision, Revisions, Vintage

Span = tuple[Period | None, Period | None]  # first and last; None is without end


def _within(family: str, frequency: Frequency, span: Span, as_of: datetime | None) -> list:
    first, last = span
    scope = [consolidation.c.family == family, dim_period.c.frequency == frequency.value]
    if first is not None:
        scope.append(dim_period.c.first_day >= first.start)
    if last is not None:
        scope.append(dim_period.c.last_day <= last.end)
    if as_of is not None:
        scope.append(consolidation.c.frozen_at <= as_of)
    return scope


def revisions(
    connection: Connection,
    family: str,
    spot: tuple[str, str],
    frequency: Frequency,
    span: Span,
    as_of: datetime | None = None,
) -> Revisions:
    """Of each period the figure of `spot` (indicator and column) in all of its versions, oldest first."""
    rows = connection.execute(
        select(
            dim_period.c.code, consolidation.c.version, consolidation.c.frozen_at, standings.standing(as_of).label("standing"),
            consolidated_figure.c.value, consolidated_figure.c.scale,
        )
        .select_from(consolidation)
        .join(dim_period, dim_period.c.id == consolidation.c.period_id)
        .join(consolidated_figure, consolidated_figure.c.consolidation_id == consolidation.c.id)
        .where(*_within(family, frequency, span, as_of))
        .where(consolidated_figure.c.indicator == spot[0], consolidated_figure.c.column_code == spot[1])
        .order_by(dim_period.c.first_day, consolidation.c.version)
    ).all()  # fmt: skip
    table = tuple(
        tuple(Vintage(code, row.version, row.frozen_at, VersionStatus(row.standing), row.value) for row in own)
        for code, own in groupby(rows, key=lambda row: row.code)
    )
    return Revisions(*spot, rows[0].scale if rows else 0, table)


def bureau_revisions(
    connection: Connection,
    family: str,
    spot: tuple[str, str],
    frequency: Frequency,
    span: Span,
    as_of: datetime | None = None,
) -> list[BureauRevision]:
    """How each bureau's own figure was revised, from the first version that counted it to the newest that does; those that
    were revised farthest first. Figures of cumulative columns are never loaded, so there are none of those."""
    member = consolidation_member.c
    cells = (
        select(dim_cell.c.id, dim_cell.c.block, dim_cell.c.form_id)
        .join(dim_indicator, dim_indicator.c.id == dim_cell.c.indicator_id)
        .where(dim_indicator.c.code == spot[0], dim_cell.c.column_code == spot[1], dim_cell.c.measure != "share")
        .subquery()
    )
    ends = (
        select(
            dim_period.c.code, member.bureau_code, cells.c.block, func.min(consolidation.c.id).label("first"),
            func.max(consolidation.c.id).label("last"),
        )
        .select_from(consolidation)
        .join(dim_period, dim_period.c.id == consolidation.c.period_id)
        .join(cells, cells.c.form_id == consolidation.c.form_id)
        .join(
            consolidation_member, and_(member.consolidation_id == consolidation.c.id, member.block == cells.c.block)
        )
        .where(*_within(family, frequency, span, as_of))
        .group_by(dim_period.c.code, member.bureau_code, cells.c.block)
        .subquery()
    )  # fmt: skip
    rows = connection.execute(
        select(
            ends.c.code, ends.c.bureau_code, member.consolidation_id, ends.c.last, fact_observation.c.submission_id,
            fact_observation.c.cell_id, fact_observation.c.value,
        )
        .select_from(ends)
        .join(
            consolidation_member,
            and_(
                member.bureau_code == ends.c.bureau_code, member.block == ends.c.block,
                member.consolidation_id.in_([ends.c.first, ends.c.last]),
            ),
        )
        .join(fact_observation, fact_observation.c.submission_id == member.submission_id)
        .join(cells, cells.c.id == fact_observation.c.cell_id)
    )  # fmt: skip
    refilled = _refilled(connection, spot)
    found: dict[tuple[str, str], dict[int, int | None]] = defaultdict(dict)
    for code, bureau, key, last, submission, cell, value in rows:
        then = next((was for until, was in refilled.get((submission, cell), ()) if until >= key), value)
        found[(code, bureau)][key == last] = then
    moved: dict[str, list[int]] = defaultdict(list)
    for (_, bureau), ends_of in sorted(found.items()):
        latest = ends_of.get(True)
        moved[bureau].append((latest or 0) - (ends_of.get(False, latest) or 0))
    told = [
        BureauRevision(
            bureau, len(own), sum(one != 0 for one in own), sum(own) / len(own), sum(map(abs, own)) / len(own)
        )
        for bureau, own in moved.items()
    ]
    return sorted(told, key=lambda one: (-one.mean_absolute, -one.revised, one.bureau))


def _refilled(connection: Connection, spot: tuple[str, str]) -> dict[tuple[int, int], list[tuple[int, int | None]]]:
    """What cells of nil returns stood for before they were filled anew, by the newest version that counted it so."""
    rows = connection.execute(
        select(fact_refilled)
        .join(dim_cell, dim_cell.c.id == fact_refilled.c.cell_id)
        .join(dim_indicator, dim_indicator.c.id == dim_cell.c.indicator_id)
        .where(dim_indicator.c.code == spot[0], dim_cell.c.column_code == spot[1])
        .order_by(fact_refilled.c.until)
    )
    found: dict[tuple[int, int], list[tuple[int, int | None]]] = defaultdict(list)
    for row in rows:
        found[(row.submission_id, row.cell_id)].append((row.until, row.value))
    return found
