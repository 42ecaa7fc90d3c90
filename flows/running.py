"""Running the month from here: which office, under which clock, and the table that follows every consolidation.

Shared by the command line and the Prefect flows; no Prefect in here.
"""

from __future__ import annotations

import os
import secrets
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
from disclosure_etl.reports.corrections import names_of, notice, notice_path
from disclosure_etl.reports.firmness import changes_of, embargo_of, form_of, versions_then
from disclosure_etl.reports.rehearsal import periods_from
from disclosure_etl.reports.standing import absences, failures_of
from disclosure_etl.reports.summary import summary_path, summary_workbook
from disclosure_etl.reports.summary_changes import Beside
from disclosure_etl.reports.tasks import Task, tasks_of
from disclosure_etl.settings import Settings, load_settings
from disclosure_etl.warehouse import base_of
from schemas.consolidation import Consolidation
from schemas.deltas import Delta
from schemas.errors import Message, UserError
from schemas.forms import Form
from schemas.periods import Period
from schemas.versions import ChangeList, FrozenVersion

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


def table_path(office: Office, one: Consolidation) -> Path:
    """Where the 汇总表 of a version stands."""
    return summary_path(office.settings.reports_path, one, office.settings.family)


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


def in_office_time(office: Office, one: Consolidation) -> Consolidation:
    """A version with its moment in the office's time zone: a database gives it back in its own."""
    return replace(one, frozen_at=one.frozen_at.astimezone(office.clock().tzinfo))


def publish(office: Office, versions: Collection[Consolidation]) -> tuple[Path, ...]:
    """Write what is made of new versions: their tables, and the correction notices that are due; the new ones of these."""
    write_tables(office, versions)
    return write_notices(office, versions)


def write_tables(office: Office, consolidations: Collection[Consolidation]) -> tuple[Path, ...]:
    """Write the 汇总表 of each version that has none yet."""
    written = []
    for one in consolidations:
        path = table_path(office, one)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_whole(path, table_of(office, one))
        written.append(path)
    return tuple(written)


def table_of(office: Office, one: Consolidation, as_of: datetime | None = None) -> bytes:
    """The 汇总表 of a version: its figures, bureaus and failures as they entered it, and what changed since the version that
    others know. Whether it is embargoed is told as of when it was frozen, or of a moment, so that it is the same file at any time."""
    period, form = Period.parse(one.period), form_of(office, one)
    stored = office.warehouse.bureau_figures(form, period, form.own_columns, one.version)
    figures = sorted(stored, key=lambda figure: (figure.bureau, figure.indicator, figure.column))
    ahead = embargo_of(office, one, as_of or one.frozen_at)
    changes = changes_of(office, one, as_of=as_of or one.frozen_at) if one.version > 1 else None
    beside = Beside(ahead.zh if ahead else "", changes, names_of(office))
    told = office.warehouse.freezing(one)
    one = in_office_time(office, one)
    return summary_workbook(form, one, figures, failures_of(office, one), absences(office, one), beside, told)


def notice_due(office: Office, one: Consolidation) -> Path | None:
    """Where the correction notice (更正说明) of a version stands or is to stand; None where it corrects nothing on which others
    rely, that is none that was released or locked."""
    versions = versions_then(office, one) if one.version > 1 else []
    base = base_of(versions, versions[-1]) if versions else None
    return _notice_path(office, base, versions[-1]) if base is not None and base.is_out else None


def _notice_path(office: Office, older: FrozenVersion, newer: FrozenVersion) -> Path:
    return notice_path(office.settings.reports_path, older, newer, office.settings.family)


def write_notices(office: Office, consolidations: Collection[Consolidation]) -> tuple[Path, ...]:
    """Write the correction notices that are due and not there yet; these."""
    written = []
    for one in consolidations:
        path = notice_due(office, one)
        if path is not None and not path.exists() and (changes := changes_of(office, one)) is not None:
            written.append(write_notice(office, changes, form_of(office, one))[0])
    return tuple(written)


def write_notice(office: Office, changes: ChangeList, form: Form) -> tuple[Path, bool]:
    """Write one correction notice; where it lies, and whether it is new."""
    path = _notice_path(office, changes.older, changes.newer)
    if path.exists():
        return path, False
    zone = ZoneInfo(office.schedule.timezone)
    lock = office.warehouse.last_lock(changes.newer.family, Period.parse(changes.newer.period).year)
    text = notice(form, changes, names_of(office), office.warehouse.audit_head(), zone, lock)
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_whole(path, text.encode())
    return path, True


def _write_whole(path: Path, data: bytes) -> None:
    """A file that is there whole or not at all: what is there is never written again."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        beside.write_bytes(data)
        os.replace(beside, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, f"{path}") from error
    finally:
        beside.unlink(missing_ok=True)
