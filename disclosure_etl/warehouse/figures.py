"""Consolidated figures: sums over what counts, cumulatives over the year, coarser periods from finer ones.

Not here: whose block counts (`loading`), or freezing a version of them (`versions`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from disclosure_etl.bureaus import Duty
from disclosure_etl.warehouse.counting import (
    Member,
    added_up,
    each_fact,
    fact_cells,
    members_of,
    members_of_version,
)
from disclosure_etl.warehouse.dimension_tables import dim_period
from disclosure_etl.warehouse.known_then import keys_then, refilled_since
from disclosure_etl.warehouse.restating import booked_in, is_flow, standing, with_restated
from disclosure_etl.warehouse.tables import baseline
from schemas.consolidation import Booked, BureauFigure, ConsolidatedFigure, VersionStatus
from schemas.forms import Cell, Form, Moment
from schemas.periods import Period
from schemas.restatements import Restatement

_ANY = 2**31 - 1  # the key of a version is at most this


@dataclass(frozen=True, slots=True)
class FrozenFigures:
    """The figures of a frozen version, without its account."""

    form: str
    status: VersionStatus
    figures: tuple[ConsolidatedFigure, ...]


def sums(
    connection: Connection, form: Form, members: Sequence[Member], contained: Collection[str] = ()
) -> dict[tuple[str, str], tuple[int | None, bool]]:
    """Over all bureaus but those `contained` in another's figures, by (indicator, column): the sum of what counts, and
    whether all of it was accepted."""
    counting = [one for one in members if one.bureau not in contained]
    found: dict[tuple[str, str], tuple[int | None, bool]] = {}
    for cell, total, accepted in added_up(connection, fact_cells(connection, form.family), counting):
        before, so_far = found.get(cell.place, (None, True))
        found[cell.place] = (_plus(before, total), so_far and accepted)
    return found


def _plus(one: int | None, other: int | None) -> int | None:
    """The sum of what is known of the two."""
    return other if one is None else one if other is None else one + other


def period_figures(
    connection: Connection,
    form: Form,
    period: Period,
    earlier: Sequence[FrozenFigures | None],
    members: Sequence[Member],
    duty: Duty,
    booked: Sequence[Restatement] = (),
) -> list[ConsolidatedFigure]:
    """The period's figures. A cumulative is added up from the year's frozen periods, and what was restated of it; the reported
    one is only checked.

    Args:
        earlier: the newest versions of the year's periods before this one, in order; None for one that is not there.
        members: what counts.
        duty: who owes a return; for one of which nothing counts the baseline's figures, if any, stand in, unverified.
        booked: the restatements of the year so far.
    """
    restated = _restated(form, booked, {code: code for code in form.columns}, duty.contained)
    absent = {bureau.code for bureau in duty.owing} - {one.bureau for one in members}
    found = _with_baseline(connection, form, period, sums(connection, form, members, duty.contained), absent)
    parts = [_Part(form, one) for one in earlier]
    figures = []
    for cell in form.cells:
        if cell.measure == "share":
            continue
        column = form.columns[cell.column]
        if column.cumulates is None:
            value, validated = found.get((cell.indicator, cell.column), _NOTHING)
        else:
            month = found.get((cell.indicator, column.cumulates), _NOTHING)
            before = _before(parts, cell.indicator, column.cumulates, cell.column)
            value, validated = _cumulated(cell.moment, [*before, month])
            value = _plus(value, restated.get((cell.indicator, cell.column)))
        figures.append(ConsolidatedFigure(cell.indicator, cell.column, cell.measure, value, cell.scale, validated))
    return figures


def _restated(
    form: Form, booked: Iterable[Restatement], columns: Mapping[str, str], contained: Collection[str] = ()
) -> dict[tuple[str, str], int]:
    """What was restated of flows, by indicator and column. `columns`: by a cumulative's column, the one that it is told in."""
    found: dict[tuple[str, str], int] = {}
    for one in booked:
        if one.column in columns and one.bureau not in contained and is_flow(form, one.indicator):
            place = (one.indicator, columns[one.column])
            found[place] = found.get(place, 0) + one.amount
    return found


_Sum = tuple[int | None, bool]  # a figure, and whether all of it was accepted
_NOTHING: _Sum = (None, True)


def _with_baseline(
    connection: Connection, form: Form, period: Period, found: dict[tuple[str, str], _Sum], absent: Collection[str]
) -> dict[tuple[str, str], _Sum]:
    """Earlier figures beside what was received: those of absent bureaus are added; while some are absent, the office's
    own earlier total stands for all, since a part of it would be wrong."""
    rows = connection.execute(
        select(baseline)
        .join(dim_period, dim_period.c.id == baseline.c.period_id)
        .where(baseline.c.family == form.family, dim_period.c.code == period.code)
    ).all()
    result = dict(found)
    for row in rows:
        if row.bureau_code in absent:
            before, _ = result.get((row.indicator, row.column_code), _NOTHING)
            result[(row.indicator, row.column_code)] = ((before or 0) + row.value, False)
    for row in rows:
        if row.bureau_code == "" and absent:
            result[(row.indicator, row.column_code)] = (row.value, False)
    return result


