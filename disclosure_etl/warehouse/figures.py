"""Consolidated figures: sums over what counts, cumulatives over the year, coarser periods from finer ones.

Not here: whose block counts (`loading`), or freezing a version of them (`versions`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import BigInteger, ColumnElement, Connection, FromClause, Subquery, case, cast, func, select

from disclosure_etl.warehouse.dimension_tables import dim_cell, dim_form, dim_indicator, dim_period
from disclosure_etl.warehouse.known_then import keys_then, refilled_since
from disclosure_etl.warehouse.tables import (
    baseline,
    consolidation,
    consolidation_member,
    current_block,
    fact_observation,
    submission,
)
from schemas.consolidation import BureauFigure, ConsolidatedFigure, Consolidation, VersionStatus
from schemas.forms import Cell, Form, Moment
from schemas.periods import Period
from schemas.states import State


def counting(*, without_held: bool) -> tuple[ColumnElement[bool], ...]:
    """Which rows of `current_block` count: all of them, or only what is accepted and was not sent back."""
    if not without_held:
        return ()
    sent_back = select(submission.c.id).where(submission.c.status == State.RETURNED.value)
    return (current_block.c.accepted, current_block.c.submission_id.not_in(sent_back))


def sums(
    connection: Connection,
    family: str,
    period: Period,
    contained: Collection[str] = (),
    *,
    without_held: bool = False,
) -> dict[tuple[str, str], tuple[int | None, bool]]:
    """Over all bureaus but those `contained` in another's figures, by (indicator, column): the sum of what counts, and
    whether all of it was accepted."""
    # By cell first: grouping half a million rows by a number takes a third of the time that grouping by names takes.
    by_cell = (
        select(
            fact_observation.c.cell_id,
            cast(func.sum(fact_observation.c.value), type_=BigInteger).label("total"),
            func.min(case((current_block.c.accepted, 1), else_=0)).label("accepted"),
        )
        .select_from(current_block)
        .join(dim_period, dim_period.c.id == current_block.c.period_id)
        .join(fact_observation, fact_observation.c.submission_id == current_block.c.submission_id)
        .join(dim_cell, (dim_cell.c.id == fact_observation.c.cell_id) & (dim_cell.c.block == current_block.c.block))
        .where(current_block.c.family == family, dim_period.c.code == period.code, dim_cell.c.measure != "share")
        .where(current_block.c.bureau_code.not_in(sorted(contained)), *counting(without_held=without_held))
        .group_by(fact_observation.c.cell_id)
    )
    names = {
        row.id: (row.code, row.column_code)
        for row in connection.execute(
            select(dim_cell.c.id, dim_indicator.c.code, dim_cell.c.column_code)
            .join(dim_indicator, dim_indicator.c.id == dim_cell.c.indicator_id)
            .join(dim_form, dim_form.c.id == dim_cell.c.form_id)
            .where(dim_form.c.family == family)
        )
    }
    found: dict[tuple[str, str], tuple[int | None, bool]] = {}
    for cell, total, accepted in connection.execute(by_cell):
        # Two definitions of one form may both have submissions in a period (an office edited its form file).
        before, so_far = found.get(names[cell], (None, True))
        value = total if before is None else before if total is None else before + total
        found[names[cell]] = (value, so_far and bool(accepted))
    return found


def period_figures(
    connection: Connection,
    form: Form,
    period: Period,
    earlier: Sequence[Consolidation | None],
    absent: Collection[str],
    contained: Collection[str] = (),
    *,
    without_held: bool = False,
) -> list[ConsolidatedFigure]:
    """The period's figures. A cumulative is added up from the year's frozen periods; the reported one is only checked.

    Args:
        earlier: the newest versions of the year's periods before this one, in order; None for one that is not there.
        absent: owing bureaus of which nothing counts: the baseline's figures, if any, stand in for them, unverified.
        contained: bureaus whose figures are inside another's that reports for its whole branch.
        without_held: leave held blocks out, rather than count them as reported.
    """
    own = sums(connection, form.family, period, contained, without_held=without_held)
    found = _with_baseline(connection, form, period, own, absent)
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
        figures.append(ConsolidatedFigure(cell.indicator, cell.column, cell.measure, value, cell.scale, validated))
    return figures


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

    def __init__(self, form: Form, part: Consolidation | None):
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


def rolled_up_figures(form: Form, parts: Sequence[Consolidation | None]) -> list[ConsolidatedFigure]:
    """A coarser period from its parts: only columns that are a part's own; cumulatives are theirs already."""
    found = [_Part(form, part) for part in parts]
    cells = [cell for cell in form.cells if cell.measure != "share" and not form.columns[cell.column].cumulates]
    values: dict[Cell, _Sum] = {}
    for cell in cells:
        values[cell] = _cumulated(cell.moment, [part.of(cell.indicator, cell.column) for part in found])
    for cell in cells:
        if cell.moment == "total":
            values[cell] = _cumulated("flow", [values[part] for part in form.parts_of(cell)])
    return [
        ConsolidatedFigure(cell.indicator, cell.column, cell.measure, value, cell.scale, validated)
        for cell, (value, validated) in values.items()
    ]


