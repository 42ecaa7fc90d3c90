"""Working days, holidays, due days and the clock. Holidays are data: a file a year, as the State Council has it.

A day in a year without a file is judged by the weekday alone, and the answer says so. Not here: how many working days a
reply may take (a matter of the regulation in force, `quality`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from schemas.periods import Frequency, Period
from schemas.yamlfile import Source, read_yaml

_CRON = re.compile(r"(?:[-*/,0-9A-Za-z#]+\s+){4}[-*/,0-9A-Za-z#]+")

Clock = Callable[[], datetime]  # the moment now, with its time zone; injected, so that a run can be told again


def system_clock(timezone: str) -> Clock:
    """The machine's clock, in the office's time zone."""
    zone = ZoneInfo(timezone)
    return lambda: datetime.now(zone)


@dataclass
class StoryClock:
    """A clock that stands still until it is set: for the demonstration and for tests.

    Raises:
        ValueError: the moment it is set to has no time zone.
    """

    moment: datetime

    def __post_init__(self) -> None:
        self.set(self.moment)

    def __call__(self) -> datetime:
        return self.moment

    def set(self, moment: datetime) -> None:
        """Go on (or back) to `moment`."""
        if moment.tzinfo is None:
            raise ValueError(f"{moment} has no time zone")
        self.moment = moment


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class _Span(_Part):
    """Days off for one reason, first and last included."""

    name: str
    first: date = Field(alias="from")
    last: date = Field(alias="to")

    @property
    def days(self) -> tuple[date, ...]:
        """Every day of it."""
        return tuple(self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))


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
        """The `count`-th working day after `day`, where day one is the working day after it; for none, `day` itself.

        Raises:
            ValueError: `count` is negative.
        """
        if count < 0:
            raise ValueError(f"cannot add {count} working days")
        for _ in range(count):
            day = self.next_working_day(day + timedelta(days=1))
        return day

    @property
    def last_listed_year(self) -> int | None:
        """The last year whose holidays are known."""
        return max(self.years, default=None)


def load_calendar(files: Iterable[Path]) -> WorkCalendar:
    """Read the calendar files, each of one year.

    Raises:
        ConfigError: a file cannot be used, two files are of one year, or a day makes no sense where it stands.
    """
    holidays: set[date] = set()
    workdays: set[date] = set()
    files_by_year: dict[int, Path] = {}
    for path in files:
        listed, source = read_yaml(path, _Year)
        if listed.year in files_by_year:
            other = files_by_year[listed.year]
            raise source.error(
                ("year",),
                f"{listed.year} 年在 {other} 中已有;请只留一个文件,或用同一文件名替换它。",
                f"The year {listed.year} is already in {other}; keep one, or give yours the same name to replace it.",
            )
        files_by_year[listed.year] = path
        _refuse_odd_days(listed, source)
        holidays.update(day for span in listed.holidays for day in span.days)
        workdays.update(listed.workdays)
    return WorkCalendar(frozenset(holidays), frozenset(workdays), frozenset(files_by_year))


def _refuse_odd_days(listed: _Year, source: Source) -> None:
    off: set[date] = set()
    for index, span in enumerate(listed.holidays):
        at = ("holidays", index)
        if span.last < span.first:
            raise source.error(
                at,
                f"「{span.name}」的 to({span.last})早于 from({span.first})。",
                f"'{span.name}' has a 'to' ({span.last}) before its 'from' ({span.first}).",
            )
        if {span.first.year, span.last.year} != {listed.year}:
            raise source.error(
                at,
                f"「{span.name}」({span.first} 至 {span.last})不全在 {listed.year} 年;跨年的假期请分写在两个文件里。",
                f"'{span.name}' ({span.first} to {span.last}) is not all in {listed.year}; divide a holiday over the "
                "turn of the year between the two files.",
            )
        off.update(span.days)
    for index, day in enumerate(listed.workdays):
        at = ("workdays", index)
        if day.year != listed.year:
            raise source.error(at, f"{day} 不在 {listed.year} 年。", f"{day} is not in {listed.year}.")
        if day in off:
            raise source.error(at, f"{day} 又是假日又是工作日。", f"{day} is both a holiday and a working day.")
        if day.weekday() < 5:
            raise source.error(
                at,
                f"{day} 不是周六、周日;workdays 只写调休上班的周末。",
                f"{day} is no Saturday or Sunday; 'workdays' lists weekend days that are worked.",
            )


class WorkingDayAfter(_Part):
    """The n-th working day after the due day, where that is off (南陵县: the third)."""

    working_day: int = Field(ge=1, le=20)


DayOfMonth = Annotated[int, Field(ge=1, le=31)]
Roll = Literal["next_working_day", "stay"] | DayOfMonth | WorkingDayAfter


class DueRule(_Part):
    """By which day a return is due: `day` of the month that lies `months_after` the period's last one (the month's last
    day where it is shorter), and what takes its place where that day is off.

    `when_holiday`: the next working day; the same day all the same; a fixed day of that month (泉港: the 8th for the
    3rd); or the n-th working day after it. `when_weekend`: the same for a weekend day outside a holiday, where an order
    speaks of long holidays only; as `when_holiday` where nothing is said.
    """

    months_after: int = Field(ge=0, le=24)
    day: DayOfMonth
    when_holiday: Roll = "next_working_day"
    when_weekend: Roll | None = None


class ReleaseRule(DueRule):
    """When a period's figures may be given to the public: a day, told like a due day, and the time of that day."""

    at: str = Field(default="10:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")


