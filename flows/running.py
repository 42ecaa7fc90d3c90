"""Running the month from here: which office, under which clock, and the table that follows every consolidation.

Shared by the command line and the Prefect flows; no Prefect in here.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from disclosure_etl.calendar import Clock, StoryClock, load_schedule, system_clock
from disclosure_etl.office import Office
from disclosure_etl.pipeline import MonthResult, Progress, consolidate, roll_up
from disclosure_etl.reports.standing import absences, failures_of
from disclosure_etl.reports.summary import summary_path, summary_workbook
from disclosure_etl.settings import Settings, load_settings
from schemas.consolidation import Consolidation
from schemas.errors import Message, UserError
from schemas.periods import Period


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
    """What a run came to: the result and the tables that were written for it."""

    result: MonthResult
    tables: tuple[Path, ...]


def run_period(
    office: Office,
    family: str,
    period: Period,
    *,
    command: str = "consolidate",
    bureaus: Collection[str] | None = None,
    progress: Progress | None = None,
) -> Ran:
    """Consolidate a period from its submissions, or add a coarser one up from its parts."""
    if period.frequency is not office.forms.frequency_of(family):
        result = MonthResult(roll_up(office, family, period, write_tables))
    else:
        options = {"progress": progress} if progress else {}
        result = consolidate(office, family, period, command=command, bureaus=bureaus, publish=write_tables, **options)
    return ran_to(office, result)


def ran_to(office: Office, result: MonthResult) -> Ran:
    """A run's result with its tables, which were written while it had the office to itself."""
    return Ran(result, tuple(table_path(office, one) for one in (result.consolidation, *result.later)))


def table_path(office: Office, one: Consolidation) -> Path:
    """Where the 汇总表 of a version stands."""
    return summary_path(office.settings.reports_path, one, office.settings.family)


def in_office_time(office: Office, one: Consolidation) -> Consolidation:
    """A version with its moment in the office's time zone: a database gives it back in its own."""
    return replace(one, frozen_at=one.frozen_at.astimezone(office.clock().tzinfo))


def write_tables(office: Office, consolidations: Collection[Consolidation]) -> tuple[Path, ...]:
    """Write the 汇总表 of each version that has none yet."""
    written = []
    for one in consolidations:
        path = table_path(office, one)
        if not path.exists():
            period = Period.parse(one.period)
            form = next(form for form in office.forms.forms if form.key == one.form)
            stored = office.warehouse.bureau_figures(form, period, form.own_columns)
            figures = sorted(stored, key=lambda figure: (figure.bureau, figure.indicator, figure.column))
            one = in_office_time(office, one)
            path.parent.mkdir(parents=True, exist_ok=True)
            told = office.warehouse.freezing(one)
            data = summary_workbook(form, one, figures, failures_of(office, one), absences(office, one), told)
            _write_whole(path, data)
        written.append(path)
    return tuple(written)


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
