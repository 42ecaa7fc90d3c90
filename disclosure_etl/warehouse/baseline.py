"""The baseline: figures of periods before this warehouse began, taken over as they were published, never checked here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from disclosure_etl.warehouse.dimension_tables import dim_bureau, dim_period
from disclosure_etl.warehouse.dimensions import period_id
from disclosure_etl.warehouse.tables import baseline
from disclosure_etl.warehouse.versions import newest, store
from schemas.consolidation import ConsolidatedFigure, Consolidation, VersionStatus
from schemas.errors import UserError
from schemas.formfile import Forms
from schemas.forms import Cell
from schemas.periods import Period
from schemas.records import Status
from schemas.values import LARGEST, figure_text

OFFICE = ""  # the bureau code of figures of the whole office


@dataclass(frozen=True, slots=True)
class BaselineRow:
    """One earlier figure: of a bureau, or of the whole office where `bureau` is ''. `line` is its place in the file."""

    bureau: str
    period: Period
    indicator: str
    column: str
    value: Decimal
    line: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to, in rows."""

    inserted: int
    unchanged: int
    replaced: int


def import_baseline(
    connection: Connection,
    run: str,
    family: str,
    forms: Forms,
    rows: Sequence[BaselineRow],
    source: str,
    at: datetime,
    replace: bool,
) -> Imported:
    """Take over earlier figures; periods without a consolidation of their own get an unverified one.

    Raises:
        UserError: a figure that no form has, too many decimals, or (without `replace`) another value than was imported.
    """
    keyed: dict[tuple[str, str, str, str], tuple[Cell, int, BaselineRow]] = {}
    scales: dict[tuple[str, str, str, str], int] = {}
    bureaus = set(connection.execute(select(dim_bureau.c.code)).scalars())
    for row in rows:
        if row.bureau != OFFICE and row.bureau not in bureaus:
            raise UserError(
                f"{source} 第 {row.line} 行:没有代码为「{row.bureau}」的单位。",
                f"{source}, line {row.line}: there is no bureau with the code '{row.bureau}'.",
            )
        form = forms.choose(family, row.period)
        cell = form.figure_cell(row.indicator, row.column) if row.indicator in form.indicators else None
        if cell is None:
            raise UserError(
                f"{source} 第 {row.line} 行:报表 {form.key} 没有指标「{row.indicator}」的「{row.column}」列。",
                f"{source}, line {row.line}: form {form.key} has no indicator '{row.indicator}' in column '{row.column}'.",
            )
        scaled = row.value.scaleb(cell.scale)
        if abs(scaled) > LARGEST or (scaled < 0 and not cell.signed):
            raise UserError(
                f"{source} 第 {row.line} 行:{row.value} 不可能是「{row.indicator}」的数(应在 0 与 {LARGEST} 之间)。",
                f"{source}, line {row.line}: {row.value} cannot be a figure of '{row.indicator}' (0 to {LARGEST}).",
            )
        if scaled != scaled.to_integral_value():
            raise UserError(
                f"{source} 第 {row.line} 行:{row.value} 的小数位数多于「{row.indicator}」的 {cell.scale} 位。",
                f"{source}, line {row.line}: {row.value} has more decimals than the {cell.scale} of '{row.indicator}'.",
            )
        key = (row.period.code, row.bureau, row.indicator, row.column)
        if key in keyed and keyed[key][1] != int(scaled):
            raise UserError(
                f"{source} 第 {row.line} 行与第 {keyed[key][2].line} 行是同一个数({' '.join(filter(None, key))}),数值却不同:"
                f"{row.value} 与 {keyed[key][2].value}。请只留一行。",
                f"{source}, line {row.line} and line {keyed[key][2].line} give one figure ({' '.join(filter(None, key))}) "
                f"two values: {row.value} and {keyed[key][2].value}. Keep one of them.",
            )
        keyed[key] = (cell, int(scaled), row)
        scales[key] = cell.scale
    known = {
        (row.code, row.bureau_code, row.indicator, row.column_code): row.value
        for row in connection.execute(
            select(baseline, dim_period.c.code)
            .join(dim_period, dim_period.c.id == baseline.c.period_id)
            .where(baseline.c.family == family)
        )
    }
    changed = [key for key, (_, value, _) in keyed.items() if key in known and known[key] != value]
    if changed and not replace:
        shown = ";".join(
            f"{' '.join(filter(None, key))}: {figure_text(known[key], scales[key])} → {keyed[key][2].value}"
            for key in changed[:5]
        )
        raise UserError(
            f"{len(changed)} 个数字与已导入的不同({shown})。确认要替换时加 --replace。",
            f"{len(changed)} figures differ from those imported before ({shown}). To replace them, add --replace.",
        )
    new = [key for key in keyed if key not in known]
    ids = {code: period_id(connection, Period.parse(code)) for code in {key[0] for key in keyed}}
    if new or changed:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(baseline)
        fields = {name: statement.excluded[name] for name in ("value", "scale", "source", "run_id")}
        keys = ["family", "period_id", "bureau_code", "indicator", "column_code"]
        connection.execute(
            statement.on_conflict_do_update(index_elements=keys, set_=fields),
            [
                {
                    "family": family, "period_id": ids[key[0]], "bureau_code": key[1], "indicator": key[2],
                    "column_code": key[3], "value": keyed[key][1], "scale": keyed[key][0].scale, "source": source,
                    "run_id": run,
                }
                for key in (*new, *changed)
            ],
        )  # fmt: skip
    _freeze_unverified(connection, run, family, forms, sorted(ids), at)
    return Imported(len(new), len(keyed) - len(new) - len(changed), len(changed))


def _freeze_unverified(
    connection: Connection, run: str, family: str, forms: Forms, periods: Sequence[str], at: datetime
) -> None:
    """A period that was never consolidated here gets a version of the imported figures: the office's own where they
    were given, else the sum of its bureaus'."""
    for code in periods:
        period = Period.parse(code)
        last = newest(connection, family, period)
        if last is not None and last.status is not VersionStatus.UNVERIFIED:
            continue
        form = forms.choose(family, period)
        sums: dict[tuple[str, str], int] = defaultdict(int)
        office: dict[tuple[str, str], int] = {}
        rows = connection.execute(
            select(baseline)
            .join(dim_period, dim_period.c.id == baseline.c.period_id)
            .where(baseline.c.family == family, dim_period.c.code == code)
        )
        for row in rows:
            place = (row.indicator, row.column_code)
            if row.bureau_code == OFFICE:
                office[place] = row.value
            else:
                sums[place] += row.value
        figures = tuple(
            ConsolidatedFigure(cell.indicator, cell.column, cell.measure, value, cell.scale, False)
            for cell in form.cells
            if cell.measure != "share"
            and (value := office.get((cell.indicator, cell.column), sums.get((cell.indicator, cell.column))))
            is not None
        )
        if last is not None and last.figures == figures:
            continue
        frozen = Consolidation(
            family, form.key, period.frequency.value, code, run, 1 if last is None else last.version + 1,
            VersionStatus.UNVERIFIED, "", at, 0, dict.fromkeys(Status, 0), (), (), 0, 0, 0.0, 0, 0, 0, figures, (),
        )  # fmt: skip
        store(connection, form, period, frozen, [])
