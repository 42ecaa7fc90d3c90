"""Running the month from here: which office, under which clock, and what follows every run.

Shared by the command line and the Prefect flows; no Prefect in here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from disclosure_etl.calendar import Clock, StoryClock, load_schedule, system_clock
from disclosure_etl.deltas import propose
from disclosure_etl.office import Office
from disclosure_etl.pipeline import MonthResult, Progress, consolidate, roll_up
from disclosure_etl.reports.publishing import begin_publishing, notice_due, publish, table_path
from disclosure_etl.reports.rehearsal import periods_from
from disclosure_etl.reports.tasks import Task, tasks_of
from disclosure_etl.settings import Settings, load_settings
from schemas.deltas import Delta
from schemas.errors import Message, UserError
from schemas.periods import Period

RERUN = "rerun"


def open_office(
    config: Path | None, now: datetime | None = None, environment: Mapping[str, str] | None = None
) -> Office:
    """The office that `config`, the environment or the current folder tells; its clock stands at `now` where given."""
    settings = load_settings(config, os.environ if environment is None else environment, Path.cwd())
    return Office(settings, office_clock(settings, now), lambda message: _told(settings, message))


def _told(settings: Settings, message: Message) -> None:
    """A line for whoever watches a service."""
    sys.stderr.write(f"{message.in_language(settings.language)}\n")


def office_clock(settings: Settings, now: datetime | None) -> Clock:
    """The office's clock, in its own time zone, which `now` is taken to be in where it says none."""
    timezone = load_schedule(settings.dirs.file("schedule.yaml")).timezone
    if now is not None:
        return StoryClock(now if now.tzinfo else now.replace(tzinfo=ZoneInfo(timezone)))
    return system_clock(timezone)


def default_period(office: Office, family: str) -> Period:
    """The period that a scheduled run consolidates: the last one that is over."""
    return Period.of_day(office.clock().date(), office.forms.frequency_of(family)).preceding


def refuse_unfinished(office: Office, period: Period) -> None:
    """A period is consolidated when it is over: before, every bureau that waits for its end would be frozen as missing.

    Raises:
        UserError: its last day is not over by the office's clock.
    """
    today = office.clock().date()
    if period.end >= today:
        raise UserError(
            f"{period} 到 {period.end} 才结束(今天是 {today}),现在汇总会把未到期的单位记为未报;确要提前汇总,请加 --early。",
            f"{period} ends on {period.end}, and today is {today}: bureaus would be frozen as missing before their time. "
            "To consolidate it all the same, add --early.",
        )


def form_gap(office: Office, family: str) -> Message | None:
    """What is wrong if the last period that is over has no form in force: the next scheduled run could not be made."""
    try:
        office.forms.choose(family, default_period(office, family))
    except UserError as error:
        return error.message
    return None


@dataclass(frozen=True)
class Ran:
    """What a run came to: the result, the tables that were written for it, and the correction notices that stand beside them;
    of a rerun also the deltas that it proposes, and who has what to do."""

    result: MonthResult
    tables: tuple[Path, ...]
    notices: tuple[Path, ...] = ()
    deltas: tuple[Delta, ...] | None = None
    tasks: tuple[Task, ...] | None = None


def run_period(
    office: Office,
    family: str,
    period: Period,
    *,
    command: str = "consolidate",
    bureaus: Collection[str] | None = None,
    first: Period | None = None,
    progress: Progress | None = None,
) -> Ran:
    """Consolidate a period from its submissions, or add a coarser one up from its parts; a rerun, from `first` on."""
    if command == RERUN:
        office.warehouse.refuse_locked(family, periods_from(first, period))
    begin_publishing(office)
    if period.frequency is not office.forms.frequency_of(family):
        result = MonthResult(roll_up(office, family, period, publish))
    else:
        options = {"progress": progress} if progress else {}

        def run(one: Period) -> MonthResult:
            return consolidate(office, family, one, command=command, bureaus=bureaus, publish=publish, **options)

        if command == RERUN:
            return rerun_periods(office, family, period, first, run)
        result = run(period)
    return ran_to(office, result)


def ran_to(office: Office, result: MonthResult) -> Ran:
    """A run's result with its tables, which were written while it had the office to itself."""
    versions = (result.consolidation, *result.later)
    notices = [path for one in versions if (path := notice_due(office, one)) is not None and path.exists()]
    return Ran(result, tuple(table_path(office, one) for one in versions), tuple(notices))


def rerun_periods(
    office: Office,
    family: str,
    period: Period,
    first: Period | None,
    run: Callable[[Period], MonthResult],
) -> Ran:
    """Take corrections of every period from `first` to `period`, and tell what follows from them.

    Args:
        run: one consolidation of a period.
    """
    periods = periods_from(first, period)
    results = [run(one) for one in periods]
    again = {(one.family, one.period): one for result in results for one in (result.consolidation, *result.later)}
    last = again.pop((family, period.code))
    faults = tuple(dict.fromkeys(fault for result in results for fault in result.faults))
    waiting = tuple(file for result in results for file in result.held_for_lock)
    result = MonthResult(last, tuple(again.values()), faults, results[-1].sources, waiting)
    proposed = propose(office, family, periods[0])
    tasks = tasks_of(office, family, (*periods, *office.warehouse.later_periods(family, period)), proposed)
    return replace(ran_to(office, result), deltas=tuple(proposed), tasks=tuple(tasks))