class _Part:
    """The figures of a part of a longer time, for looking up; None where there is no such part."""

    def __init__(self, form: Form, part: FrozenFigures | None):
        self._figures = {(one.indicator, one.column): one for one in part.figures} if part is not None else {}
        self.imported = part is not None and part.status is VersionStatus.UNVERIFIED
        # Of a part that is not there nothing is known; one on another version of the form may not have asked.
        self._is_told = part is not None and not self.imported and part.form == form.key

    def of(self, indicator: str, column: str) -> _Sum:
        """Its figure, and whether it is validated: where nothing is known, nothing that contains it is."""
        one = self._figures.get((indicator, column))
        return (one.value, one.validated) if one is not None else (None, self._is_told)


def _before(parts: Sequence[_Part], indicator: str, own: str, cumulative: str) -> list[_Sum]:
    """The year's figures before a period, one a part. An imported cumulative stands for all parts up to its own."""
    found: list[_Sum] = []
    for part in parts:
        value, validated = part.of(indicator, own)
        if part.imported and value is None and (so_far := part.of(indicator, cumulative)[0]) is not None:
            found = [(None, False)] * len(found) + [(so_far, False)]
        else:
            found.append((value, validated))
    return found


def _cumulated(moment: Moment, parts: Sequence[_Sum]) -> _Sum:
    """Flows add up over the parts; an opening is the first part's, a closing the last one's, known or not."""
    if moment == "opening":
        return parts[0]
    if moment == "closing":
        return parts[-1]
    values = [value for value, _ in parts if value is not None]
    return (sum(values) if values else None), all(validated for _, validated in parts)


def rolled_up_figures(
    form: Form,
    parts: Sequence[FrozenFigures | None],
    contained: Collection[str] = (),
    booked: Sequence[Restatement] = (),
) -> list[ConsolidatedFigure]:
    """A coarser period from its parts, and what was restated of their cumulatives (`booked`): only columns that are a part's
    own; cumulatives are theirs already."""
    restated = _restated(form, booked, _cumulated_columns(form), contained)
    found = [_Part(form, part) for part in parts]
    cells = [cell for cell in form.cells if cell.measure != "share" and not form.columns[cell.column].cumulates]
    values: dict[Cell, _Sum] = {}
    for cell in cells:
        value, validated = _cumulated(cell.moment, [part.of(cell.indicator, cell.column) for part in found])
        values[cell] = (_plus(value, restated.get((cell.indicator, cell.column))), validated)
    for cell in cells:
        if cell.moment == "total":
            values[cell] = _cumulated("flow", [values[part] for part in form.parts_of(cell)])
    return [
        ConsolidatedFigure(cell.indicator, cell.column, cell.measure, value, cell.scale, validated)
        for cell, (value, validated) in values.items()
    ]


def _cumulated_columns(form: Form) -> dict[str, str]:
    """By the column of a cumulative, the one that it cumulates."""
    return {column.code: column.cumulates for column in form.columns.values() if column.cumulates}


def bureau_figures(
    connection: Connection,
    form: Form,
    period: Period,
    columns: Collection[str] | None = None,
    version: int | None = None,
    bureau: str | None = None,
) -> list[BureauFigure]:
    """Every bureau's figures that count in the period, so that each column adds up to the consolidated one.

    Cumulatives are added up from what counts in the year's periods, like the consolidated ones; a coarser period is
    added up from its parts.

    Args:
        columns: only these; all where None.
        version: as they entered the frozen version of this key; what counts now where None.
        bureau: only this one's.
    """
    wanted = [column for column in form.columns.values() if columns is None or column.code in columns]
    own = {column.code: column.code for column in wanted if column.cumulates is None}
    if period.frequency is not form.frequency:
        parts = period.parts(form.frequency)
        over = _Over(connection, form, parts, version, bureau)
        return with_restated(form, over.figures(own), over.booked, _cumulated_columns(form))
    found = _Over(connection, form, [period], version, bureau).figures(own)
    imported = _imported(connection, form, period, own, {figure.bureau for figure in found})
    found += [one for one in imported if bureau is None or one.bureau == bureau]
    if cumulative := {column.cumulates: column.code for column in wanted if column.cumulates}:
        over = _Over(connection, form, _year_so_far(connection, form, period, version), version, bureau)
        totals = {code: code for code in cumulative.values()}
        found += with_restated(form, over.figures(cumulative), over.booked, totals)
    return found