class ReleaseCalendar(_Part):
    """When figures may be given to the public, by frequency; none where nothing is planned. `dates` are those of single
    periods, before the rule: a day (at the rule's time) or a moment."""

    monthly: ReleaseRule | None = None
    quarterly: ReleaseRule | None = None
    half_yearly: ReleaseRule | None = None
    yearly: ReleaseRule | None = None
    dates: dict[str, datetime | date] = {}

    def rule(self, frequency: Frequency) -> ReleaseRule | None:
        """What holds for periods of a frequency."""
        return getattr(self, frequency.value)


class Schedule(_Part):
    """When the scheduled month runs, when returns are due, and when figures may be released."""

    cron: str
    timezone: str
    due: dict[Frequency, DueRule]
    release: ReleaseCalendar = ReleaseCalendar()


def load_schedule(path: Path) -> Schedule:
    """Read schedule.yaml.

    Raises:
        ConfigError: not readable, no cron line, an unknown time zone, a frequency without a due day, or a substitute
            day that lies before the due day.
    """
    schedule, source = read_yaml(path, Schedule)
    if not _CRON.fullmatch(schedule.cron.strip()):
        raise source.error(
            ("cron",),
            f"cron 为「{schedule.cron}」;应为五项:分 时 日 月 星期,如 0 8 6 * *。",
            f"'cron' is '{schedule.cron}'; five fields are expected: minute hour day month weekday, as in 0 8 6 * *.",
        )
    if not _is_timezone(schedule.timezone):
        raise source.error(
            ("timezone",),
            f"没有时区「{schedule.timezone}」;请写如 Asia/Shanghai。",
            f"There is no time zone '{schedule.timezone}'; write one such as Asia/Shanghai.",
        )
    if missing := [frequency for frequency in Frequency if frequency not in schedule.due]:
        raise source.error(("due",), f"缺少到期日:{'、'.join(missing)}。", f"No due day for: {', '.join(missing)}.")
    for frequency, rule in schedule.due.items():
        for key, roll in (("when_holiday", rule.when_holiday), ("when_weekend", rule.when_weekend)):
            if isinstance(roll, int) and roll < rule.day:
                raise source.error(
                    ("due", frequency.value, key),
                    f"顺延至 {roll} 日,早于到期的 {rule.day} 日。",
                    f"The substitute day {roll} lies before the due day {rule.day}.",
                )
    for code in schedule.release.dates:
        if Period.read(code) is None or Period.parse(code).code != code:
            raise source.error(
                ("release", "dates", code),
                f"「{code}」不是时期;请写如 2014-05、2014Q2、2014H1 或 2014。",
                f"'{code}' is no period; write one such as 2014-05, 2014Q2, 2014H1 or 2014.",
            )
    return schedule


def _is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # not there (a KeyError), a folder of zones, or no name of one at all
        return False
    return True


@dataclass(frozen=True, slots=True)
class DueDay:
    """A due day; provisional where it falls in a year whose holidays are not listed yet."""

    day: date
    provisional: bool


def due_day(period: Period, rule: DueRule, calendar: WorkCalendar) -> DueDay:
    """The day by which returns for `period` are due; where that day is off, as the rule says."""
    month = Period.of_day(period.end, Frequency.MONTHLY).shifted(rule.months_after)
    first = _day_of(month, rule.day)
    due = first
    if not calendar.is_working_day(first):
        roll = rule.when_holiday
        if rule.when_weekend is not None and first not in calendar.holidays:
            roll = rule.when_weekend
        due = _rolled(first, roll, month, calendar)
    return DueDay(due, provisional=not (calendar.is_listed(first) and calendar.is_listed(due)))


def release_moment(period: Period, schedule: Schedule, calendar: WorkCalendar) -> datetime | None:
    """The moment from which a period's figures may be given to the public; None where none is planned."""
    rule, zone = schedule.release.rule(period.frequency), ZoneInfo(schedule.timezone)
    at = time.fromisoformat(rule.at if rule is not None else ReleaseRule.model_fields["at"].default)
    planned = schedule.release.dates.get(period.code)
    if isinstance(planned, datetime):
        return planned if planned.tzinfo else planned.replace(tzinfo=zone)
    if planned is None and rule is None:
        return None
    day = planned if planned is not None else due_day(period, rule, calendar).day  # type: ignore[arg-type]
    return datetime.combine(day, at, zone)


def _day_of(month: Period, day: int) -> date:
    return min(month.start + timedelta(days=day - 1), month.end)


def _rolled(day: date, roll: Roll, month: Period, calendar: WorkCalendar) -> date:
    if roll == "stay":
        return day
    if isinstance(roll, WorkingDayAfter):
        return calendar.add_working_days(day, roll.working_day)
    if isinstance(roll, int):
        # The substitute may itself be off (8 October 2020 was): nobody hands in on such a day.
        return calendar.next_working_day(_day_of(month, roll))
    return calendar.next_working_day(day)
