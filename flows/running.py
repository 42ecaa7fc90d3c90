"""Running the month from here: which office, under which clock, and the table that follows every consolidation.

Shared by the command line and the Prefect flows; no Prefect in here.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from disclosure_etl.calendar import Clock, StoryClock, load_schedule, system_clock
from disclosure_etl.office import Office
from disclosure_etl.pipeline import MonthResult, Progress, consolidate, roll_up
from disclosure_etl.reports.summary import summary_path, summary_workbook
from disclosure_etl.settings import Settings, load_settings
from schemas.consolidation import Consolidation
from schemas.periods import Period


def open_office(
    config: Path | None, now: datetime | None = None, environment: Mapping[str, str] | None = None
) -> Office:
    """The office that `config`, the environment or the current folder tells; its clock stands at `now` where given."""
    settings = load_settings(config, os.environ if environment is None else environment, Path.cwd())
    return Office(settings, office_clock(settings, now))


def office_clock(settings: Settings, now: datetime | None) -> Clock:
    """The office's clock, in its own time zone, which `now` is taken to be in where it says none."""
    timezone = load_schedule(settings.dirs.file("schedule.yaml")).timezone
    if now is not None:
        return StoryClock(now if now.tzinfo else now.replace(tzinfo=ZoneInfo(timezone)))
    return system_clock(timezone)


def default_period(office: Office, family: str) -> Period:
    """The period that a scheduled run consolidates: the last one that is over."""
    return Period.of_day(office.clock().date(), office.forms.frequency_of(family)).preceding


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
        result = MonthResult(roll_up(office, family, period))
    else:
        options = {"progress": progress} if progress else {}
        result = consolidate(office, family, period, command=command, bureaus=bureaus, **options)
    return Ran(result, write_tables(office, (result.consolidation, *result.later)))


def write_tables(office: Office, consolidations: Collection[Consolidation]) -> tuple[Path, ...]:
    """Write the 汇总表 of each version that has none yet."""
    written = []
    for one in consolidations:
        path = summary_path(office.settings.reports_path, one)
        if not path.exists():
            period = Period.parse(one.period)
            form = next(form for form in office.forms.forms if form.key == one.form)
            figures = office.warehouse.bureau_figures(form, period, form.own_columns)
            failures = office.warehouse.failures(one.family, period)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(summary_workbook(form, one, figures, failures))
        written.append(path)
    return tuple(written)