def bureau_figures(
    connection: Connection,
    form: Form,
    period: Period,
    columns: Collection[str] | None = None,
    version: int | None = None,
) -> list[BureauFigure]:
    """Every bureau's figures that count in the period, so that each column adds up to the consolidated one.

    Cumulatives are added up from what counts in the year's periods, like the consolidated ones; a coarser period is
    added up from its parts.

    Args:
        columns: only these; all where None.
        version: as they entered the frozen version of this key; what counts now where None.
    """
    wanted = [column for column in form.columns.values() if columns is None or column.code in columns]
    own = {column.code: column.code for column in wanted if column.cumulates is None}
    if period.frequency is not form.frequency:
        return _over(connection, form, period.parts(form.frequency), own, version)
    found = _over(connection, form, [period], own, version)
    found += _imported(connection, form, period, own, {figure.bureau for figure in found})
    if cumulative := {column.cumulates: column.code for column in wanted if column.cumulates}:
        first = period.shifted(1 - period.ordinal)
        found += _over(connection, form, [first.shifted(count) for count in range(period.ordinal)], cumulative, version)
    return found


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


def _counted(
    connection: Connection, family: str, parts: Sequence[Period], key: int | None
) -> tuple[Subquery, set[int]]:
    """Whose block counts in each of `parts`: now, or in the versions that were the newest when the version `key` was frozen;
    and the keys of those."""
    if key is None:
        named = select(
            current_block.c.bureau_code, current_block.c.block, current_block.c.submission_id, current_block.c.accepted,
            dim_period.c.code.label("period"),
        ).join(dim_period, dim_period.c.id == current_block.c.period_id)  # fmt: skip
        codes = [part.code for part in parts]
        return named.where(current_block.c.family == family, dim_period.c.code.in_(codes)).subquery(), set()
    keys = set(keys_then(connection, family, parts, key).values())
    member = consolidation_member.c
    frozen = (
        select(
            member.bureau_code, member.block, member.submission_id, member.accepted, dim_period.c.code.label("period")
        )
        .join(consolidation, consolidation.c.id == member.consolidation_id)
        .join(dim_period, dim_period.c.id == consolidation.c.period_id)
        .where(consolidation.c.id.in_(sorted(keys)))
    )
    return frozen.subquery(), keys


def _over(
    connection: Connection, form: Form, parts: Sequence[Period], columns: Mapping[str, str], version: int | None
) -> list[BureauFigure]:
    """What counts of each bureau over `parts`. `columns`: the column that is read → the one that it is given as.

    A total of flows and stocks is added up from what its parts are over that time.
    """
    totals = [cell for cell in form.cells if cell.moment == "total" and cell.column in columns and len(parts) > 1]
    read = {*columns, *(part.column for cell in totals for part in form.parts_of(cell))}
    counted, keys = _counted(connection, form.family, parts, version)
    value: ColumnElement[int] = fact_observation.c.value
    facts: FromClause = fact_observation
    if (then := refilled_since(connection, keys)) is not None:
        same = (then.c.submission_id == fact_observation.c.submission_id) & (
            then.c.cell_id == fact_observation.c.cell_id
        )
        facts = fact_observation.outerjoin(then, same)
        value = case((then.c.until.is_not(None), then.c.value), else_=value)
    rows = connection.execute(
        select(
            counted.c.bureau_code,
            fact_observation.c.cell_id,
            cast(func.sum(value), type_=BigInteger),
            cast(func.sum(case((counted.c.period == parts[0].code, value))), type_=BigInteger),
            cast(func.sum(case((counted.c.period == parts[-1].code, value))), type_=BigInteger),
            func.min(case((counted.c.accepted, 1), else_=0)),
        )
        .select_from(counted)
        .join(facts, fact_observation.c.submission_id == counted.c.submission_id)
        .join(dim_cell, (dim_cell.c.id == fact_observation.c.cell_id) & (dim_cell.c.block == counted.c.block))
        .where(dim_cell.c.measure != "share", dim_cell.c.column_code.in_(sorted(read)))
        .group_by(counted.c.bureau_code, fact_observation.c.cell_id)
    )
    cells = {
        row.id: row
        for row in connection.execute(
            select(dim_cell.c.id, dim_indicator.c.code, dim_cell.c.column_code, dim_cell.c.measure, dim_cell.c.scale)
            .join(dim_indicator, dim_indicator.c.id == dim_cell.c.indicator_id)
            .join(dim_form, dim_form.c.id == dim_cell.c.form_id)
            .where(dim_form.c.family == form.family)
        )
    }
    found: dict[tuple[str, str, str], BureauFigure] = {}
    for bureau, cell_id, total, first, last, accepted in rows:
        cell = cells[cell_id]
        known_as = form.cell_at.get((cell.code, cell.column_code, cell.measure))
        moment = known_as.moment if known_as is not None else "flow"
        figure = first if moment == "opening" else last if moment == "closing" else total
        key = (bureau, cell.code, cell.column_code)
        before = found.get(key)  # by another definition of the form, in a part of the time
        if before is not None:
            known = [value for value in (before.value, figure) if value is not None]
            figure, accepted = (sum(known) if known else None), accepted and before.validated
        found[key] = BureauFigure(*key, cell.measure, figure, cell.scale, bool(accepted))
    for place in totals:
        for key in [key for key in found if key[1:] == (place.indicator, place.column)]:
            own = [found.get((key[0], part.indicator, part.column)) for part in form.parts_of(place)]
            values = [one.value for one in own if one is not None and one.value is not None]
            validated = all(one is not None and one.validated for one in own)
            found[key] = replace(found[key], value=sum(values) if values else None, validated=validated)
    return [replace(one, column=columns[one.column]) for one in found.values() if one.column in columns]
