"""What an export tells: which figures of which periods, from which version, by which tree.

Not here: laying them out (`by_tree`), files (`export_files`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from disclosure_etl.office import Office
from disclosure_etl.reports.by_tree import Line, Reported, lay_out
from disclosure_etl.reports.standing import not_consolidated
from schemas.consolidation import Consolidation
from schemas.errors import Message, UserError
from schemas.forms import Cell, Form
from schemas.periods import Period
from schemas.yamlfile import unknown_name

DAY, TODAY = "day", "today"  # the trees that are named; any other is named by its day


@dataclass(frozen=True)
class Choice:
    """What is asked for. `tree`: `day` (of the period's last day), `today`, or a day; figures: all where none are named."""

    tree: str = DAY
    version: int | None = None
    as_of: datetime | None = None
    indicators: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exported:
    """One period: its version, the day of the tree, the cells that are told in the form's order, and the lines."""

    form: Form
    consolidation: Consolidation
    tree_day: date
    cells: tuple[Cell, ...]
    lines: tuple[Line, ...]


def periods_of(written: Sequence[str]) -> tuple[list[Period], list[Period]]:
    """The periods asked for, in order: those that were named, and those of ranges (`2014-01..2014-12`).

    Raises:
        UserError: something is no period, or a range is of two lengths or ends before it begins.
    """
    named: list[Period] = []
    within: list[Period] = []
    for one in written:
        first, mark, last = one.partition("..")
        begin = Period.read(first) or Period.parse(first)
        if not mark:
            named.append(begin)
            continue
        end = Period.read(last) or Period.parse(last)
        if begin.frequency is not end.frequency or end.start < begin.start:
            raise UserError(
                f"时期范围「{one}」无法使用:两端应同为月、季、半年或年,且后者不早于前者,如 2014-01..2014-12。",
                f"The range '{one}' cannot be used: both ends are months, quarters, halves or years, the second not before "
                "the first, such as 2014-01..2014-12.",
            )
        while begin.start <= end.start:
            within.append(begin)
            begin = begin.shifted(1)
    return named, within


def exported(office: Office, family: str, period: Period, choice: Choice) -> Exported:
    """The figures of a period by bureau, as they were frozen, laid out by a tree.

    Raises:
        UserError: the period was not consolidated (by then), or has no such version; an indicator, column or tree is unknown.
    """
    one = _version(office, family, period, choice)
    form = next(form for form in office.forms.forms if form.key == one.form)
    cells = _cells(form, one, choice)
    places = {(cell.indicator, cell.column) for cell in cells}
    columns = {cell.column for cell in cells}
    figures = [
        figure
        for figure in office.warehouse.bureau_figures(form, period, columns, one.version)
        if (figure.indicator, figure.column) in places
    ]
    containers = {unit: whole for whole, units in office.bureaus.units(family, period).items() for unit in units}
    reported = Reported(
        figures,
        tuple(figure for figure in one.figures if (figure.indicator, figure.column) in places),
        period.end,
        tuple(bureau.code for bureau in office.owing(family, period)),
        containers,
        {state.bureau: Message(state.name_zh, state.name_en) for state in one.bureaus},
    )
    tree_day = _tree_day(office, period, choice.tree)
    return Exported(form, one, tree_day, cells, lay_out(reported, office.bureaus, tree_day))


def _version(office: Office, family: str, period: Period, choice: Choice) -> Consolidation:
    newest = office.warehouse.consolidation(family, period)
    if newest is None:
        raise not_consolidated(period)
    if choice.version is None and choice.as_of is None:
        return newest
    one = office.warehouse.consolidation(family, period, choice.version, choice.as_of)
    if one is None and choice.as_of is not None:
        raise UserError(
            f"{period} 到 {choice.as_of:%Y-%m-%d %H:%M} 还没有汇总过。",
            f"{period} was not consolidated yet by {choice.as_of:%Y-%m-%d %H:%M}.",
        )
    if one is None:
        raise UserError(
            f"{period} 没有第 {choice.version} 版;最新的是第 {newest.version} 版。",
            f"{period} has no version {choice.version}; the newest is {newest.version}.",
        )
    return one


def _tree_day(office: Office, period: Period, written: str) -> date:
    if written == DAY:
        return period.end
    if written == TODAY:
        return office.clock().date()
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise UserError(
            f"--tree「{written}」无法识别;请写 day(统计时期末日)、today(今天)或日期,如 2016-01-01。",
            f"--tree '{written}' is not understood; write day (the period's last), today, or a day such as 2016-01-01.",
        ) from None


def _cells(form: Form, one: Consolidation, choice: Choice) -> tuple[Cell, ...]:
    """The cells of the figures that are asked for, in the form's order."""
    indicators = {item.code: (item.label.zh, item.label.en) for item in form.indicators.values()}
    columns = {column.code: (column.label.zh, column.label.en) for column in form.columns.values()}
    wanted = _named(choice.indicators, indicators, "指标", "indicator")
    shown = _named(choice.columns, columns, "栏", "column")
    there = {(figure.indicator, figure.column) for figure in one.figures}
    return tuple(
        cell
        for cell in form.cells
        if cell.measure != "share"
        and (cell.indicator, cell.column) in there
        and cell.indicator in (wanted or indicators)
        and cell.column in (shown or columns)
    )


def _named(written: Sequence[str], known: Mapping[str, tuple[str, ...]], zh: str, en: str) -> set[str]:
    """The codes of what was named by code or label."""
    found: set[str] = set()
    for name in written:
        codes = [name] if name in known else [code for code, labels in known.items() if name in labels]
        if not codes:
            told_zh, told_en = unknown_name(name, list(known))
            raise UserError(f"没有{zh}「{name}」。{told_zh}", f"There is no {en} '{name}'. {told_en}")
        found.update(codes)
    return found
