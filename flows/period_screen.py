"""One stored period, or all of them, on a person's screen: fetched from the warehouse and handed to `console`.

Not here: what a line looks like (`console`).
"""

from __future__ import annotations

from datetime import datetime

from rich.table import Table

from disclosure_etl.office import Office
from disclosure_etl.reports.firmness import firmness
from disclosure_etl.reports.publishing import in_office_time
from disclosure_etl.reports.standing import absences, not_consolidated, parts_of, standing_then
from flows.carried_screen import show_restatements
from flows.console import Screen, show_consolidation, show_failures, show_unread, show_what_to_do
from flows.session import Session
from schemas.consolidation import Consolidation
from schemas.errors import UserError
from schemas.periods import Period
from schemas.records import Status
from schemas.values import figure_text

_MOST_FAILURES = 10  # `failures` lists all


def stored_version(
    office: Office, family: str, period: Period, version: int | None, as_of: datetime | None = None
) -> Consolidation:
    """The newest frozen version of a period, one by number, or what was the newest at a moment.

    Raises:
        UserError: the period was not consolidated yet (or not by then), or has no such version.
    """
    newest = office.warehouse.consolidation(family, period)
    if newest is None:
        raise not_consolidated(period)
    one = office.warehouse.consolidation(family, period, version, as_of) if version or as_of else newest
    if one is None and as_of is not None:
        raise UserError(
            f"{period} 到 {as_of:%Y-%m-%d %H:%M} 还没有汇总过。",
            f"{period} was not consolidated yet by {as_of:%Y-%m-%d %H:%M}.",
        )
    if one is None:
        raise UserError(
            f"{period} 没有第 {version} 版;最新的是第 {newest.version} 版。",
            f"{period} has no version {version}; the newest is {newest.version}.",
        )
    return in_office_time(office, one)


def show_period(
    session: Session, family: str, period: Period, version: int | None = None, as_of: datetime | None = None
) -> None:
    """A period's bureaus, totals and failures, by its newest version, the one of that number, or that of a moment."""
    office = session.office
    warehouse = office.warehouse
    one = stored_version(office, family, period, version, as_of)
    newest = warehouse.consolidation(family, period)
    assert newest is not None
    is_old = one.version != newest.version
    form = next(form for form in office.forms.forms if form.key == one.form)
    headline = {(cell.indicator, cell.column) for cell in form.headline}
    columns = sorted({column for _, column in headline})
    listed = warehouse.bureau_figures(form, period, columns, one.version)
    if is_old or as_of is not None:
        known = standing_then(office, one)
        failures, refused = list(known.failures), list(known.refused)
    else:
        parts = parts_of(office, family, period)
        failures = [failure for part in parts for failure in warehouse.failures(family, part)]
        refused = [file for part in parts for file in warehouse.refused(one.family, part)]
    figures = {
        (figure.bureau, figure.indicator): (
            "" if figure.value is None else figure_text(figure.value, figure.scale),
            figure.validated,
        )
        for figure in listed
        if (figure.indicator, figure.column) in headline
    }
    due = None if period.frequency is not form.frequency else office.due(period).day
    screen = Screen(figures, {} if is_old else absences(office, one), due, newest.version if is_old else None)
    show_consolidation(session, form, one, screen)
    names = {state.bureau: session.pick(state.name_zh, state.name_en) for state in one.bureaus}
    for told in firmness(office, one, as_of):
        session.say(told.zh, told.en)
    if one.restatements:
        session.say(
            "调整(期初、累计与上期认定数的差额,单列):", "restated (openings and cumulatives, booked by themselves):"
        )
        show_restatements(session, one.restatements)
    show_failures(session, failures, refused, names, _MOST_FAILURES, of=period.code)
    if not is_old:
        show_unread(session, warehouse.unread(family, period))
        show_what_to_do(session, failures, refused)


def show_periods(session: Session, found: list[Consolidation]) -> None:
    """A line for each period, with a count for each thing that needs a person."""
    table = Table(box=None, pad_edge=False)
    heads = (
        ("时期", "period"), ("版本", "version"), ("已认定", "accepted"), ("暂存", "held"), ("其中部分", "in part"),
        ("未报", "missing"), ("未采用", "not taken"), ("未通过", "failures"), ("其中警告", "warnings"), ("待复核", "stale"),
        ("覆盖率", "coverage"),
    )  # fmt: skip
    for at, head in enumerate(heads):
        table.add_column(session.pick(*head), justify="left" if at == 0 else "right")
    for one in found:
        partly, counts = one.counts[Status.PARTLY_HELD], one.counts
        numbers = (
            one.version, counts[Status.ACCEPTED], counts[Status.HELD] + partly, partly, len(one.missing),
            counts[Status.UNREADABLE] + counts[Status.MISDIRECTED] + counts[Status.FAILED], one.failures,
            sum(state.warnings for state in one.bureaus), sum(state.stale for state in one.bureaus),
        )  # fmt: skip
        coverage = f"{one.coverage:.1%}" if one.status.value != "unverified" else session.pick("未经核实", "unverified")
        table.add_row(one.period, *(str(number or "") for number in numbers), coverage)
    session.console.print(table)
    session.say(
        "暂存:部分或全部板块未认定的报表;未采用:无法读取、误投或出了程序故障的文件;待复核:已认定而现在不再相符的。"
        "详情:disclosure-etl status 时期",
        "held: returns of which a block or all is not accepted; not taken: files unreadable, misdirected or met by a program "
        "fault; stale: accepted, and no longer consistent. More: disclosure-etl status PERIOD",
    )
