"""What was known of a period when a version of it was frozen: its failures, its refused files, and every bureau's figures.

Verdicts are renewed and nil returns filled anew later; a version keeps what it was made of. Not here: the version (`versions`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict

from sqlalchemy import Connection, Integer, func, insert, literal, select

from disclosure_etl.warehouse.connection import insert_new
from disclosure_etl.warehouse.dimension_tables import dim_period
from disclosure_etl.warehouse.queries import Refused, StoredFailure, refused, stored_failure, told_in_order
from disclosure_etl.warehouse.tables import consolidation, consolidation_member, failure, submission
from disclosure_etl.warehouse.version_tables import fact_refilled, version_failure, version_refused
from schemas.errors import Message
from schemas.periods import Period
from schemas.states import OUT


def key_of(connection: Connection, family: str, period: Period, version: int) -> int | None:
    """The key of a version, which grows with every version that is frozen; None where there is none."""
    return connection.execute(
        select(consolidation.c.id)
        .join(dim_period, dim_period.c.id == consolidation.c.period_id)
        .where(consolidation.c.family == family, dim_period.c.code == period.code, consolidation.c.version == version)
    ).scalar()


def keys_then(connection: Connection, family: str, periods: Iterable[Period], key: int) -> dict[str, int]:
    """Of each period, the version that was the newest when the version `key` was frozen, itself among them."""
    rows = connection.execute(
        select(dim_period.c.code, func.max(consolidation.c.id))
        .join(dim_period, dim_period.c.id == consolidation.c.period_id)
        .where(consolidation.c.family == family, consolidation.c.id <= key)
        .where(dim_period.c.code.in_([one.code for one in periods]))
        .group_by(dim_period.c.code)
    )
    return {row[0]: row[1] for row in rows}


def keep(connection: Connection, family: str, period: Period, version: int) -> None:
    """Keep the period's failures and refused files as they are now with a version that was just frozen."""
    key = key_of(connection, family, period, version)
    names = [column.name for column in failure.columns]
    connection.execute(
        insert(version_failure).from_select(
            ["consolidation_id", *names],
            select(literal(key, Integer), *failure.columns)
            .join(submission, submission.c.id == failure.c.submission_id)
            .join(dim_period, dim_period.c.id == submission.c.period_id)
            .where(submission.c.family == family, dim_period.c.code == period.code, submission.c.status.not_in(OUT)),
        )
    )
    files = [asdict(one) for one in refused(connection, family, period)]
    connection.execute(insert(version_refused).values(consolidation_id=key, files=files))


def version_failures(connection: Connection, family: str, period: Period, version: int) -> list[StoredFailure]:
    """The failures of a period as they were known when a version was frozen, errors first, then by impact. Of a version from
    before these were kept: what is known now of the returns that it is made of."""
    key = key_of(connection, family, period, version)
    kept = connection.execute(
        select(version_refused.c.consolidation_id).where(version_refused.c.consolidation_id == key)
    ).scalar()
    if kept is not None:
        table, scope = version_failure, version_failure.c.consolidation_id == key
    else:
        members = select(consolidation_member.c.submission_id).where(consolidation_member.c.consolidation_id == key)
        table, scope = failure, submission.c.id.in_(members)
    rows = connection.execute(
        select(table, submission.c.bureau_code, submission.c.file)
        .join(submission, submission.c.id == table.c.submission_id)
        .where(scope)
        .order_by(*told_in_order(table))
    )
    return [stored_failure(row, period) for row in rows]


def version_refused_files(connection: Connection, family: str, period: Period, version: int) -> list[Refused]:
    """The files that gave no figures when a version was frozen; none where that was not kept yet."""
    key = key_of(connection, family, period, version)
    files = connection.execute(
        select(version_refused.c.files).where(version_refused.c.consolidation_id == key)
    ).scalar()
    return [Refused(**{**one, "message": Message(**one["message"])}) for one in files or ()]


def refilled_since(connection: Connection, keys: Collection[int]) -> dict[tuple[int, int], int | None]:
    """Figures of nil returns that were filled anew since the versions `keys` were frozen, by submission and cell: what they
    stood for then. Nearly always none."""
    if not keys:
        return {}
    first = (
        select(fact_refilled.c.submission_id, fact_refilled.c.cell_id, func.min(fact_refilled.c.until).label("until"))
        .join(consolidation_member, consolidation_member.c.submission_id == fact_refilled.c.submission_id)
        .where(consolidation_member.c.consolidation_id.in_(sorted(keys)))
        .where(fact_refilled.c.until >= consolidation_member.c.consolidation_id)
        .group_by(fact_refilled.c.submission_id, fact_refilled.c.cell_id)
        .subquery()
    )
    rows = connection.execute(
        select(fact_refilled).join(
            first,
            (first.c.submission_id == fact_refilled.c.submission_id)
            & (first.c.cell_id == fact_refilled.c.cell_id)
            & (first.c.until == fact_refilled.c.until),
        )
    )
    return {(row.submission_id, row.cell_id): row.value for row in rows}


def note_refilled(
    connection: Connection, before: Mapping[tuple[int, int], int | None], changed: Iterable[tuple[int, int]]
) -> None:
    """Keep what a nil return's cells stood for until now, for the versions that counted them."""
    last = connection.execute(select(func.max(consolidation.c.id))).scalar() or 0
    rows = [
        {"submission_id": key, "cell_id": cell, "until": last, "value": before[(key, cell)]}
        for key, cell in changed
        if (key, cell) in before
    ]
    insert_new(connection, fact_refilled, rows, ["submission_id", "cell_id", "until"])
