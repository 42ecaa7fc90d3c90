"""Periods: their text, order and nesting, and how people write them."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import UserError
from schemas.periods import Frequency, Period

days = st.dates(date(1910, 1, 1), date(2090, 12, 31))
frequencies = st.sampled_from(list(Frequency))
periods = st.builds(Period.of_day, days, frequencies)


@given(periods)
def test_a_code_reads_back_as_its_period(period: Period) -> None:
    assert Period.parse(period.code) == period
    assert Period.read(period.code) == period


@given(periods)
def test_a_label_reads_back_as_its_period(period: Period) -> None:
    assert Period.read(period.label_zh) == period


@given(periods, st.integers(-200, 200))
def test_going_forth_and_back_ends_where_it_began(period: Period, count: int) -> None:
    assert period.shifted(count).shifted(-count) == period


@given(periods)
def test_a_period_follows_the_preceding_one_without_a_gap(period: Period) -> None:
    before = period.preceding

    assert before.frequency is period.frequency
    assert before.end + timedelta(days=1) == period.start
    assert before < period


@given(days, frequencies)
def test_the_period_of_a_day_contains_it(day: date, frequency: Frequency) -> None:
    period = Period.of_day(day, frequency)

    assert period.start <= day <= period.end


@given(periods, frequencies)
def test_parts_cover_their_period_once(period: Period, frequency: Frequency) -> None:
    if frequency.months > period.frequency.months:
        with pytest.raises(ValueError, match="not made up of"):
            period.parts(frequency)
        return

    parts = period.parts(frequency)

    assert len(parts) * frequency.months == period.frequency.months
    assert (parts[0].start, parts[-1].end) == (period.start, period.end)
    assert all(left.end + timedelta(days=1) == right.start for left, right in pairwise(parts))


@given(st.lists(periods, max_size=12))
def test_order_is_by_first_day_and_the_longer_before_the_shorter(some: list[Period]) -> None:
    ordered = sorted(some)

    keys = [(period.start, -period.frequency.months) for period in ordered]
    assert keys == sorted(keys)


@given(periods, periods)
def test_codes_of_one_frequency_sort_as_their_periods(one: Period, other: Period) -> None:
    if one.frequency is other.frequency:
        assert (one.code < other.code) == (one < other)


def test_only_the_first_period_of_a_year_opens_it() -> None:
    year = Period.parse("2014")

    assert [part.code for part in year.parts(Frequency.MONTHLY) if part.opens_year] == ["2014-01"]
    assert year.opens_year


def test_a_period_is_not_ordered_against_other_things() -> None:
    with pytest.raises(TypeError):
        assert Period.parse("2014") < "2015"


@pytest.mark.parametrize(
    "code", ["", "2014-5", "2014-13", "2014-00", "2014Q5", "2014H3", "14-05", "1899", "2014-05-31"]
)
def test_what_is_no_code_is_refused_in_both_languages(code: str) -> None:
    with pytest.raises(UserError) as raised:
        Period.parse(code)

    assert f"'{code}' is not a period" in raised.value.message.en
    assert f"「{code}」无法识别" in raised.value.message.zh


def test_a_code_may_be_typed_small() -> None:
    assert Period.parse(" 2014q2 ") == Period.parse("2014Q2")


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("2014年5月", "2014-05"),
        ("2014 年 05 月份", "2014-05"),
        ("\uff12\uff10\uff11\uff14年\uff15月", "2014-05"),  # full-width digits
        ("2014.5", "2014-05"),
        ("2014/05", "2014-05"),
        ("2014-5", "2014-05"),
        ("201405", "2014-05"),
        ("2014年5月31日", "2014-05"),
        ("2014-05-31", "2014-05"),
        ("2014.5.31", "2014-05"),
        ("2014年五月", "2014-05"),
        ("二〇一四年五月", "2014-05"),
        ("二○一四年十月份", "2014-10"),
        ("二零一四年十一月", "2014-11"),
        ("2014年第2季度", "2014Q2"),
        ("2014年二季度", "2014Q2"),
        ("二〇一四年第二季度", "2014Q2"),
        ("2014年度第一季度", "2014Q1"),
        ("2014 Q2", "2014Q2"),
        ("2014年上半年", "2014H1"),
        ("2014下半年", "2014H2"),
        ("2014年度下半年", "2014H2"),
        ("2014", "2014"),
        ("2014年", "2014"),
        ("2014年度", "2014"),
        ("二〇一四年度", "2014"),
    ],
)
def test_a_period_is_read_as_people_write_it(written: str, code: str) -> None:
    found = Period.read(written)

    assert found is not None and found.code == code


@pytest.mark.parametrize(
    "written",
    [
        "",
        "5月",
        "2014年13月",
        "2014年0月",
        "201413",
        "2014年十三月",
        "2014年1-5月",
        "九月",
        "3014年",
        "市局",
        "2014年第5季度",
    ],
)
def test_what_names_no_single_period_is_none(written: str) -> None:
    assert Period.read(written) is None


@given(st.text(max_size=12))
def test_reading_any_text_never_fails(written: str) -> None:
    found = Period.read(written)

    assert found is None or Period.parse(found.code) == found
