"""Working days, holidays, due days and the clock. Holidays are data: one file a year, as the State Council announced them.

A day in a year without a file is judged by the weekday alone, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import ConfigError
from schemas.periods import Frequency, Period
from schemas.yamlfile import read_yaml

Clock = Callable[[], datetime]  # the moment now, with its time zone; injected, so that a run can be told again


def system_clock(timezone: str) -> Clock:
    """The machine's clock, in the office's time zone."""
    zone = ZoneInfo(timezone)
    return lambda: datetime.now(zone)


@dataclass
class StoryClock:
    """A clock that stands still until it is set: for the demonstration and for tests."""

    moment: datetime

    def __call__(self) -> datetime:
        return self.moment


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class _Span(_Part):
    """Days off for one reason, first and last included."""

    name: str
    first: date = Field(alias="from")
    last: date = Field(alias="to")


class _Year(_Part):
    year: int
    holidays: tuple[_Span, ...]
    workdays: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """The days off and the weekend days worked of the listed years."""

    holidays: frozenset[date]
    workdays: frozenset[date]
    years: frozenset[int]

    def is_listed(self, day: date) -> bool:
        """Whether the day's year is listed; otherwise the weekday decides and the answer is provisional."""
        return day.year in self.years

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on `day`."""
        return day in self.workdays or (day.weekday() < 5 and day not in self.holidays)

    def next_working_day(self, day: date) -> date:
        """`day` itself if it is one, else the first after it."""
        while not self.is_working_day(day):
            day += timedelta(days=1)
        return day

    def add_working_days(self, day: date, count: int) -> date:
        """The `count`-th working day after `day`; day one is the working day after it."""
        for _ in range(count):
            day = self.next_working_day(day + timedelta(days=1))
        return day

    @property
    def last_year(self) -> int | None:
        """The last listed year."""
        return max(self.years, default=None)


def load_calendar(files: Iterable[Path]) -> WorkCalendar:
    """Read the calendar files.

    Raises:
        ConfigError: a file cannot be used, or two files are of one year.
    """
    holidays: set[date] = set()
    workdays: set[date] = set()
    years: set[int] = set()
    for path in files:
        listed, source = read_yaml(path, _Year)
        if listed.year in years:
            raise source.error(("year",), f"{listed.year} 年重复。", f"The year {listed.year} is listed twice.")
        years.add(listed.year)
        workdays.update(listed.workdays)
        for index, span in enumerate(listed.holidays):
            if span.last < span.first:
                raise source.error(
                    ("holidays", index), f"「{span.name}」的 to 早于 from。", f"'{span.name}' ends early."
                )
            holidays.update(span.first + timedelta(days=n) for n in range((span.last - span.first).days + 1))
    return WorkCalendar(frozenset(holidays), frozenset(workdays), frozenset(years))


class DueRule(_Part):
    """By which day a return is due: `day` of the month that lies `months_after` the period's last one.

    `when_holiday`: the next working day, the n-th working day after the holidays' begin, or a fixed day of that month.
    """

    months_after: int = Field(ge=0)
    day: int = Field(ge=1, le=31)
    when_holiday: Literal["next_working_day", "stay"] | int = "next_working_day"


class Schedule(_Part):
    """When the scheduled month runs, and when returns are due."""

    cron: str
    timezone: str
    due: dict[Frequency, DueRule]


def load_schedule(path: Path) -> Schedule:
    """Read schedule.yaml.

    Raises:
        ConfigError: not readable, an unknown time zone, or a frequency without a due day.
    """
    schedule, source = read_yaml(path, Schedule)
    if schedule.timezone not in available_timezones():
        raise source.error(
            ("timezone",), f"没有时区「{schedule.timezone}」。", f"There is no time zone '{schedule.timezone}'."
        )
    if missing := [frequency for frequency in Frequency if frequency not in schedule.due]:
        raise source.error(("due",), f"缺少到期日:{'、'.join(missing)}。", f"No due day for: {', '.join(missing)}.")
    return schedule


@dataclass(frozen=True, slots=True)
class DueDay:
    """A due day; provisional where it falls in a year whose holidays are not listed yet."""

    day: date
    provisional: bool


def due_day(period: Period, rule: DueRule, calendar: WorkCalendar) -> DueDay:
    """The day by which returns for `period` are due; on a holiday as the rule says.

    Raises:
        ConfigError: a fixed substitute day that lies before the due day.
    """
    month = Period.of_day(period.end, Frequency.MONTHLY).shifted(rule.months_after)
    day = min(month.start.replace(day=1) + timedelta(days=rule.day - 1), month.end)
    provisional = not calendar.is_listed(day)
    if calendar.is_working_day(day) or rule.when_holiday == "stay":
        return DueDay(day, provisional)
    if isinstance(rule.when_holiday, int):
        if rule.when_holiday < rule.day:
            raise ConfigError(
                f"节假日顺延日 {rule.when_holiday} 早于到期日 {rule.day}。",
                f"The substitute day {rule.when_holiday} lies before the due day {rule.day}.",
            )
        return DueDay(min(month.start + timedelta(days=rule.when_holiday - 1), month.end), provisional)
    return DueDay(calendar.next_working_day(day), provisional)
