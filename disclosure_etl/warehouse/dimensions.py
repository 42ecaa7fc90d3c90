"""The star's dimensions: bureaus, periods, forms, indicators and cells, entered once and found again by name."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, insert, select, update

from disclosure_etl.bureaus import Bureau
from disclosure_etl.warehouse.dimension_tables import (
    dim_bureau,
    dim_cell,
    dim_form,
    dim_indicator,
    dim_period,
    dim_succession,
)
from schemas.forms import Form
from schemas.periods import Period


def sync_bureaus(connection: Connection, bureaus: Iterable[Bureau]) -> None:
    """Enter the bureaus as configured; names and ends of known ones are brought up to date, and so is who took over from
    whom."""
    bureaus = list(bureaus)
    known = {(row.code, row.valid_from): row for row in connection.execute(select(dim_bureau))}
    for bureau in bureaus:
        values = {
            "name_zh": bureau.name_zh,
            "name_en": bureau.name_en,
            "parent_code": bureau.parent,
            "reports": bureau.reports,
            "valid_to": bureau.valid_to,
        }
        row = known.get((bureau.code, bureau.valid_from))
        if row is None:
            connection.execute(insert(dim_bureau).values(code=bureau.code, valid_from=bureau.valid_from, **values))
        elif any(getattr(row, name) != value for name, value in values.items()):
            connection.execute(update(dim_bureau).where(dim_bureau.c.id == row.id).values(**values))
    _sync_successions(connection, bureaus)


def _sync_successions(connection: Connection, bureaus: Iterable[Bureau]) -> None:
    known = {tuple(row) for row in connection.execute(select(dim_succession))}
    now = {(one.code, code, one.day_after) for one in bureaus for code in one.into}
    names = [column.name for column in dim_succession.columns]
    for row in known - now:
        connection.execute(
            delete(dim_succession).where(
                *(dim_succession.c[name] == value for name, value in zip(names, row, strict=True))
            )
        )
    if fresh := now - known:
        connection.execute(insert(dim_succession), [dict(zip(names, row, strict=True)) for row in fresh])


def period_id(connection: Connection, period: Period) -> int:
    """The key of a period, entered on first use."""
    found = connection.execute(select(dim_period.c.id).where(dim_period.c.code == period.code)).scalar()
    if found is not None:
        return found
    result = connection.execute(
        insert(dim_period).values(
            code=period.code,
            frequency=period.frequency.value,
            year=period.year,
            ordinal=period.ordinal,
            first_day=period.start,
            last_day=period.end,
        )
    )
    return result.inserted_primary_key[0]  # type: ignore[index]


def form_id(connection: Connection, form: Form) -> int | None:
    """The key of a form as defined now, or None where it was never entered."""
    return connection.execute(
        select(dim_form.c.id).where(
            dim_form.c.family == form.family, dim_form.c.version == form.version, dim_form.c.digest == form.digest
        )
    ).scalar()


def cell_ids(connection: Connection, form_key: int) -> list[int]:
    """Keys of a form's cells, in the form's order."""
    rows = connection.execute(select(dim_cell.c.id).where(dim_cell.c.form_id == form_key).order_by(dim_cell.c.position))
    return list(rows.scalars())


def sync_form(connection: Connection, form: Form) -> int:
    """Enter a form with its indicators and cells. A changed definition is a form of its own: old facts keep theirs."""
    found = form_id(connection, form)
    if found is not None:
        return found
    key = connection.execute(
        insert(dim_form).values(
            family=form.family,
            version=form.version,
            frequency=form.frequency.value,
            digest=form.digest,
            title_zh=form.title.zh,
            title_en=form.title.en,
            valid_from=form.valid.first,
            valid_to=form.valid.last,
        )
    ).inserted_primary_key[0]  # type: ignore[index]
    parents = {part: item.code for item in form.indicators.values() for b in item.breakdowns for part in b.parts}
    connection.execute(
        insert(dim_indicator),
        [
            {
                "form_id": key,
                "code": item.code,
                "label_zh": item.label.zh,
                "label_en": item.label.en,
                "unit": item.unit,
                "decimals": item.decimals,
                "block": form.block_of[item.code],
                "position": position,
                "parent_code": parents.get(item.code) or item.subset_of,
            }
            for position, item in enumerate(form.indicators.values())
        ],
    )
    rows = connection.execute(select(dim_indicator.c.code, dim_indicator.c.id).where(dim_indicator.c.form_id == key))
    indicators = {row.code: row.id for row in rows}
    connection.execute(
        insert(dim_cell),
        [
            {
                "form_id": key,
                "indicator_id": indicators[cell.indicator],
                "position": cell.position,
                "name": cell.name,
                "column_code": cell.column,
                "measure": cell.measure,
                "scale": cell.scale,
                "block": cell.block,
            }
            for cell in form.cells
        ],
    )
    return key