def _year_so_far(connection: Connection, form: Form, period: Period, version: int | None) -> list[Period]:
    """The year's periods up to this one, as the consolidated cumulatives have them: a year in which the form itself began
    begins with it, unless there are versions from before."""
    first = period.shifted(1 - period.ordinal)
    year = [first.shifted(count) for count in range(period.ordinal)]
    there = keys_then(connection, form.family, year, _ANY if version is None else version)
    began = Period.parse(form.valid.first).start
    return [one for one in year if one.code in there or one.start >= began]


def _imported(
    connection: Connection, form: Form, period: Period, columns: Collection[str], reported: Collection[str]
) -> list[BureauFigure]:
    """The baseline's figures of bureaus of which nothing counts: they stand in for them, so they must be seen."""
    rows = connection.execute(
        select(baseline)
        .join(dim_period, dim_period.c.id == baseline.c.period_id)
        .where(baseline.c.family == form.family, dim_period.c.code == period.code, baseline.c.bureau_code != "")
    )
    return [
        BureauFigure(row.bureau_code, row.indicator, row.column_code, cell.measure, row.value, row.scale, False)
        for row in rows
        if row.bureau_code not in reported and row.column_code in columns and row.indicator in form.indicators
        and (cell := form.figure_cell(row.indicator, row.column_code)) is not None
    ]  # fmt: skip


class _Over:
    """What counts of each bureau over `parts`: now, or in the versions that were the newest when the version of the key
    `version` was frozen; or of one bureau alone."""

    def __init__(
        self, connection: Connection, form: Form, parts: Sequence[Period], version: int | None, bureau: str | None
    ) -> None:
        self._connection, self._form, self._parts, self._version = connection, form, parts, version
        self._bureau = bureau
        self._then = None if version is None else keys_then(connection, form.family, parts, version)

    @property
    def booked(self) -> Sequence[Restatement | Booked]:
        """The restatements of that time, as they stand or stood."""
        return [one for one in self._all_booked if self._bureau in (None, one.bureau)]

    @property
    def _all_booked(self) -> Sequence[Restatement | Booked]:
        if self._then is None:
            return standing(self._connection, self._form.family, [part.code for part in self._parts])
        then = self._then
        absent = [part.code for part in self._parts if part.code not in then]  # of what had no version yet
        booked = booked_in(self._connection, then.values())
        return [*booked, *standing(self._connection, self._form.family, absent, self._version)]

    def _members(self, part: Period) -> list[Member]:
        if self._then is None:
            found = members_of(self._connection, self._form.family, part)
        else:
            found = members_of_version(self._connection, self._then[part.code]) if part.code in self._then else []
        return found if self._bureau is None else [one for one in found if one.bureau == self._bureau]

    def figures(self, columns: Mapping[str, str]) -> list[BureauFigure]:
        """The figures. `columns`: the column that is read → the one that it is given as.

        A total of flows and stocks is added up from what its parts are over that time.
        """
        form, parts = self._form, self._parts
        totals = [cell for cell in form.cells if cell.moment == "total" and cell.column in columns and len(parts) > 1]
        read = {*columns, *(part.column for cell in totals for part in form.parts_of(cell))}
        cells = {key: cell for key, cell in fact_cells(self._connection, form.family).items() if cell.place[1] in read}
        moments: dict[tuple[str, str, str], Moment] = {
            (cell.indicator, cell.column, cell.measure): cell.moment for cell in form.cells
        }
        only_in = {"opening": parts[0], "closing": parts[-1]}
        refilled = refilled_since(self._connection, (self._then or {}).values())
        found: dict[tuple[str, tuple[str, str]], _Sum] = {}
        for part in parts:
            elsewhere = {
                cell.place
                for cell in cells.values()
                if only_in.get(moments.get((*cell.place, cell.measure), "flow"), part) != part
            }
            for bureau, cell, value, accepted in each_fact(self._connection, cells, self._members(part), refilled):
                key = (bureau, cell.place)
                figure = None if cell.place in elsewhere else value
                before = found.get(key)
                if before is not None:
                    figure, accepted = _plus(before[0], figure), accepted and before[1]
                found[key] = (figure, accepted)
        for place in totals:
            for bureau in [bureau for bureau, at in found if at == (place.indicator, place.column)]:
                own = [found.get((bureau, (part.indicator, part.column))) for part in form.parts_of(place)]
                values = [value for value, _ in filter(None, own) if value is not None]
                validated = all(one is not None and one[1] for one in own)
                found[bureau, (place.indicator, place.column)] = (sum(values) if values else None, validated)
        cell_at = {cell.place: cell for cell in cells.values()}
        return [
            BureauFigure(
                bureau, place[0], columns[place[1]], cell_at[place].measure, value, cell_at[place].scale, validated
            )
            for (bureau, place), (value, validated) in found.items()
            if place[1] in columns
        ]
