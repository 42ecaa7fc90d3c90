"""Working days, due days and clocks."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import chinese_calendar  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disclosure_etl.calendar import (
    DueDay,
    DueRule,
    ReleaseCalendar,
    ReleaseRule,
    Schedule,
    StoryClock,
    WorkCalendar,
    WorkingDayAfter,
    due_day,
    load_calendar,
    load_schedule,
    release_moment,
    system_clock,
)
from disclosure_etl.settings import default_config_dir
from schemas.errors import ConfigError
from schemas.periods import Frequency, Period

LISTED_YEARS = range(2008, 2027)
NATIONAL_DAY_2014 = tuple(date(2014, 10, day) for day in range(1, 8))

# 2014 with one long holiday; every other year is unlisted.
CALENDAR = WorkCalendar(
    frozenset(NATIONAL_DAY_2014), frozenset({date(2014, 9, 28), date(2014, 10, 11)}), frozenset({2014})
)


def packaged_calendar() -> WorkCalendar:
    return load_calendar(sorted((default_config_dir() / "calendar").glob("*.yaml")))


def refusal(path: Path, *others: Path) -> tuple[str, str]:
    with pytest.raises(ConfigError) as raised:
        load_calendar((path, *others))
    return raised.value.message.zh, raised.value.message.en.replace(str(path), path.name)


def year_file(folder: Path, text: str, name: str = "2014.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("year", LISTED_YEARS)
def test_the_packaged_years_are_as_the_chinesecalendar_package_has_them(year: int) -> None:
    calendar = packaged_calendar()

    days = [date(year, 1, 1) + timedelta(days=n) for n in range(366)]
    different = [
        day for day in days if day.year == year and calendar.is_working_day(day) != chinese_calendar.is_workday(day)
    ]
    assert different == []


def test_the_packaged_years_are_listed_without_a_gap() -> None:
    calendar = packaged_calendar()

    assert calendar.years == frozenset(LISTED_YEARS)
    assert calendar.last_listed_year == 2026
    assert not calendar.is_listed(date(2027, 1, 1))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2014, 9, 30), True),
        (date(2014, 10, 1), False),  # a Wednesday, in the holiday
        (date(2014, 10, 11), True),  # a Saturday worked in exchange
        (date(2014, 10, 12), False),  # a Sunday
    ],
)
def test_holidays_and_worked_weekends_stand_over_the_weekday(day: date, works: bool) -> None:
    assert CALENDAR.is_working_day(day) is works


def test_the_next_working_day_is_the_day_itself_if_it_is_one() -> None:
    assert CALENDAR.next_working_day(date(2014, 9, 30)) == date(2014, 9, 30)
    assert CALENDAR.next_working_day(date(2014, 10, 1)) == date(2014, 10, 8)


def test_day_one_is_the_working_day_after() -> None:
    assert CALENDAR.add_working_days(date(2014, 9, 30), 1) == date(2014, 10, 8)
    assert CALENDAR.add_working_days(date(2014, 9, 30), 4) == date(2014, 10, 11)
    assert CALENDAR.add_working_days(date(2014, 10, 4), 1) == date(2014, 10, 8)
    assert CALENDAR.add_working_days(date(2014, 10, 4), 0) == date(2014, 10, 4)


def test_working_days_are_not_taken_away() -> None:
    with pytest.raises(ValueError, match="-1 working days"):
        CALENDAR.add_working_days(date(2014, 9, 30), -1)


@given(st.dates(date(2013, 1, 1), date(2015, 12, 31)), st.integers(1, 60))
def test_adding_working_days_passes_exactly_so_many(day: date, count: int) -> None:
    end = CALENDAR.add_working_days(day, count)

    passed = [day + timedelta(days=n) for n in range(1, (end - day).days + 1)]
    assert CALENDAR.is_working_day(end)
    assert sum(map(CALENDAR.is_working_day, passed)) == count


FIFTH = DueRule(months_after=1, day=5)


@pytest.mark.parametrize(
    ("period", "day"),
    [
        ("2014-05", date(2014, 6, 5)),
        ("2014-03", date(2014, 4, 7)),  # the 5th is a Saturday
        ("2014-09", date(2014, 10, 8)),  # the 5th lies in the holiday
        ("2014Q3", date(2014, 10, 8)),
        ("2014H1", date(2014, 7, 7)),
    ],
)
def test_a_return_is_due_on_its_day_or_the_next_working_one(period: str, day: date) -> None:
    assert due_day(Period.parse(period), FIFTH, CALENDAR) == DueDay(day, provisional=False)


@pytest.mark.parametrize(
    ("rule", "in_holiday", "on_weekend"),
    [
        (DueRule(months_after=1, day=3), date(2014, 10, 8), date(2014, 5, 5)),
        (DueRule(months_after=1, day=3, when_holiday="stay"), date(2014, 10, 3), date(2014, 5, 3)),
        (DueRule(months_after=1, day=3, when_holiday=8), date(2014, 10, 8), date(2014, 5, 8)),
        (
            DueRule(months_after=1, day=3, when_holiday=8, when_weekend="next_working_day"),
            date(2014, 10, 8),
            date(2014, 5, 5),
        ),
        (
            DueRule(months_after=1, day=3, when_holiday=WorkingDayAfter(working_day=3)),
            date(2014, 10, 10),
            date(2014, 5, 7),
        ),
    ],
)
def test_what_takes_the_place_of_a_day_off_is_the_offices_to_say(
    rule: DueRule, in_holiday: date, on_weekend: date
) -> None:
    assert due_day(Period.parse("2014-09"), rule, CALENDAR).day == in_holiday
    assert due_day(Period.parse("2014-04"), rule, CALENDAR).day == on_weekend


def test_a_fixed_substitute_that_is_off_itself_gives_way_to_the_next_working_day() -> None:
    rule = DueRule(months_after=1, day=3, when_holiday=8)

    assert due_day(Period.parse("2020-09"), rule, packaged_calendar()).day == date(2020, 10, 9)


def test_a_day_that_the_month_does_not_have_is_its_last() -> None:
    rule = DueRule(months_after=1, day=31, when_holiday="stay")

    assert due_day(Period.parse("2014-01"), rule, CALENDAR).day == date(2014, 2, 28)
    assert due_day(Period.parse("2013"), rule, CALENDAR).day == date(2014, 1, 31)


def test_a_due_day_without_a_listed_year_is_provisional() -> None:
    assert due_day(Period.parse("2015-08"), FIFTH, CALENDAR) == DueDay(date(2015, 9, 7), provisional=True)


def test_a_due_day_that_rolls_into_an_unlisted_year_is_provisional() -> None:
    calendar = WorkCalendar(frozenset({date(2014, 12, 31)}), frozenset(), frozenset({2014}))

    due = due_day(Period.parse("2014-11"), DueRule(months_after=1, day=31), calendar)

    assert due == DueDay(date(2015, 1, 1), provisional=True)


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("year: 2014\nholidays:\n  - {name: 元旦, from: 2014-01-02, to: 2014-01-01}\n", 3, "before its 'from'"),
        ("year: 2014\nholidays:\n  - {name: 元旦, from: 2013-12-31, to: 2014-01-01}\n", 3, "not all in 2014"),
        ("year: 2014\nholidays: []\nworkdays:\n  - 2013-12-29\n", 4, "2013-12-29 is not in 2014"),
        ("year: 2014\nholidays: []\nworkdays: [2014-05-05]\n", 3, "2014-05-05 is no Saturday or Sunday"),
        (
            "year: 2014\nholidays:\n  - {name: 劳动节, from: 2014-05-01, to: 2014-05-04}\nworkdays: [2014-05-04]\n",
            4,
            "both a holiday and a working day",
        ),
        ("year: 2014\nholiday: []\n", 2, "Did you mean 'holidays'?"),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused(tmp_path: Path, text: str, line: int, expected: str) -> None:
    zh, en = refusal(year_file(tmp_path, text))

    assert f"2014.yaml:{line}: " in en and expected in en
    assert f"2014.yaml:{line}: " in zh


def test_one_year_in_two_files_is_refused(tmp_path: Path) -> None:
    first = year_file(tmp_path, "year: 2014\nholidays: []\n")
    second = year_file(tmp_path, "year: 2014\nholidays: []\n", "own.yaml")

    _, en = refusal(first, second)

    assert f"{second}:1: The year 2014 is already in {first.name}" in en


def schedule_file(folder: Path, monthly: str = "{months_after: 1, day: 3}", **values: str) -> Path:
    head = {"cron": '"0 8 6 * *"', "timezone": "Asia/Shanghai"} | values
    lines = [f"{key}: {value}" for key, value in head.items()]
    lines += ["due:", f"  monthly: {monthly}"]
    lines += [f"  {name}: {{months_after: 1, day: 5}}" for name in ("quarterly", "half_yearly", "yearly")]
    path = folder / "schedule.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def schedule_refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as raised:
        load_schedule(path)
    assert raised.value.message.zh
    return raised.value.message.en


def test_the_packaged_schedule_runs_on_the_sixth_for_returns_due_on_the_fifth() -> None:
    schedule = load_schedule(default_config_dir() / "schedule.yaml")

    assert (schedule.cron, schedule.timezone) == ("0 8 6 * *", "Asia/Shanghai")
    assert schedule.due[Frequency.MONTHLY] == FIFTH
    assert due_day(Period.parse("2020"), schedule.due[Frequency.YEARLY], packaged_calendar()).day == date(2021, 1, 31)


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("{months_after: 1, day: 5}", DueRule(months_after=1, day=5)),
        ("{months_after: 1, day: 3, when_holiday: 8}", DueRule(months_after=1, day=3, when_holiday=8)),
        (
            "{months_after: 1, day: 8, when_holiday: {working_day: 3}, when_weekend: stay}",
            DueRule(months_after=1, day=8, when_holiday=WorkingDayAfter(working_day=3), when_weekend="stay"),
        ),
    ],
)
def test_deadlines_are_read_from_the_schedule(tmp_path: Path, written: str, rule: DueRule) -> None:
    schedule: Schedule = load_schedule(schedule_file(tmp_path, written))

    assert schedule.due[Frequency.MONTHLY] == rule


@pytest.mark.parametrize("zone", ["Asia/Peking", "Asia", "../etc", '""'])
def test_an_unknown_time_zone_is_refused(tmp_path: Path, zone: str) -> None:
    message = schedule_refusal(schedule_file(tmp_path, timezone=zone))

    assert "schedule.yaml:2: There is no time zone" in message


@pytest.mark.parametrize("cron", ['"0 8 6 *"', "monthly", '"0 8 6 * * *"'])
def test_a_line_that_is_no_cron_is_refused(tmp_path: Path, cron: str) -> None:
    assert "schedule.yaml:1: 'cron' is" in schedule_refusal(schedule_file(tmp_path, cron=cron))


@pytest.mark.parametrize("key", ["when_holiday", "when_weekend"])
def test_a_substitute_before_the_due_day_is_refused(tmp_path: Path, key: str) -> None:
    message = schedule_refusal(schedule_file(tmp_path, f"{{months_after: 1, day: 5, {key}: 3}}"))

    assert "schedule.yaml:4: The substitute day 3 lies before the due day 5." in message


def test_an_unknown_way_to_roll_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    message = schedule_refusal(schedule_file(tmp_path, "{months_after: 1, day: 5, when_holiday: next}"))

    assert "schedule.yaml:4: " in message and "Known: next_working_day, stay" in message


def test_a_frequency_without_a_due_day_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "schedule.yaml"
    path.write_text('cron: "0 8 6 * *"\ntimezone: Asia/Shanghai\ndue:\n  monthly: {months_after: 1, day: 5}\n')

    assert "schedule.yaml:3: No due day for: quarterly, half_yearly, yearly." in schedule_refusal(path)


def test_a_story_clock_stands_still_until_it_is_set() -> None:
    first, later = datetime(2014, 6, 6, 8, tzinfo=UTC), datetime(2014, 7, 6, 8, tzinfo=UTC)
    clock = StoryClock(first)

    assert clock() == first
    clock.set(later)
    assert clock() == later


def test_a_story_clock_wants_a_time_zone() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        StoryClock(datetime(2014, 6, 6))


def test_the_system_clock_tells_the_offices_time() -> None:
    now = system_clock("Asia/Shanghai")()

    assert now.utcoffset() == timedelta(hours=8)
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


def test_nothing_but_the_clock_asks_what_time_it_is() -> None:
    root = default_config_dir().parent
    asks = re.compile(r"\b(?:datetime|date)\.(?:now|today|utcnow)\(|\btime\.(?:time|localtime|gmtime)\(")

    files = [path for folder in ("schemas", "disclosure_etl", "flows") for path in (root / folder).rglob("*.py")]
    asking = [path.relative_to(root).as_posix() for path in files if asks.search(path.read_text(encoding="utf-8"))]

    assert asking == ["disclosure_etl/calendar.py"]


# -- releases -----------------------------------------------------------------------------------------------------------


def released(period: str, schedule: Schedule) -> str | None:
    moment = release_moment(Period.parse(period), schedule, packaged_calendar())
    return moment.isoformat() if moment else None


def schedule_with(folder: Path, release: str) -> Schedule:
    text = (default_config_dir() / "schedule.yaml").read_text(encoding="utf-8")
    path = folder / "schedule.yaml"
    path.write_text(text[: text.index("release:\n")] + release, encoding="utf-8")
    return load_schedule(path)


def test_figures_are_released_at_a_time_of_a_day_that_rolls_like_a_due_day(tmp_path: Path) -> None:
    schedule = schedule_with(tmp_path, 'release:\n  monthly: {months_after: 1, day: 1, at: "09:30"}\n')

    assert released("2014-09", schedule) == "2014-10-08T09:30:00+08:00"  # after National Day
    assert released("2014-10", schedule) == "2014-11-03T09:30:00+08:00"  # a Saturday
    assert released("2014Q3", schedule) is None


def test_a_day_of_its_own_stands_before_the_rule(tmp_path: Path) -> None:
    dates = '{2014-05: 2014-06-18, 2014: "2015-03-20T08:00", 2014Q1: 2014-04-30}'
    schedule = schedule_with(
        tmp_path, f'release:\n  monthly: {{months_after: 1, day: 20, at: "15:00"}}\n  dates: {dates}\n'
    )

    assert released("2014-05", schedule) == "2014-06-18T15:00:00+08:00"
    assert released("2014", schedule) == "2015-03-20T08:00:00+08:00"
    assert released("2014Q1", schedule) == "2014-04-30T10:00:00+08:00"


def test_where_nothing_is_planned_nothing_is_embargoed(tmp_path: Path) -> None:
    assert released("2014-05", schedule_with(tmp_path, "")) is None


@pytest.mark.parametrize(
    ("release", "told"),
    [
        ("release: {dates: {2014-13: 2014-06-18}}\n", "'2014-13' is no period"),
        ('release: {monthly: {months_after: 1, day: 20, at: "25:00"}}\n', "release.monthly.at"),
        ("release: {weekly: {months_after: 1, day: 20}}\n", "no key 'weekly'"),
    ],
)
def test_a_release_calendar_that_makes_no_sense_is_refused(tmp_path: Path, release: str, told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        schedule_with(tmp_path, release)
    assert told in raised.value.message.en


@given(st.integers(0, 12 * 12 - 1), st.integers(0, 12), st.integers(1, 28))
def test_a_release_is_never_before_its_planned_day_nor_on_a_day_off(step: int, after: int, day: int) -> None:
    period = Period.parse("2010-01").shifted(step)
    rule = ReleaseRule(months_after=after, day=day)
    schedule = Schedule(cron="0 8 6 * *", timezone="Asia/Shanghai", due={}, release=ReleaseCalendar(monthly=rule))

    moment = release_moment(period, schedule, CALENDAR)

    assert moment is not None
    assert CALENDAR.is_working_day(moment.date())
    assert moment.date() >= period.shifted(after).start.replace(day=day)
